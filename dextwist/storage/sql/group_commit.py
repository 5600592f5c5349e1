"""Group commit: the writes that wait share the next transaction, and with it the one wait for the disk.

A commit that survives a power cut waits for the disk, some milliseconds for one write as for a
hundred. Each write of a batch runs inside a savepoint, so one that fails undoes only itself.

The statements run in the reactor's thread, some microseconds each; only what has to wait runs in
another: the commit for the disk, and the beginning where another process writes. Two threads that both run
Python code take its lock from each other at every statement, which costs more than the statements.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import attrs
from twisted.enterprise.adbapi import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dextwist.storage.interface import StorageUnavailable
from dextwist.storage.sql.table import Cursor

R = TypeVar("R")


@attrs.define(kw_only=True, eq=False)
class GroupCommit:
    """Runs jobs with a cursor of `connection`, many to a transaction."""

    connection: Connection
    clock: IReactorTime
    #: opens a transaction, if that can be done without waiting.
    begin_at_once: Callable[[Connection], bool]
    #: opens a transaction; it may wait for other processes.
    begin: Callable[[Connection], None]
    #: calls a function with the connection in the thread that may wait.
    in_thread: Callable[[Callable[[Connection], Any]], Deferred[Any]]
    #: the most jobs of one transaction: nothing else is done meanwhile.
    limit: int = 64
    #: the most jobs that may wait, for the disk or for another process.
    most_waiting: int = 10_000
    _waiting: deque[tuple[Callable[[Cursor], Any], Deferred[Any]]] = attrs.field(init=False, factory=deque)
    #: fires when nothing waits any more; None: nothing does.
    _working: Deferred[None] | None = attrs.field(init=False, default=None)

    async def run(self, job: Callable[[Cursor], R]) -> R:
        """What `job` returned, once that is on the disk. The job does nothing that takes long.

        Raises what `job` raised, with nothing of it left; an sqlite3.Error when the transaction failed,
        with nothing left of any job in it; StorageUnavailable when too many wait.
        """
        if len(self._waiting) >= self.most_waiting:
            raise StorageUnavailable("too many writes are waiting")
        answer: Deferred[R] = Deferred()
        self._waiting.append((job, answer))
        if self._working is None:
            self._working = Deferred()
            # What arrives in the same turn of the reactor shares the transaction.
            self.clock.callLater(0, self._begin_work)
        return await answer

    async def finish(self) -> None:
        """Return once nothing waits any more."""
        while self._working is not None:
            finished: Deferred[None] = Deferred()
            self._working.chainDeferred(finished)
            await finished

    def _begin_work(self) -> None:
        Deferred.fromCoroutine(self._work())

    async def _work(self) -> None:
        """Make batches until nothing waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self.limit, len(self._waiting)))]
            outcomes = await self._transaction([job for job, _ in batch])
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                answer.callback(outcome)
        finished, self._working = self._working, None
        assert finished is not None
        finished.callback(None)

    async def _transaction(self, jobs: list[Callable[[Cursor], Any]]) -> list[Any]:
        """What each job gave, a Failure where it failed."""
        try:
            # What a rollback that failed may have left.
            self.connection.rollback()
            if not self.begin_at_once(self.connection):
                await self.in_thread(self.begin)
            cursor = self.connection.cursor()
            outcomes = [_in_savepoint(cursor, job) for job in jobs]
            await self.in_thread(_commit)
        except Exception as error:
            with suppress(sqlite3.Error):
                self.connection.rollback()
            return [Failure(error) for _ in jobs]
        return outcomes


def _commit(connection: Connection) -> None:
    connection.execute("commit")


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
