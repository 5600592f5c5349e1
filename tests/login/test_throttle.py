"""Wrong guesses are few."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, strategies
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.login.throttle import Throttle, network_of


class ThrottleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = self.new_throttle()

    def new_throttle(self, max_keys: int = 100) -> Throttle:
        return Throttle(clock=self.clock, limit=3, period=timedelta(minutes=5), max_keys=max_keys)

    def taken(self, key: str = "a", times: int = 1) -> list[int]:
        return [self.throttle.take(key) for _ in range(times)]

    def test_OA_43_so_many_and_no_more(self) -> None:
        self.assertEqual(self.taken(times=5), [0, 0, 0, 300, 300])

    def test_time_to_wait_runs_from_the_first_guess_and_is_rounded_up(self) -> None:
        self.taken()
        self.clock.advance(60.5)
        self.taken(times=2)
        self.assertEqual(self.taken(), [240])

    def test_OA_43_it_lifts_by_itself(self) -> None:
        self.taken(times=3)
        self.clock.advance(299)
        self.assertEqual(self.taken(), [1])
        self.clock.advance(1)
        self.assertEqual(self.taken(times=4), [0, 0, 0, 300])

    def test_others_are_not_in_the_way(self) -> None:
        self.taken(times=4)
        self.assertEqual(self.taken("b"), [0])

    def test_right_guesses_do_not_count(self) -> None:
        for _ in range(20):
            self.assertEqual(self.taken(), [0])
            self.throttle.give_back("a")
        self.assertEqual(self.taken(times=4)[-1], 300)

    def test_guess_that_is_under_way_counts(self) -> None:
        self.taken(times=2)
        self.assertEqual(self.taken(times=2), [0, 300])
        self.throttle.give_back("a")
        self.assertEqual(self.taken(times=2), [0, 300])

    def test_giving_back_after_the_period_gives_nothing_away(self) -> None:
        self.taken()
        self.clock.advance(300)
        self.taken("b")
        self.throttle.give_back("a")
        self.assertEqual(self.taken(times=4), [0, 0, 0, 300])

    def test_memory_is_bounded_and_the_oldest_goes_first(self) -> None:
        self.throttle = self.new_throttle(max_keys=2)
        for key in ("a", "b"):
            self.taken(key, 3)
        self.assertEqual(self.taken("b"), [300])
        self.assertEqual(self.taken("c"), [0])
        self.assertEqual((self.taken("b"), self.taken("a")), ([300], [0]))

    def test_what_has_ended_is_forgotten(self) -> None:
        for number in range(50):
            self.taken(str(number))
        self.clock.advance(300)
        self.taken()
        self.assertEqual(len(self.throttle._periods), 1)


class NetworkTests(SynchronousTestCase):
    def test_one_ipv6_customer_is_one(self) -> None:
        self.assertEqual(network_of("2001:db8:1:2:aaaa::1"), network_of("2001:db8:1:2:bbbb::2"))
        self.assertNotEqual(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"))

    def test_ipv4_addresses_are_told_apart_however_they_are_written(self) -> None:
        self.assertEqual(network_of("192.0.2.1"), "192.0.2.1")
        self.assertEqual(network_of("::ffff:192.0.2.1"), "192.0.2.1")
        self.assertNotEqual(network_of("192.0.2.1"), network_of("192.0.2.2"))

    @given(strategies.text())
    def test_anything_else_is_itself(self, text: str) -> None:
        self.assertIsInstance(network_of(text), str)
        self.assertEqual(network_of("socket " + text), "socket " + text)
