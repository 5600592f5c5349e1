"""One piece of work at a time for a key."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.single_flight import SingleFlight


class Broken(Exception):
    """What the work came to."""


class SingleFlightTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.flights: SingleFlight[str] = SingleFlight()
        self.works: list[Deferred[str]] = []

    def work(self) -> Deferred[str]:
        self.works.append(Deferred())
        return self.works[-1]

    def run_for(self, key: str = "k") -> Deferred[tuple[str, bool]]:
        return Deferred.fromCoroutine(self.flights.run(key, self.work))

    def test_outcome_is_shared_and_says_whose_work_it_was(self) -> None:
        runs = [self.run_for() for _ in range(3)]
        self.assertEqual(len(self.works), 1)
        self.works[0].callback("done")
        self.assertEqual(
            [self.successResultOf(run) for run in runs], [("done", True), ("done", False), ("done", False)]
        )

    def test_other_keys_do_not_wait(self) -> None:
        one, other = self.run_for("a"), self.run_for("b")
        self.works[1].callback("b is done")
        self.assertEqual(self.successResultOf(other), ("b is done", True))
        self.assertNoResult(one)

    def test_work_that_is_over_is_not_shared(self) -> None:
        self.run_for()
        self.works[0].callback("first")
        second = self.run_for()
        self.works[1].callback("second")
        self.assertEqual(self.successResultOf(second), ("second", True))

    def test_failure_is_shared_and_not_remembered(self) -> None:
        runs = [self.run_for() for _ in range(3)]
        self.works[0].errback(Broken())
        for run in runs:
            self.failureResultOf(run, Broken)
        again = self.run_for()
        self.works[1].callback("done")
        self.assertEqual(self.successResultOf(again), ("done", True))

    def test_work_that_fails_at_once(self) -> None:
        def work() -> Deferred[str]:
            raise Broken

        self.failureResultOf(self.flights.run("k", work), Broken)
        self.assertNoResult(self.run_for())

    def test_waiter_that_gives_up_disturbs_nobody(self) -> None:
        first, second, third = (self.run_for() for _ in range(3))
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.assertFalse(self.works[0].called)
        self.works[0].callback("done")
        self.assertEqual(self.successResultOf(first), ("done", True))
        self.assertEqual(self.successResultOf(third), ("done", False))

    def test_waiter_may_begin_anew_as_soon_as_it_hears(self) -> None:
        async def twice() -> tuple[str, bool]:
            await self.flights.run("k", self.work)
            return await self.flights.run("k", self.work)

        first, waiter, other = self.run_for(), Deferred.fromCoroutine(twice()), self.run_for()
        self.works[0].callback("first")
        self.assertEqual(self.successResultOf(first), ("first", True))
        self.assertEqual(self.successResultOf(other), ("first", False))
        self.works[1].callback("second")
        self.assertEqual(self.successResultOf(waiter), ("second", True))

    def test_nothing_is_kept_of_work_that_is_over(self) -> None:
        one, other = self.run_for("a"), self.run_for("b")
        self.works[0].callback("done")
        self.works[1].errback(Broken())
        self.successResultOf(one)
        self.failureResultOf(other, Broken)
        self.assertEqual(self.flights, SingleFlight())
