"""kill -9 at any moment: nothing works twice, nothing that was answered is lost."""

from __future__ import annotations

import random
import time
from functools import partial

import attrs

from tests.faults.case import FaultCase
from tests.faults.crowd import Crowd, crowd, together
from tests.faults.party import Party
from tests.peers.daemon_process import DaemonProcess

KILLS = 20
HOLDERS = 6
CODES = 8
REDEEMERS = 3


@attrs.define
class Holder:
    """Somebody who refreshes all the time, and keeps what they were answered."""

    party: Party
    token: str
    #: what they had before, which they may no longer use.
    used: list[str] = attrs.field(factory=list)

    def refresh_while(self, people: Crowd) -> None:
        while people.at_work:
            answer = self.party.refresh(self.token)
            if answer is not None and answer.status == 200:
                self.keep(answer.json["refresh_token"])

    def keep(self, token: str) -> None:
        self.used.append(self.token)
        self.token = token


@attrs.define
class Redemptions:
    """Codes, and how far each has come."""

    party: Party
    left: list[str] = attrs.field(factory=list)
    tried: list[str] = attrs.field(factory=list)
    #: code to refresh token.
    answered: dict[str, str] = attrs.field(factory=dict)

    def fetch(self) -> None:
        """Have new codes."""
        self.tried, self.answered = [], {}

        def some() -> None:
            party = self.party.beside()
            self.left += [party.log_in() for _ in range(CODES // 2)]

        together([some, some])

    def redeem_while(self, people: Crowd) -> None:
        party = self.party.beside()
        while people.at_work and self.left:
            code = self.left.pop()
            self.tried.append(code)
            answer = party.redeem(code)
            if answer is not None and answer.status == 200:
                self.answered[code] = answer.json["refresh_token"]


class KillTests(FaultCase):
    """The daemon is killed under load, again and again."""

    def test_RL_01_RL_02_killed_daemon_loses_nothing_and_grants_nothing_twice(self) -> None:
        daemon = self.started()
        holders = [self.holder(daemon) for _ in range(HOLDERS)]
        other = self.party(daemon, client_id="other", secret="other-secret")
        redemptions = Redemptions(other)
        moments = random.Random(1)
        for _ in range(KILLS):
            redemptions.fetch()
            with crowd() as people:
                for holder in holders:
                    people.add(partial(holder.refresh_while, people))
                for _ in range(REDEEMERS):
                    people.add(partial(redemptions.redeem_while, people))
                time.sleep(moments.uniform(0.0, 0.2))
                daemon.kill()
            daemon.start()
            together([partial(self.assert_goes_on, holder) for holder in holders])
            self.assert_each_code_counts_once(redemptions)
        self.assertGreater(sum(len(holder.used) for holder in holders), KILLS, "there was load")
        for holder in holders:
            self.assert_one_branch(holder)
        self.assert_ends_well(daemon)

    def test_RL_01_killed_while_starting(self) -> None:
        daemon, moments = self.daemon(), random.Random(2)
        for _ in range(5):
            daemon.launch()
            time.sleep(moments.uniform(0.2, 0.8))
            daemon.kill()
        daemon.start()
        party = self.party(daemon)
        self.refreshed(party, party.refresh_token())

    def holder(self, daemon: DaemonProcess) -> Holder:
        party = self.party(daemon)
        return Holder(party, party.refresh_token())

    def assert_goes_on(self, holder: Holder) -> None:
        """Their last token is good, or the one before the one that they were never told: always the same."""
        successor = self.refreshed(holder.party, holder.token)
        self.assertEqual(successor, self.refreshed(holder.party, holder.token), "one successor alone")
        holder.keep(successor)

    def assert_one_branch(self, holder: Holder) -> None:
        """What was used before is dead, and presenting it ends what lives (OA-26)."""
        self.refreshed(holder.party, holder.token)
        self.assert_refused(holder.party.refresh(holder.used[-2]))
        self.assert_refused(holder.party.refresh(holder.token))

    def assert_each_code_counts_once(self, redemptions: Redemptions) -> None:
        party = redemptions.party
        for code, token in redemptions.answered.items():
            self.refreshed(party, token)
            self.assert_refused(party.redeem(code))
        for code in redemptions.left:
            self.assertEqual(200, self.status(party, code), "nobody had redeemed it, and it is lost")
        unanswered = [code for code in redemptions.tried if code not in redemptions.answered]
        for code in unanswered:
            self.assertIn(self.status(party, code), (200, 400))
        for code in (*redemptions.left, *unanswered):
            self.assertEqual(400, self.status(party, code), "it was good for a second time")
        redemptions.left.clear()

    def status(self, party: Party, code: str) -> int:
        answer = party.redeem(code)
        assert answer is not None, "no answer"
        return answer.status
