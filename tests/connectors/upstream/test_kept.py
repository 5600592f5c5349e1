"""What is fetched once and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.kept import Kept

ERROR = ConnectorError("away")


class KeptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.fetches: list[Deferred[str]] = []
        self.kept: Kept[str] = Kept(fetch=self.fetch, clock=self.clock, name="it", max_age=100.0)

    async def fetch(self) -> str:
        self.fetches.append(Deferred())
        return await self.fetches[-1]

    def get(self) -> Deferred[str]:
        return Deferred.fromCoroutine(self.kept.get())

    def renewed(self) -> Deferred[str]:
        return Deferred.fromCoroutine(self.kept.renewed())

    def have(self, value: str) -> None:
        getting = self.get()
        self.fetches[-1].callback(value)
        self.assertEqual(self.successResultOf(getting), value)

    def test_one_fetch_is_shared_by_all_and_kept(self) -> None:
        first, second = self.get(), self.get()
        self.fetches[0].callback("a")
        third = self.get()
        self.assertEqual([self.successResultOf(each) for each in (first, second, third)], ["a"] * 3)
        self.assertEqual(len(self.fetches), 1)

    def test_failure_is_shared_and_not_kept(self) -> None:
        first, second = self.get(), self.get()
        self.fetches[0].errback(ERROR)
        for each in (first, second):
            self.failureResultOf(each, ConnectorError)
        self.have("a")

    def test_failure_that_comes_at_once_leaves_nobody_waiting(self) -> None:
        async def fail() -> str:
            raise ERROR

        kept: Kept[str] = Kept(fetch=fail, clock=self.clock, name="it", max_age=100.0)
        for _ in range(3):
            self.failureResultOf(Deferred.fromCoroutine(kept.get()), ConnectorError)

    def test_who_leaves_does_not_end_it_for_the_others(self) -> None:
        leaving, staying = self.get(), self.get()
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        self.fetches[0].callback("a")
        self.assertEqual(self.successResultOf(staying), "a")

    def test_old_one_is_renewed_and_serves_where_that_fails(self) -> None:
        self.have("a")
        self.clock.advance(100)
        getting = self.get()
        self.fetches[-1].errback(ERROR)
        self.assertEqual(self.successResultOf(getting), "a")
        # And is not tried again at once.
        self.assertEqual(self.successResultOf(self.get()), "a")
        self.clock.advance(10)
        getting = self.get()
        self.fetches[-1].callback("b")
        self.assertEqual(self.successResultOf(getting), "b")

    def test_it_is_renewed_on_demand_but_not_too_often(self) -> None:
        self.have("a")
        asking: list[Callable[[], Any]] = [self.renewed, self.renewed]
        both = [ask() for ask in asking]
        self.assertEqual(len(self.fetches), 2)
        self.fetches[-1].callback("b")
        self.assertEqual([self.successResultOf(each) for each in both], ["b", "b"])
        self.assertEqual((self.successResultOf(self.renewed()), len(self.fetches)), ("b", 2))
        self.clock.advance(10)
        self.renewed()
        self.assertEqual(len(self.fetches), 3)

    def test_renewing_what_is_not_there_is_fetching_it(self) -> None:
        failing = self.renewed()
        self.fetches[-1].errback(ERROR)
        self.failureResultOf(failing, ConnectorError)

    def test_closing_ends_a_fetch(self) -> None:
        getting = self.get()
        self.kept.close()
        self.assertTrue(self.failureResultOf(getting, ConnectorError).value.unreachable)
        self.kept.close()
