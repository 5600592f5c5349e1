"""How many logins of one address are under way."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.login.pending import PendingLogins


class PendingLoginsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.pending = PendingLogins(clock=self.clock, limit=2, lifetime=timedelta(minutes=1), most=4)

    def test_RX_06_the_oldest_of_an_address_gives_way(self) -> None:
        gave_way = [self.pending.begin(name, "192.0.2.1") for name in "abcd"]
        self.assertEqual([None, None, "a", "b"], gave_way)

    def test_RX_06_other_addresses_are_left_alone(self) -> None:
        for name in "ab":
            self.pending.begin(name, "192.0.2.1")
        self.assertIsNone(self.pending.begin("c", "192.0.2.2"))
        self.assertEqual("a", self.pending.begin("d", "192.0.2.1"))

    def test_one_customer_of_ipv6_is_one_address(self) -> None:
        gave_way = [self.pending.begin(str(n), f"2001:db8::{n}") for n in range(3)]
        self.assertEqual([None, None, "0"], gave_way)

    def test_finished_logins_make_room(self) -> None:
        for name in "ab":
            self.pending.begin(name, "192.0.2.1")
        self.pending.end("a")
        self.pending.end("never begun")
        self.assertIsNone(self.pending.begin("c", "192.0.2.1"))
        self.assertEqual("b", self.pending.begin("d", "192.0.2.1"))

    def test_expired_logins_make_room(self) -> None:
        for name in "ab":
            self.pending.begin(name, "192.0.2.1")
        self.clock.advance(60)
        self.assertIsNone(self.pending.begin("c", "192.0.2.1"))

    @given(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(["192.0.2.1", "192.0.2.2", "x"]), st.booleans()),
            max_size=60,
        )
    )
    def test_memory_is_bounded_whatever_comes(self, steps: list[tuple[int, str, bool]]) -> None:
        pending = PendingLogins(clock=Clock(), limit=3, lifetime=timedelta(minutes=1), most=5)
        under_way: dict[str, list[str]] = {}
        for number, (login, address, ends) in enumerate(steps):
            name = f"{login}-{number}"
            gave_way = pending.begin(name, address)
            of_address = under_way.setdefault(address, [])
            if gave_way is not None:
                self.assertEqual(of_address.pop(0), gave_way)
            of_address.append(name)
            if ends:
                pending.end(of_address.pop())
            under_way[address] = [each for each in of_address if each in pending._logins]
            self.assertLessEqual(len(pending._logins), 5)
            self.assertLessEqual(len(under_way[address]), 3)
