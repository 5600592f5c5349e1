"""A test case with daemons, and what must hold of the database of one, whatever happened to it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.faults.party import Answer, Party
from tests.flows.daemon import free_port, merged
from tests.peers.daemon_process import DaemonProcess

#: How long a fault may take to be seen, and to be forgotten when it is over (RL-05).
SOON = 5.0


class FaultCase(SynchronousTestCase):
    """Starts daemons."""

    def setUp(self) -> None:
        self.parties: list[Party] = []

    def daemon(self, over: Mapping[str, Any] | None = None, folder: Path | None = None) -> DaemonProcess:
        """A daemon with telemetry that is not started yet; it ends with the test."""
        self.telemetry = f"http://127.0.0.1:{free_port()}"
        config = merged({"telemetry": {"http": self.telemetry.removeprefix("http://")}}, over or {})
        daemon = DaemonProcess(folder or Path(self.mktemp()).absolute(), config)
        self.addCleanup(self._end, daemon)
        return daemon

    @staticmethod
    def _end(daemon: DaemonProcess) -> None:
        if daemon.process is not None:
            daemon.kill()

    def started(self, over: Mapping[str, Any] | None = None, folder: Path | None = None) -> DaemonProcess:
        """A daemon that answers."""
        daemon = self.daemon(over, folder)
        daemon.start()
        return daemon

    def party(self, daemon: DaemonProcess, client_id: str = "app", secret: str = "app-secret") -> Party:
        """A client of the daemon."""
        party = Party(daemon=daemon, client_id=client_id, secret=secret)
        self.parties.append(party)
        return party

    def assert_ends_well(self, daemon: DaemonProcess) -> None:
        """Asked to, it ends with status 0, and leaves a good database behind."""
        for party in self.parties:
            party.leave()
        self.assertEqual(0, daemon.stop())
        self.assert_whole(daemon.database)

    def readiness(self) -> int:
        """What the readiness probe is told."""
        return requests.get(self.telemetry + "/healthz/ready", timeout=SOON).status_code

    def liveness(self) -> int:
        """What the liveness probe is told."""
        return requests.get(self.telemetry + "/healthz/live", timeout=SOON).status_code

    def eventually(self, true: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until something is so; fail if it is not in time."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                self.fail(f"not within {seconds:g} s: {what}")
            time.sleep(0.02)

    def refreshed(self, party: Party, token: str) -> str:
        """The successor of a refresh token that must be good."""
        answer = party.refresh(token)
        assert answer is not None, "no answer"
        self.assertEqual(200, answer.status, answer.text)
        return str(answer.json["refresh_token"])

    def assert_refused(self, answer: Answer | None) -> None:
        """It is the answer to a grant that is spent."""
        assert answer is not None, "no answer"
        self.assertEqual((400, "invalid_grant"), (answer.status, answer.error))

    def assert_whole(self, database: Path) -> None:
        """Nothing in a database is half written. The daemon must have ended."""
        with closing(sqlite3.connect(database)) as connection:
            self.assertEqual([("ok",)], connection.execute("pragma integrity_check").fetchall())

            def stored(kind: str) -> list[Any]:
                rows = connection.execute(f"select document from dextwist_{kind}")
                return [json.loads(document) for (document,) in rows]

            tokens = {token["id"]: token for token in stored("refresh_token")}
            listed = [name for session in stored("offline_session") for name in session["refresh"]]
            self.assertCountEqual(tokens, listed, "each refresh token is listed once")
            given = [code["refresh_token_id"] for code in stored("auth_code") if code["redeemed"]]
            self.assertEqual(len(given), len(set(given)), "no two codes gave one token")
