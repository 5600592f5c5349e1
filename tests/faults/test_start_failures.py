"""A database that cannot be used ends the start: one sentence, status 2, and nothing of it is changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path

import attrs

from tests.faults.case import FaultCase
from tests.faults.disk import locked, make_read_only, small_disk
from tests.peers.daemon_process import DaemonProcess

#: For a locked database the start waits, half a minute.
_REFUSED_WITHIN = 60.0


@attrs.frozen(kw_only=True)
class Unusable:
    """A database that something has happened to, and what the daemon says to it."""

    daemon: DaemonProcess
    #: what follows `the database FILE`.
    sentence: str
    fault: AbstractContextManager[None] = attrs.field(factory=nullcontext)

    def files(self) -> dict[str, str]:
        """Digests of the database and of all that lies beside it and belongs to it."""
        database = self.daemon.database
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in database.parent.glob(f"{database.name}*")
        }


class StartFailureTests(FaultCase):
    """All at once, since one of them takes its time."""

    def setUp(self) -> None:
        super().setUp()
        daemon = self.started()
        self.party(daemon).refresh_token()
        self.assert_ends_well(daemon)
        self.written = daemon.database

    def test_unusable_database_is_told_in_one_sentence_and_left_alone(self) -> None:
        cases = [
            self.locked(),
            self.read_only_by_configuration(),
            self.of_the_future(),
            self.damaged(),
            self.no_database(),
            *([self.on_a_read_only_disk()] if os.geteuid() == 0 else []),
        ]
        before = [case.files() for case in cases]
        with ExitStack() as faults:
            for case in cases:
                faults.enter_context(case.fault)
                case.daemon.launch()
            for case in cases:
                assert case.daemon.process is not None
                self.assertEqual(2, case.daemon.process.wait(_REFUSED_WITHIN), case.sentence)
        for case, files in zip(cases, before, strict=True):
            self.assertEqual(files, case.files(), case.sentence)
            self.assertEqual({case.daemon.database.name}, set(files), "alone, as a good end leaves it")
            log = case.daemon.log()
            (error,) = [line for line in log.splitlines() if "level=ERROR" in line]
            self.assertIn(f'err="storage: the database {case.daemon.database} {case.sentence}"', error)
            self.assertNotIn("Traceback", log)

    def with_database(self, folder: Path | None = None) -> DaemonProcess:
        """A daemon, not started, with a copy of the database of one that has been up."""
        daemon = self.daemon()
        daemon.database = (folder or Path(self.mktemp()).absolute()) / "dex.db"
        daemon.database.parent.mkdir(exist_ok=True)
        shutil.copy(self.written, daemon.database)
        return daemon

    def locked(self) -> Unusable:
        daemon = self.with_database()
        return Unusable(daemon=daemon, sentence="is locked by another process", fault=locked(daemon.database))

    def read_only_by_configuration(self) -> Unusable:
        daemon = self.with_database()
        daemon.over = {"storage": {"config": {"file": f"file:{daemon.database}?mode=ro"}}}
        return Unusable(daemon=daemon, sentence="is read-only")

    def on_a_read_only_disk(self) -> Unusable:
        disk = small_disk(self)
        daemon = self.with_database(disk)
        make_read_only(disk)
        # SQLite would have to make its log before it could say more.
        sentence = "cannot be opened: the folder must exist, and the file in it be writable"
        return Unusable(daemon=daemon, sentence=sentence)

    def of_the_future(self) -> Unusable:
        daemon = self.with_database()
        with closing(sqlite3.connect(daemon.database)) as database, database:
            database.execute("insert into dextwist_schema values (1000, 0, 'from the future')")
        return Unusable(daemon=daemon, sentence="has schema version 1000; this server knows version 1")

    def damaged(self) -> Unusable:
        daemon = self.with_database()
        content = bytearray(daemon.database.read_bytes())
        content[100:200] = b"\xff" * 100
        daemon.database.write_bytes(content)
        return Unusable(daemon=daemon, sentence="is damaged")

    def no_database(self) -> Unusable:
        daemon = self.with_database()
        daemon.database.write_bytes(b"issuer: http://127.0.0.1:5556/dex\n" * 100)
        return Unusable(daemon=daemon, sentence="is not an SQLite database")
