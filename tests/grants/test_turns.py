"""Turns: one at a time for a key."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.turns import Turns


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.turns = Turns()
        self.began: list[str] = []

    def work(self, key: str, name: str, until: Deferred[None]) -> Deferred[None]:
        async def in_turn() -> None:
            async with self.turns.of(key):
                self.began.append(name)
                await until

        return Deferred.fromCoroutine(in_turn())

    def test_one_key_in_the_order_of_asking(self) -> None:
        ends: list[Deferred[None]] = [Deferred() for _ in range(3)]
        done = [self.work("a", str(index), end) for index, end in enumerate(ends)]
        for index, end in enumerate(ends):
            self.assertEqual(self.began, [str(each) for each in range(index + 1)])
            self.assertNoResult(done[index])
            end.callback(None)
            self.successResultOf(done[index])

    def test_other_keys_do_not_wait(self) -> None:
        first = self.work("a", "a", Deferred())
        self.work("b", "b", Deferred())
        self.assertEqual(self.began, ["a", "b"])
        self.assertNoResult(first)

    def test_failure_and_leaving_pass_the_turn_on(self) -> None:
        failing: Deferred[None] = Deferred()
        first, second = self.work("a", "first", failing), self.work("a", "second", Deferred())
        third = self.work("a", "third", Deferred())
        second.cancel()
        self.failureResultOf(second, CancelledError)
        failing.errback(ZeroDivisionError())
        self.failureResultOf(first, ZeroDivisionError)
        self.assertEqual(self.began, ["first", "third"])
        third.cancel()
        self.failureResultOf(third, CancelledError)

    def test_nothing_is_kept_of_keys_that_nobody_uses(self) -> None:
        end: Deferred[None] = Deferred()
        done = self.work("a", "a", end)
        end.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.turns, Turns())
