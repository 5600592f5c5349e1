"""Signals: TERM finishes what is under way and ends with 0, whenever it comes; HUP ends nothing."""

from __future__ import annotations

import random
import signal
import socket
import time
from urllib.parse import urlencode, urlsplit

import attrs

from tests.faults.case import FaultCase
from tests.faults.crowd import together
from tests.faults.disk import locked
from tests.faults.party import Party
from tests.faults.passwords import LOGIN, PASSWORD, flora
from tests.peers.daemon_process import DaemonProcess

#: Half-sent requests when the signal comes.
UNDER_WAY = 4
#: How long an end may take that waits for nobody.
PROMPTLY = 10.0


@attrs.define
class HalfSent:
    """A password on its way: its last bytes have not been sent yet."""

    rest: bytes
    connection: socket.socket
    answer: bytes = b""

    @classmethod
    def to(cls, party: Party) -> HalfSent:
        """A password form that is filled in, and half sent."""
        form = party.password_form()
        url = urlsplit(form.action)
        body = urlencode({**form.fields, "login": LOGIN, "password": PASSWORD}).encode()
        head = (
            f"POST {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nCookie: {party.cookies}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        connection = socket.create_connection((url.hostname, url.port), timeout=PROMPTLY)
        connection.sendall(head + body[:10])
        return cls(body[10:], connection)

    def finish(self) -> None:
        """Send the rest, and read until the other side has said all."""
        with self.connection:
            self.connection.sendall(self.rest)
            while more := self.connection.recv(65536):
                self.answer += more


class TerminationTests(FaultCase):
    """SIGTERM."""

    def test_RL_15_requests_under_way_are_finished(self) -> None:
        daemon = self.started(flora(cost=12))
        requests = [HalfSent.to(self.party(daemon)) for _ in range(UNDER_WAY)]
        assert daemon.process is not None
        # An answer to a later connection says that the half requests have arrived, too.
        self.assertEqual(200, self.party(daemon).get("/keys").status)
        daemon.process.terminate()
        self.eventually(lambda: not self.listens(daemon), PROMPTLY, "new connections are refused")
        self.assertIsNone(daemon.process.poll(), "it waits for what is under way")
        together([request.finish for request in requests])
        for request in requests:
            head = request.answer.partition(b"\r\n\r\n")[0].lower()
            self.assertTrue(head.startswith(b"http/1.1 303"), request.answer[:300])
            self.assertIn(b"connection: close", head)
        self.assertEqual(0, daemon.process.wait(PROMPTLY))
        self.assert_whole(daemon.database)

    def test_ends_at_once_where_nothing_is_under_way(self) -> None:
        daemon = self.started()
        assert daemon.process is not None
        daemon.process.terminate()
        self.assertEqual(0, daemon.process.wait(PROMPTLY))

    def test_ends_promptly_while_the_start_waits_for_a_lock(self) -> None:
        daemon = self.started()
        daemon.stop()
        with locked(daemon.database):
            daemon.launch()
            self.eventually(lambda: daemon.log().count("config issuer") == 2, PROMPTLY, "the start")
            assert daemon.process is not None
            daemon.process.terminate()
            self.assertEqual(0, daemon.process.wait(PROMPTLY))
        daemon.start()

    def test_ends_at_any_moment_of_the_start(self) -> None:
        daemon = self.started()
        token = self.party(daemon).refresh_token()
        daemon.stop()
        moments = random.Random(3)
        for _ in range(4):
            daemon.launch()
            assert daemon.process is not None
            time.sleep(moments.uniform(0.0, 0.8))
            daemon.process.terminate()
            # The interpreter itself dies of the signal before there is anything of ours.
            self.assertIn(daemon.process.wait(PROMPTLY), (0, -signal.SIGTERM))
        daemon.start()
        self.refreshed(self.party(daemon), token)

    def listens(self, daemon: DaemonProcess) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", daemon.port)) == 0


class HangUpTests(FaultCase):
    """SIGHUP."""

    def test_hangup_signal_ends_nothing(self) -> None:
        daemon = self.started()
        party = self.party(daemon)
        token = party.refresh_token()
        assert daemon.process is not None
        for _ in range(3):
            daemon.process.send_signal(signal.SIGHUP)
            token = self.refreshed(party, token)
        self.eventually(lambda: "hangup signal" in daemon.log(), PROMPTLY, "a word about it")
        self.assert_ends_well(daemon)
