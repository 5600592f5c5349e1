"""The storage goes away under load and comes back: quick refusals, then on without a hand (RL-05)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import attrs

from tests.faults.case import SOON, FaultCase
from tests.faults.crowd import Crowd, crowd, together
from tests.faults.disk import full, locked, no_file_may_grow, read_only_disk, small_disk
from tests.faults.party import Answer, Party
from tests.peers.daemon_process import DaemonProcess

HOLDERS = 4


@attrs.define
class Holder:
    """Somebody who refreshes all the time; an answer that comes too late ends the test."""

    party: Party
    token: str
    #: when each request began and when it was answered, and how.
    answers: list[tuple[float, float, Answer]] = attrs.field(factory=list)

    def refresh_while(self, people: Crowd) -> None:
        while people.at_work:
            began_at = time.monotonic()
            answer = self.party.refresh(self.token)
            assert answer is not None, "the connection broke"
            self.answers.append((began_at, time.monotonic(), answer))
            if answer.status == 200:
                self.token = answer.json["refresh_token"]
            else:
                # As somebody does who was told to try later, so that the log is not all about it.
                time.sleep(0.1)


class StorageAwayTests(FaultCase):
    """One story, with each of the faults."""

    def test_RL_05_database_is_locked(self) -> None:
        daemon = self.started()
        self.assert_out_and_back(daemon, locked(daemon.database))

    def test_RL_05_disk_is_full(self) -> None:
        disk = small_disk(self)
        daemon = self.started(folder=disk)
        self.assert_out_and_back(daemon, full(disk))

    def test_RL_05_files_may_not_grow(self) -> None:
        daemon = self.started()
        self.assert_out_and_back(daemon, no_file_may_grow(daemon))

    def test_RL_05_disk_is_read_only(self) -> None:
        daemon = self.started()
        self.assert_out_and_back(daemon, read_only_disk(daemon))

    def assert_out_and_back(self, daemon: DaemonProcess, fault: AbstractContextManager[None]) -> None:
        party = self.party(daemon)
        code = party.log_in()
        holders = [self.holder(daemon) for _ in range(HOLDERS)]
        self.eventually(lambda: self.readiness() == 200, SOON, "ready")
        with self.load(holders), fault:
            self.eventually(lambda: self.readiness() == 503, SOON, "not ready")
            away_since = time.monotonic()
            self.assert_says_so(party, code)
            back_at = time.monotonic()
        for holder in holders:
            self.assertIn(503, [answer.status for _, _, answer in holder.answers])
            for began_at, ended_at, answer in holder.answers:
                self.assertTrue(answer.status == 200 or answer.try_later, answer)
                if away_since < began_at and ended_at < back_at:
                    self.assertEqual(503, answer.status)
        self.eventually(lambda: self.readiness() == 200, SOON, "ready again")
        for holder in holders:
            self.refreshed(holder.party, holder.token)
        redeemed = party.redeem(code)
        self.assertEqual(200, redeemed and redeemed.status, "the code was not spent when it was refused")
        self.assert_refused(party.redeem(code))
        self.assert_ends_well(daemon)

    def assert_says_so(self, party: Party, code: str) -> None:
        """What needs a write is refused for now, the rest goes on."""
        self.assertEqual(200, self.liveness())
        for path in ("/.well-known/openid-configuration", "/keys"):
            self.assertEqual(200, party.get(path).status, path)
        answers: list[Answer | None] = []
        other, third = party.beside(), party.beside()
        together(
            [
                lambda: answers.append(party.redeem(code)),
                lambda: answers.append(other.begin("mock")),
                lambda: answers.append(third.begin("local")),
            ]
        )
        self.assertEqual([True] * 3, [bool(answer and answer.try_later) for answer in answers], answers)

    def holder(self, daemon: DaemonProcess) -> Holder:
        party = self.party(daemon)
        return Holder(party, party.refresh_token())

    @contextmanager
    def load(self, holders: list[Holder]) -> Iterator[None]:
        """Everybody refreshes, before and while the block runs; nobody is told nothing."""
        with crowd() as people:
            for holder in holders:
                people.add(partial(holder.refresh_while, people))
            self.eventually(lambda: all(holder.answers for holder in holders), SOON, "load")
            yield
