"""The sqlite3 engine: the contract, in a file and in memory."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from dextwist.storage.interface import Storage
from dextwist.storage.sql.sqlite import SqliteStorage
from tests.storage.conformance import StorageConformance


class SqliteFileTests(StorageConformance, TestCase):
    """An SQLite file keeps the contract."""

    def build_storage(self) -> Storage:
        return SqliteStorage(file=self.mktemp(), reactor=IReactorFromThreads(reactor), clock=reactor)


class SqliteMemoryTests(StorageConformance, TestCase):
    """So does an SQLite database in memory."""

    def build_storage(self) -> Storage:
        return SqliteStorage(file=":memory:", reactor=IReactorFromThreads(reactor), clock=reactor)
