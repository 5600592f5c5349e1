"""Group commit: writes share transactions, and fail alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dextwist.storage.interface import StorageUnavailable
from dextwist.storage.sql.group_commit import GroupCommit
from dextwist.storage.sql.table import Cursor


class GroupCommitTests(SynchronousTestCase):
    """A table of numbers, and a thread that waits when the test says so."""

    def setUp(self) -> None:
        self.file = self.mktemp()
        with sqlite3.connect(self.file) as database:
            database.execute("create table numbers (number integer)")
            database.execute("create table parents (number integer primary key)")
            database.execute(
                "create table children (number integer references parents deferrable initially deferred)"
            )
        database.close()
        self.clock = Clock()
        #: whether another process writes, which the thread has to wait for.
        self.is_busy = False
        #: what was done in the thread.
        self.in_thread: list[str] = []
        #: what the thread still has to do, where it waits; None: it works at once.
        self.held: list[Callable[[], object]] | None = None
        self.commits = self.group_commit()

    def group_commit(self, **over: Any) -> GroupCommit:
        self.connection = cast(Any, sqlite3.connect(self.file, isolation_level=None))
        self.connection.execute("pragma foreign_keys = on")
        self.addCleanup(self.connection.close)
        return GroupCommit(
            connection=self.connection,
            clock=self.clock,
            begin_at_once=self.begin_at_once,
            begin=begin,
            in_thread=self.run_in_thread,
            **over,
        )

    def begin_at_once(self, connection: Any) -> bool:
        if not self.is_busy:
            begin(connection)
        return not self.is_busy

    def run_in_thread(self, work: Callable[[Any], Any]) -> Deferred[Any]:
        result: Deferred[Any] = Deferred()

        def done() -> None:
            self.in_thread.append(work.__name__.strip("_"))
            maybeDeferred(work, self.connection).chainDeferred(result)

        if self.held is None:
            done()
        else:
            self.held.append(done)
        return result

    def let_go(self) -> None:
        """The thread does what it has to do, and waits no more."""
        held, self.held = self.held, None
        for done in held or ():
            done()

    def started(self, job: Callable[[Cursor], Any]) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.commits.run(job))

    def run_all(self, *jobs: Callable[[Cursor], Any]) -> list[Any]:
        """What each job gave or raised; all were asked for in one turn of the reactor."""
        results: list[Any] = []
        for job in jobs:
            self.started(job).addBoth(results.append)
        self.clock.advance(0)
        return [result.value if isinstance(result, Failure) else result for result in results]

    def numbers(self) -> list[int]:
        database = sqlite3.connect(self.file)
        found = [number for (number,) in database.execute("select number from numbers order by number")]
        database.close()
        return found

    def test_writes_of_one_turn_of_the_reactor_share_a_transaction(self) -> None:
        self.assertEqual(self.run_all(*(insert(number) for number in range(50))), list(range(50)))
        self.assertEqual(self.numbers(), list(range(50)))
        self.assertEqual(self.in_thread, ["commit"])

    def test_writes_that_come_while_the_disk_is_waited_for_share_the_next_transaction(self) -> None:
        self.held = []
        first = self.started(insert(0))
        self.clock.advance(0)
        others = [self.started(insert(number)) for number in (1, 2, 3)]
        self.clock.advance(0)
        self.assertNoResult(first)
        self.assertEqual(self.numbers(), [])
        self.let_go()
        self.assertEqual([self.successResultOf(each) for each in (first, *others)], [0, 1, 2, 3])
        self.assertEqual(self.in_thread, ["commit", "commit"])
        self.assertEqual(self.numbers(), [0, 1, 2, 3])

    def test_nothing_is_answered_before_it_is_on_the_disk(self) -> None:
        self.held = []
        written = self.started(insert(0))
        self.clock.advance(0)
        self.assertNoResult(written)
        self.let_go()
        self.assertEqual(self.successResultOf(written), 0)

    def test_another_process_is_waited_for_in_the_thread(self) -> None:
        self.is_busy, self.held = True, []
        written = self.started(insert(0))
        self.clock.advance(0)
        self.assertNoResult(written)
        self.let_go()
        self.assertEqual(self.successResultOf(written), 0)
        self.assertEqual(self.in_thread, ["begin", "commit"])

    def test_batches_have_a_limit(self) -> None:
        self.commits = self.group_commit(limit=10)
        self.run_all(*(insert(number) for number in range(45)))
        self.assertEqual(self.in_thread, ["commit"] * 5)
        self.assertEqual(self.numbers(), list(range(45)))

    def test_writes_are_made_in_the_order_of_their_asking(self) -> None:
        def count(cursor: Cursor) -> int:
            cursor.execute("select count(*) from numbers")
            (before,) = cursor.fetchone()
            insert(0)(cursor)
            return int(before)

        self.assertEqual(self.run_all(*[count] * 20), list(range(20)))

    def test_failing_write_undoes_itself_alone(self) -> None:
        refused = ValueError("refused")

        def refuse(cursor: Cursor) -> None:
            insert(1)(cursor)
            raise refused

        results = self.run_all(insert(0), refuse, insert(2))
        self.assertIs(results[1], refused)
        self.assertEqual(self.numbers(), [0, 2])

    def test_failing_statement_undoes_its_write_alone(self) -> None:
        def violate(cursor: Cursor) -> None:
            insert(1)(cursor)
            cursor.execute("insert into parents values (1), (1)")

        results = self.run_all(insert(0), violate, insert(2))
        self.assertIsInstance(results[1], sqlite3.IntegrityError)
        self.assertEqual(self.numbers(), [0, 2])

    def test_failing_commit_fails_every_write_and_leaves_nothing(self) -> None:
        def orphan(cursor: Cursor) -> None:
            cursor.execute("insert into children values (1)")

        results = self.run_all(insert(0), orphan, insert(1))
        self.assertEqual([type(result) for result in results], [sqlite3.IntegrityError] * 3)
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.run_all(insert(2)), [2])
        self.assertEqual(self.numbers(), [2])

    def test_transaction_that_cannot_begin_fails_every_write(self) -> None:
        def locked(connection: Any) -> None:
            raise sqlite3.OperationalError("database is locked")

        self.is_busy, self.commits.begin = True, locked
        results = self.run_all(insert(0), insert(1))
        self.assertEqual([type(result) for result in results], [sqlite3.OperationalError] * 2)
        self.is_busy = False
        self.assertEqual(self.run_all(insert(2)), [2])
        self.assertEqual(self.numbers(), [2])

    def test_full_disk_fails_writes_until_there_is_room(self) -> None:
        def insert_much(cursor: Cursor) -> None:
            cursor.execute("insert into numbers values (7), (zeroblob(1000000))")

        self.connection.execute("pragma max_page_count = 10")
        results = self.run_all(insert(0), insert_much, insert(1))
        self.assertEqual([result.sqlite_errorcode for result in results], [sqlite3.SQLITE_FULL] * 3)
        self.assertEqual(self.numbers(), [])
        self.connection.execute("pragma max_page_count = 10000")
        self.assertEqual(self.run_all(insert_much, insert(1)), [None, 1])

    def test_write_goes_on_when_nobody_waits_for_it_any_more(self) -> None:
        abandoned = self.started(insert(0))
        abandoned.cancel()
        self.failureResultOf(abandoned, CancelledError)
        self.run_all(insert(1))
        self.assertEqual(self.numbers(), [0, 1])

    def test_too_many_waiting_writes_are_refused(self) -> None:
        self.commits = self.group_commit(most_waiting=2)
        results = self.run_all(*(insert(number) for number in range(9)))
        # Those are refused at once, and so come first.
        self.assertEqual([type(result) for result in results[:7]], [StorageUnavailable] * 7)
        self.assertEqual(results[7:], [0, 1])
        self.assertEqual(self.numbers(), [0, 1])

    def test_write_started_by_a_write_comes_after_it(self) -> None:
        started: list[Deferred[int]] = []

        def starting(cursor: Cursor) -> int:
            started.append(self.started(insert(1)))
            return insert(0)(cursor)

        self.assertEqual(self.run_all(starting), [0])
        self.assertEqual(self.successResultOf(started[0]), 1)
        self.assertEqual(self.numbers(), [0, 1])

    def test_finishing_waits_for_all_that_was_asked_for(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.commits.finish()))
        self.held = []
        written = [self.started(insert(0))]
        self.clock.advance(0)
        written.append(self.started(insert(1)))
        finished = [Deferred.fromCoroutine(self.commits.finish()) for _ in range(2)]
        self.assertNoResult(finished[0])
        self.let_go()
        self.assertEqual([self.successResultOf(each) for each in written], [0, 1])
        for each in finished:
            self.successResultOf(each)


def begin(connection: Any) -> None:
    connection.execute("begin immediate")


def insert(number: int) -> Callable[[Cursor], int]:
    """A job that adds a number and gives it back."""

    def job(cursor: Cursor) -> int:
        cursor.execute("insert into numbers values (?)", (number,))
        return number

    return job
