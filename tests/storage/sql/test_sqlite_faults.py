"""The sqlite3 engine while the disk or another process gets in the way, and what it promises meanwhile."""

from __future__ import annotations

import resource
from datetime import timedelta
from typing import Any

import attrs
import orjson
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.client import CLIENTS, Client
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.interface import Create, NotFound, StorageError, StorageUnavailable, Update, every
from dextwist.storage.sql.sqlite import SQLITE
from dextwist.storage.sql.table import Table
from tests.storage.samples import CLIENT, NOW, REFRESH_TOKEN, expiring
from tests.storage.sql.opening import SqliteTestCase


class SqliteFaultTests(SqliteTestCase):
    """Locks, full disks and the end."""

    async def unavailable(self, work: Any) -> str:
        return str(await self.assertFailure(Deferred.fromCoroutine(work), StorageUnavailable))

    async def test_RL_05_locked_database_fails_writes_not_reads_and_recovers(self) -> None:
        storage = await self.opened(patience=0.1)
        await storage.write(Create(CLIENTS, CLIENT))
        with self.beside() as database:
            database.execute("begin exclusive")
            reason = await self.unavailable(storage.write(Create(CLIENTS, Client(id="new"))))
            self.assertEqual(reason, f"the database {self.file} is locked by another process")
            await self.unavailable(storage.check())
            self.assertEqual(await storage.get(CLIENTS, "client"), CLIENT)
            self.assertEqual(await every(storage, CLIENTS), [CLIENT])
        await storage.check()
        await storage.write(Create(CLIENTS, Client(id="new")))

    async def test_RL_08_write_waits_for_a_lock_that_is_let_go(self) -> None:
        storage = await self.opened(patience=20.0)
        with self.beside() as database:
            database.execute("begin immediate")
            write = Deferred.fromCoroutine(storage.write(Create(CLIENTS, CLIENT)))
            await deferLater(IReactorTime(reactor), 0.1)
            self.assertFalse(write.called)
            database.execute("commit")
        await write
        self.assertEqual(await storage.get(CLIENTS, "client"), CLIENT)

    async def test_disk_that_takes_no_more_fails_whole_writes_and_recovers(self) -> None:
        """A limit on the size of files stands for a disk that the commit finds to be full."""
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))
        size = self.file.with_name(self.file.name + "-wal").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
        try:
            writes = [
                Deferred.fromCoroutine(
                    storage.write(
                        Create(CLIENTS, Client(id=f"new{number}")),
                        Update(CLIENTS, "client", lambda old: attrs.evolve(old, name="changed")),
                    )
                )
                for number in range(5)
            ]
            outcomes = await DeferredList(writes, consumeErrors=True)
            check = await self.unavailable(storage.check())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.assertIn("input/output error", check)
        for success, failure in outcomes:
            self.assertFalse(success)
            assert not isinstance(failure, tuple)
            self.assertIsInstance(failure.value, StorageUnavailable)
        self.assertEqual(await every(storage, CLIENTS), [CLIENT])
        await storage.check()
        await storage.write(Create(CLIENTS, Client(id="new0")))
        await storage.stop()
        storage = await self.opened()
        self.assertEqual([client.id for client in await every(storage, CLIENTS)], ["client", "new0"])

    async def test_damaged_row_is_an_error_of_its_own(self) -> None:
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT), Create(CLIENTS, Client(id="other")))
        with self.beside() as database:
            database.execute("update dextwist_client set document = '{}' where key = 'client'")
        update = Update(CLIENTS, "client", lambda old: old)
        for work in (storage.get(CLIENTS, "client"), storage.write(update)):
            error = await self.assertFailure(Deferred.fromCoroutine(work), StorageError)
            self.assertNotIsInstance(error, (NotFound, StorageUnavailable))
        self.assertEqual((await storage.get(CLIENTS, "other")).id, "other")

    async def test_stopped_storage_is_unavailable(self) -> None:
        storage = self.storage()
        for _ in range(2):
            await self.unavailable(storage.get(CLIENTS, "client"))
            await self.unavailable(storage.page(CLIENTS))
            await self.unavailable(storage.write(Create(CLIENTS, CLIENT)))
            await self.unavailable(storage.check())
            await storage.start()
            await storage.stop()

    async def test_stop_finishes_the_writes_that_wait(self) -> None:
        storage = await self.opened()
        writes = [
            Deferred.fromCoroutine(storage.write(Create(CLIENTS, Client(id=str(number)))))
            for number in range(50)
        ]
        await storage.stop()
        await gatherResults(writes)
        self.assertEqual(list(self.file.parent.glob(f"{self.file.name}*")), [self.file], "no log is left")
        storage = await self.opened()
        self.assertEqual(len(await every(storage, CLIENTS)), 50)

    async def test_listing_under_way_is_answered_by_the_stop(self) -> None:
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))
        listing = Deferred.fromCoroutine(storage.page(CLIENTS))
        await storage.stop()
        self.assertEqual((await listing).values, (CLIENT,))

    async def test_collection_lets_writes_go_between_its_batches(self) -> None:
        storage = await self.opened()
        expired = expiring(AUTH_CODES, NOW - timedelta(seconds=1))
        await storage.write(*(Create(AUTH_CODES, attrs.evolve(expired, id=str(n))) for n in range(2000)))
        collection = Deferred.fromCoroutine(storage.collect_garbage(NOW))
        for number in range(3):
            await storage.write(Create(CLIENTS, Client(id=str(number))))
            self.assertFalse(collection.called)
        self.assertEqual((await collection)["auth_code"], 2000)

    async def test_update_keeps_what_a_newer_server_wrote(self) -> None:
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))
        with self.beside() as database:
            database.execute(
                "update dextwist_client set document = json_set(document, '$.from_the_future', 7)"
            )
            await storage.write(Update(CLIENTS, "client", lambda old: attrs.evolve(old, name="new")))
            document, version = database.execute("select document, version from dextwist_client").fetchone()
        self.assertEqual(orjson.loads(document)["from_the_future"], 7)
        self.assertEqual(orjson.loads(document)["name"], "new")
        self.assertEqual(version, 2)

    async def test_listing_looks_up_the_most_telling_field(self) -> None:
        storage = await self.opened()
        await storage.write(Create(REFRESH_TOKENS, REFRESH_TOKEN))
        table = Table(kind=REFRESH_TOKENS, dialect=SQLITE)
        statements: list[str] = []
        with self.beside() as database:
            database.set_trace_callback(statements.append)
            for fields in (
                ("user_id",),
                ("user_id", "client_id", "connector_id"),
                ("connector_id", "client_id"),
            ):
                narrowed_by = dict.fromkeys(fields, "x")
                table.page(database.cursor(), "after", 10, narrowed_by)
                plan = " ".join(row[3] for row in database.execute(f"explain query plan {statements[-1]}"))
                self.assertIn(f"INDEX dextwist_refresh_token_{fields[0]} ({fields[0]}=? AND key>?)", plan)
                self.assertNotIn("B-TREE", plan)
