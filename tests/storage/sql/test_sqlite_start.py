"""Opening SQLite files: ours, new ones, and those that must be left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import CLIENTS
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.used_assertion import USED_ASSERTIONS
from dextwist.storage.interface import Create
from dextwist.storage.sql.sqlite_file import DatabaseFile
from tests.storage.samples import CLIENT, SAMPLES
from tests.storage.sql.opening import SqliteTestCase


class DatabaseFileTests(SynchronousTestCase):
    """Reading the `file` key."""

    def test_paths_and_uris(self) -> None:
        for text, path, mode in (
            ("/var/dex/dex.db", "/var/dex/dex.db", "rwc"),
            ("/var/dex/dex.db?_foreign_keys=on&cache=shared", "/var/dex/dex.db", "rwc"),
            ("file:/var/dex/dex.db", "/var/dex/dex.db", "rwc"),
            ("file:///var/dex/dex.db?mode=rw", "/var/dex/dex.db", "rw"),
            ("file://localhost/var/dex/dex.db", "/var/dex/dex.db", "rwc"),
            ("file:/var/a%20b%3F.db?mode=ro", "/var/a b?.db", "ro"),
            ("/var/100%25.db", "/var/100%25.db", "rwc"),
        ):
            self.assertEqual(DatabaseFile.parse(text), DatabaseFile(Path(path), mode), text)

    def test_relative_paths_begin_where_the_server_was_started(self) -> None:
        for text in ("dex.db", "file:dex.db", "./dex.db"):
            self.assertEqual(DatabaseFile.parse(text).path, Path.cwd() / "dex.db")

    def test_memory(self) -> None:
        for text in (":memory:", "file::memory:", "file::memory:?cache=shared", "file:x?mode=memory"):
            self.assertEqual(DatabaseFile.parse(text), DatabaseFile(None), text)

    @given(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
    )
    def test_uri_is_the_same_file_for_sqlite(self, name: str) -> None:
        file = DatabaseFile(Path("/nowhere") / name)
        self.assertEqual(DatabaseFile.parse(file.uri()), file)

    def test_messages_do_not_show_parameters(self) -> None:
        file = DatabaseFile.parse("/var/dex.db?_auth_user=admin&_auth_pass=hush")
        self.assertNotIn("hush", str(file.problem(sqlite3.OperationalError("?"))) + file.uri())


class SqliteStartTests(SqliteTestCase):
    """What happens to a file at the start."""

    async def assert_untouched(self, named: str) -> None:
        """The start ends with that in its reason; the file is as it was, and alone."""
        before = self.file.read_bytes()
        reason = await self.refusal()
        self.assertIn(str(self.file), reason)
        self.assertIn(named, reason)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(list(self.file.parent.glob(f"{self.file.name}*")), [self.file])

    async def test_new_file_gets_our_tables_and_a_ledger(self) -> None:
        storage = await self.opened()
        await storage.stop()
        with self.beside() as database:
            names = database.execute("select name from sqlite_master where type = 'table'").fetchall()
            kinds = [f"dextwist_{kind.name}" for kind in ALL_KINDS]
            self.assertCountEqual(names, [(name,) for name in (*kinds, "dextwist_schema", "dextwist_check")])
            ledger = database.execute("select version, description from dextwist_schema")
            self.assertEqual(ledger.fetchall(), [(1, "created")])
            self.assertEqual(database.execute("pragma journal_mode").fetchone(), ("wal",))

    async def test_new_file_is_for_the_server_alone(self) -> None:
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))
        for file in self.file.parent.glob(f"{self.file.name}*"):
            self.assertEqual(file.stat().st_mode & 0o777, 0o600, file)

    async def test_file_that_is_there_keeps_its_mode(self) -> None:
        self.file.touch(mode=0o640)
        await self.opened()
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o640)

    async def test_commits_wait_for_the_disk(self) -> None:
        storage = await self.opened()
        level = await storage._commit(lambda cursor: cursor.execute("pragma synchronous").fetchone())
        self.assertEqual(level, (2,), "full")

    async def test_started_again_finds_what_was_stored(self) -> None:
        for file in (str(self.file), f"file:{self.file}?cache=shared", f"{self.file}?_foreign_keys=1"):
            storage = await self.opened(file)
            if file == str(self.file):
                await storage.write(Create(CLIENTS, CLIENT))
            self.assertEqual(await storage.get(CLIENTS, "client"), CLIENT)
            await storage.stop()

    async def test_file_from_before_a_kind_gets_its_table_and_keeps_the_rest(self) -> None:
        used = SAMPLES[USED_ASSERTIONS]
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))
        await storage.stop()
        database = sqlite3.connect(self.file)
        database.execute(f"drop table dextwist_{USED_ASSERTIONS.name}")
        database.close()
        storage = await self.opened()
        await storage.write(Create(USED_ASSERTIONS, used))
        self.assertEqual(await storage.get(USED_ASSERTIONS, used.id), used)
        self.assertEqual(await storage.get(CLIENTS, CLIENT.id), CLIENT)

    async def test_empty_file_is_a_new_one(self) -> None:
        self.file.touch()
        storage = await self.opened()
        await storage.write(Create(CLIENTS, CLIENT))

    async def test_memory_is_empty_every_time(self) -> None:
        for _ in range(2):
            storage = await self.opened("file::memory:?cache=shared")
            await storage.write(Create(CLIENTS, CLIENT))

    async def test_file_that_is_no_database_is_refused(self) -> None:
        self.file.write_text("issuer: http://127.0.0.1:5556/dex\n" * 100)
        await self.assert_untouched("is not an SQLite database")

    async def test_damaged_database_is_refused(self) -> None:
        with self.beside() as database:
            database.execute("create table migrations (num, at)")
        content = bytearray(self.file.read_bytes())
        content[100:200] = b"\xff" * 100
        self.file.write_bytes(content)
        await self.assert_untouched("is damaged")

    async def test_database_of_another_program_is_refused(self) -> None:
        for statement in (
            "create table notes (text)",
            "create view view_of_nothing as select 1",
            "create table migrations (id integer primary key, name text)",
        ):
            self.setUp()
            with self.beside() as database:
                database.execute(statement)
            await self.assert_untouched("holds tables of another program")

    async def test_database_of_another_program_that_writes_ahead_is_refused(self) -> None:
        with self.beside() as database:
            database.execute("pragma journal_mode = wal")
            database.execute("create table notes (text)")
        await self.assert_untouched("holds tables of another program")

    async def test_newer_schema_is_refused(self) -> None:
        await (await self.opened()).stop()
        with self.beside() as database:
            database.execute("insert into dextwist_schema values (2, 0, 'from the future')")
        await self.assert_untouched("has schema version 2; this server knows version 1")

    async def test_ledger_that_says_nothing_is_refused(self) -> None:
        await (await self.opened()).stop()
        with self.beside() as database:
            database.execute("delete from dextwist_schema")
        await self.assert_untouched("has schema version None")

    async def test_locked_database_is_refused_when_patience_ends(self) -> None:
        with self.beside() as database:
            database.execute("create table notes (text)")
            database.execute("begin immediate")
            reason = await self.refusal(start_patience=0.1)
        self.assertEqual(reason, f"the database {self.file} is locked by another process")
        await self.assert_untouched("holds tables of another program")

    async def test_start_that_waits_for_a_lock_can_be_given_up(self) -> None:
        await (await self.opened()).stop()
        with self.beside() as database:
            database.execute("begin immediate")
            start: Deferred[None] = Deferred.fromCoroutine(self.storage(start_patience=1000.0).start())
            start.cancel()
            await self.assertFailure(start, CancelledError)
        await self.opened()

    async def test_read_only_database_is_refused(self) -> None:
        await (await self.opened()).stop()
        before = self.file.read_bytes()
        reason = await self.refusal(f"file:{self.file}?mode=ro")
        self.assertEqual(reason, f"the database {self.file} is read-only")
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(list(self.file.parent.glob(f"{self.file.name}*")), [self.file])

    async def test_missing_folder_is_told(self) -> None:
        missing = self.file / "dex.db"
        self.assertEqual(
            await self.refusal(str(missing)),
            f"the database {missing} cannot be opened: the folder must exist, and the file in it be writable",
        )

    async def test_folder_is_no_database(self) -> None:
        self.file.mkdir()
        self.assertIn("cannot be opened", await self.refusal())
