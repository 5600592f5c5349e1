"""Group commit: writes that share a transaction, and what one of them can do to the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine
from threading import Event
from typing import Any

from twisted.enterprise.adbapi import Connection, ConnectionPool
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredList, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from dextwist.storage.interface import StorageUnavailable
from dextwist.storage.sql.group_commit import GroupCommit
from dextwist.storage.sql.table import Cursor


@implementer(IReactorFromThreads)
class CountingReactor:
    """The reactor, and how often a thread called into it."""

    calls = 0

    def callFromThread(
        self,
        callable: Callable[..., Any],  # noqa: A002 - the interface names it so
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.calls += 1
        IReactorFromThreads(reactor).callFromThread(callable, *args, **kwargs)


class GroupCommitTests(TestCase):
    """A table of numbers, and a group commit whose transactions begin when the test lets them."""

    timeout = 20

    def setUp(self) -> None:
        self.file = self.mktemp()
        self.begun = 0
        self.at_begin, self.go = Event(), Event()
        self.reactor = CountingReactor()
        self.commits = self.group_commit(self.file)
        database = sqlite3.connect(self.file)
        database.execute("create table numbers (number integer)")
        database.execute("create table parents (number integer primary key)")
        database.execute(
            "create table children (number integer references parents deferrable initially deferred)"
        )
        database.close()

    def group_commit(self, file: str, **over: Any) -> GroupCommit:
        pool = ConnectionPool(
            "sqlite3",
            file,
            isolation_level=None,
            check_same_thread=False,
            cp_min=1,
            cp_max=1,
            cp_reactor=reactor,
            cp_openfun=lambda connection: connection.execute("pragma foreign_keys = on"),
        )
        # The tests wait for its thread without the reactor.
        pool.start()
        self.addCleanup(pool.close)
        # Before the pool ends: its thread may be waiting.
        self.addCleanup(self.go.set)
        return GroupCommit(pool=pool, reactor=self.reactor, clock=reactor, begin=self.begin, **over)

    def begin(self, connection: Connection) -> None:
        self.at_begin.set()
        self.go.wait()
        self.begun += 1
        connection.execute("begin immediate")

    async def run_all(self, *jobs: Callable[[Cursor], Any]) -> list[Any]:
        """What each job gave or raised; all are waiting when a transaction before theirs begins."""
        self.at_begin.clear()
        self.go.clear()
        before = Deferred.fromCoroutine(self.commits.run(lambda cursor: None))
        await deferLater(reactor, 0)  # then it has begun
        self.assertTrue(self.at_begin.wait(self.timeout))
        running = DeferredList(
            [before, *(Deferred.fromCoroutine(self.commits.run(job)) for job in jobs)], consumeErrors=True
        )
        self.go.set()
        results = [result for _, result in (await running)[1:]]
        return [result.value if isinstance(result, Failure) else result for result in results]

    def numbers(self) -> list[int]:
        database = sqlite3.connect(self.file)
        found = [number for (number,) in database.execute("select number from numbers order by number")]
        database.close()
        return found

    async def test_writes_that_wait_share_a_transaction(self) -> None:
        results = await self.run_all(*(insert(number) for number in range(50)))
        self.assertEqual(results, list(range(50)))
        self.assertEqual(self.numbers(), list(range(50)))
        self.assertEqual(self.begun, 2)

    async def test_reactor_is_woken_once_a_batch(self) -> None:
        await self.run_all(*(insert(number) for number in range(50)))
        self.assertEqual(self.reactor.calls, 2)

    async def test_writes_of_one_turn_of_the_reactor_share_a_transaction(self) -> None:
        self.go.set()
        await gatherResults([Deferred.fromCoroutine(self.commits.run(insert(number))) for number in range(9)])
        self.assertEqual(self.begun, 1)

    async def test_batches_have_a_limit(self) -> None:
        self.commits = self.group_commit(self.file, limit=10)
        await self.run_all(*(insert(number) for number in range(50)))
        self.assertEqual(self.begun, 6)
        self.assertEqual(self.numbers(), list(range(50)))

    async def test_writes_are_made_in_the_order_of_their_asking(self) -> None:
        def count(cursor: Cursor) -> int:
            cursor.execute("select count(*) from numbers")
            (before,) = cursor.fetchone()
            insert(0)(cursor)
            return int(before)

        self.assertEqual(await self.run_all(*[count] * 20), list(range(20)))

    async def test_failing_write_undoes_itself_alone(self) -> None:
        refused = ValueError("refused")

        def refuse(cursor: Cursor) -> None:
            insert(1)(cursor)
            raise refused

        results = await self.run_all(insert(0), refuse, insert(2))
        self.assertIs(results[1], refused)
        self.assertEqual(self.numbers(), [0, 2])

    async def test_failing_statement_undoes_its_write_alone(self) -> None:
        def violate(cursor: Cursor) -> None:
            insert(1)(cursor)
            cursor.execute("insert into parents values (1), (1)")

        results = await self.run_all(insert(0), violate, insert(2))
        self.assertIsInstance(results[1], sqlite3.IntegrityError)
        self.assertEqual(self.numbers(), [0, 2])

    async def test_failing_commit_fails_every_write_and_leaves_nothing(self) -> None:
        def orphan(cursor: Cursor) -> None:
            cursor.execute("insert into children values (1)")

        results = await self.run_all(insert(0), orphan, insert(1))
        self.assertEqual([type(result) for result in results], [sqlite3.IntegrityError] * 3)
        self.assertEqual(self.numbers(), [])
        self.assertEqual(await self.run_all(insert(2)), [2])
        self.assertEqual(self.numbers(), [2])

    async def test_full_disk_fails_writes_until_there_is_room(self) -> None:
        async def limit_pages(pages: int) -> None:
            await self.commits.pool.runWithConnection(
                lambda connection: connection.execute(f"pragma max_page_count = {pages}").fetchall()
            )

        def insert_much(cursor: Cursor) -> None:
            cursor.execute("insert into numbers values (7), (zeroblob(1000000))")

        await limit_pages(10)
        results = await self.run_all(insert(0), insert_much, insert(1))
        self.assertEqual([result.sqlite_errorcode for result in results], [sqlite3.SQLITE_FULL] * 3)
        self.assertEqual(self.numbers(), [])
        await limit_pages(10000)
        self.assertEqual(await self.run_all(insert_much, insert(1)), [None, 1])

    async def test_write_goes_on_when_nobody_waits_for_it_any_more(self) -> None:
        abandoned = Deferred.fromCoroutine(self.commits.run(insert(0)))
        abandoned.cancel()
        await self.assertFailure(abandoned, CancelledError)
        self.go.set()
        await self.commits.run(insert(1))
        self.assertEqual(self.numbers(), [0, 1])

    async def test_too_many_waiting_writes_are_refused(self) -> None:
        self.commits = self.group_commit(self.file, most_waiting=2)
        results = await self.run_all(*(insert(number) for number in range(9)))
        self.assertEqual([type(result) for result in results[2:]], [StorageUnavailable] * 7)
        self.assertEqual(self.numbers(), [0, 1])

    async def test_without_a_connection_every_write_fails(self) -> None:
        self.commits = self.group_commit(f"{self.file}/nowhere.db")
        for _ in range(2):
            await self.assertFailure(
                Deferred.fromCoroutine(self.commits.run(insert(0))), sqlite3.OperationalError
            )

    async def test_write_started_by_a_write_comes_after_it(self) -> None:
        started: list[Deferred[int]] = []

        def starting(cursor: Cursor) -> int:
            inner: Coroutine[Any, Any, int] = self.commits.run(insert(1))
            started.append(Deferred.fromCoroutine(inner))
            return insert(0)(cursor)

        self.assertEqual(await self.run_all(starting), [0])
        self.assertEqual(await started[0], 1)
        self.assertEqual(self.numbers(), [0, 1])


def insert(number: int) -> Callable[[Cursor], int]:
    """A job that adds a number and gives it back."""

    def job(cursor: Cursor) -> int:
        cursor.execute("insert into numbers values (?)", (number,))
        return number

    return job
