"""Servers that are killed, and servers that share a file."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.client import CLIENTS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.interface import Create, every
from tests.storage.samples import REFRESH_TOKEN
from tests.storage.sql.opening import SqliteTestCase

PROJECT = Path(__file__).parents[3]


class SqliteProcessTests(SqliteTestCase):
    """Other processes on the test's file."""

    @contextlib.contextmanager
    def process(self, job: str) -> Iterator[subprocess.Popen[str]]:
        """A process that has started its storage and is at its job."""
        command = [sys.executable, "-m", "tests.storage.sql.process", job, str(self.file)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                self.assertEqual(process.stdout.readline(), "started\n")
                yield process
            finally:
                process.kill()

    async def test_RL_01_killed_server_loses_nothing_that_it_answered(self) -> None:
        answered: set[str] = set()
        with self.process("write-for-ever") as process:
            assert process.stdout is not None
            for line in process.stdout:
                answered.add(line.strip())
                if len(answered) == 300:
                    process.kill()
        self.assertGreaterEqual(len(answered), 300)
        storage = await self.opened()
        clients = {client.id for client in await every(storage, CLIENTS)}
        self.assertLessEqual(answered, clients)
        self.assertEqual(clients, {code.id for code in await every(storage, AUTH_CODES)}, "no half write")
        with self.beside() as database:
            self.assertEqual(database.execute("pragma integrity_check").fetchone(), ("ok",))

    async def test_RL_08_two_servers_that_write_all_the_time_both_get_through(self) -> None:
        storage = await self.opened()
        await storage.write(Create(REFRESH_TOKENS, attrs.evolve(REFRESH_TOKEN, token="0")))
        with self.process("increment") as one, self.process("increment") as other:
            assert one.stdout is not None
            assert other.stdout is not None
            seen = [int(line) for line in (*one.stdout, *other.stdout)]
            self.assertEqual((one.wait(), other.wait()), (0, 0))
        self.assertEqual(sorted(seen), list(range(800)))
        self.assertEqual((await storage.get(REFRESH_TOKENS, "refresh")).token, "800")
