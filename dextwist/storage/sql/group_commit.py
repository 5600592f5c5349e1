"""Group commit: the writes that wait share the next transaction, and with it the one wait for the disk.

A commit that survives a power cut waits for the disk, some milliseconds for one write as for a
hundred. Each write of a batch runs inside a savepoint, so one that fails undoes only itself.

A batch begins when the reactor has dealt with all that has arrived, so that requests that came together
share it, and the writer's thread does not fight with theirs for the interpreter.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

import attrs
from twisted.enterprise.adbapi import Connection, ConnectionPool
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure

from dextwist.storage.interface import StorageUnavailable
from dextwist.storage.sql.table import Cursor

R = TypeVar("R")

_Waiting = tuple[Callable[[Cursor], Any], Deferred[Any]]


@attrs.define(kw_only=True, eq=False)
class GroupCommit:
    """Runs jobs with a cursor in the one thread of `pool`, many to a transaction."""

    pool: ConnectionPool
    reactor: IReactorFromThreads
    clock: IReactorTime
    #: opens a transaction; it may wait for other processes.
    begin: Callable[[Connection], None]
    #: the most jobs of one transaction, so that the first has not to wait for too many.
    limit: int = 256
    #: the most jobs that may wait, for the disk or for another process.
    most_waiting: int = 10_000
    _lock: Lock = attrs.field(init=False, factory=Lock)
    _waiting: deque[_Waiting] = attrs.field(init=False, factory=deque)
    _running: bool = attrs.field(init=False, default=False)

    async def run(self, job: Callable[[Cursor], R]) -> R:
        """What `job` returned, once that is on the disk.

        Raises what `job` raised, with nothing of it left; an sqlite3.Error when the transaction failed,
        with nothing left of any job in it; StorageUnavailable when too many wait.
        """
        answer: Deferred[R] = Deferred()
        # The lock is for a job that starts another, from the pool's thread.
        with self._lock:
            if len(self._waiting) >= self.most_waiting:
                raise StorageUnavailable("too many writes are waiting")
            self._waiting.append((job, answer))
            idle, self._running = not self._running, True
        if idle:
            self.clock.callLater(0, self._start)
        return await answer

    def _start(self) -> None:
        self.pool.runWithConnection(self._work).addErrback(self._fail_waiting)

    def _work(self, connection: Connection) -> None:
        """Make batches until nothing waits; answer each with one call into the reactor."""
        while batch := self._next_batch():
            outcomes = self._commit(connection, [job for job, _ in batch])
            answers = [answer for _, answer in batch]
            self.reactor.callFromThread(self._answer, answers, outcomes)

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self.limit, len(self._waiting)))]
            self._running = bool(batch)
        return batch

    def _commit(self, connection: Connection, jobs: list[Callable[[Cursor], Any]]) -> list[Any]:
        """What each job gave, a Failure where it failed."""
        try:
            # What a rollback that failed may have left.
            connection.rollback()
            self.begin(connection)
            cursor = connection.cursor()
            outcomes = [_in_savepoint(cursor, job) for job in jobs]
            cursor.execute("commit")
        except Exception as error:
            with suppress(sqlite3.Error):
                connection.rollback()
            return [Failure(error) for _ in jobs]
        return outcomes

    def _fail_waiting(self, failure: Failure) -> None:
        """There is no connection: nobody's turn will come."""
        with self._lock:
            waiting, self._running = list(self._waiting), False
            self._waiting.clear()
        self._answer([answer for _, answer in waiting], [failure] * len(waiting))

    @staticmethod
    def _answer(answers: list[Deferred[Any]], outcomes: list[Any]) -> None:
        for answer, outcome in zip(answers, outcomes, strict=True):
            answer.callback(outcome)


def _in_savepoint(cursor: Cursor, job: Callable[[Cursor], Any]) -> Any:
    """What the job gave, or its Failure with everything undone that it did.

    An sqlite3.OperationalError is not the job's own: it ends the transaction.
    """
    cursor.execute("savepoint job")
    try:
        outcome = job(cursor)
    except sqlite3.OperationalError:
        raise
    except Exception as error:
        outcome = Failure(error)
        cursor.execute("rollback to job")
    cursor.execute("release job")
    return outcome
