"""A test case with SQLite storages in files."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from dextwist.storage.interface import StorageError
from dextwist.storage.sql.sqlite import SqliteStorage


class SqliteTestCase(TestCase):
    """Opens storages on one file, and the file itself beside them."""

    timeout = 60

    def setUp(self) -> None:
        self.file = Path(self.mktemp()).absolute()

    def storage(self, file: str | None = None, **over: Any) -> SqliteStorage:
        return SqliteStorage(
            file=str(self.file) if file is None else file,
            reactor=IReactorFromThreads(reactor),
            clock=reactor,
            **over,
        )

    async def opened(self, file: str | None = None, **over: Any) -> SqliteStorage:
        storage = self.storage(file, **over)
        await storage.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(storage.stop()))
        return storage

    async def refusal(self, file: str | None = None, **over: Any) -> str:
        """Why the storage does not start."""
        start: Deferred[Any] = Deferred.fromCoroutine(self.storage(file, **over).start())
        return str(await self.assertFailure(start, StorageError))

    @contextlib.contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """Another connection to the file."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            yield database
