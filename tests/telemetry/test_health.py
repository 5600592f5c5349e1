"""The storage is watched; its state is told at once and truly."""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.storage.interface import StorageUnavailable
from dextwist.telemetry.health import Health, health_report, short_health_report


@attrs.define
class FakeStorage:
    """Answers a check as it is told to."""

    error: Exception | None = None
    hangs: bool = False
    checks: int = 0

    async def check(self) -> None:
        self.checks += 1
        if self.hangs:
            await Deferred()
        if self.error is not None:
            raise self.error


class HealthTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.storage = FakeStorage()
        self.health = Health(storage=self.storage, clock=self.clock)

    def start(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.health.start()))

    def test_unknown_is_healthy_but_not_ready(self) -> None:
        self.assertTrue(self.health.healthy)
        self.assertFalse(self.health.ready)
        self.assertEqual(health_report(self.health), {})
        self.assertEqual(short_health_report(self.health), {})

    def test_first_check_has_ended_when_it_has_started(self) -> None:
        self.start()
        self.assertTrue(self.health.ready)
        self.assertEqual(self.storage.checks, 1)

    def test_start_waits_for_a_slow_first_check_no_longer_than_the_time_out(self) -> None:
        self.storage.hangs = True
        started = Deferred.fromCoroutine(self.health.start())
        self.assertNoResult(started)
        self.clock.advance(2)
        self.successResultOf(started)
        self.assertFalse(self.health.healthy)

    def test_RL_05_storage_that_goes_away_shows_within_five_seconds_and_so_does_its_return(self) -> None:
        self.start()
        for change in ({"hangs": True}, {"error": StorageUnavailable("gone")}):
            for name, value in change.items():
                setattr(self.storage, name, value)
            self.clock.pump([0.1] * 49)
            self.assertFalse(self.health.ready)
            self.assertFalse(self.health.healthy)
            self.storage.hangs, self.storage.error = False, None
            self.clock.pump([0.1] * 49)
            self.assertTrue(self.health.ready)

    def test_unexpected_exception_counts_as_failure_and_does_not_end_the_checks(self) -> None:
        self.storage.error = ZeroDivisionError("bug")
        self.start()
        self.assertFalse(self.health.healthy)
        self.storage.error = None
        self.clock.advance(3)
        self.assertTrue(self.health.healthy)

    def test_checks_do_not_overlap(self) -> None:
        self.start()
        self.storage.hangs = True
        self.clock.advance(3)
        self.clock.advance(1)
        self.assertEqual(self.storage.checks, 2)

    def test_no_checks_after_stop(self) -> None:
        self.start()
        self.successResultOf(Deferred.fromCoroutine(self.health.stop()))
        self.clock.advance(60)
        self.assertEqual(self.storage.checks, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_before_start_is_nothing(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.health.stop()))

    def test_only_changes_are_logged(self) -> None:
        self.start()
        self.storage.error = StorageUnavailable("locked")
        with capturedLogs() as events:
            self.clock.pump([3, 3, 3])
            self.storage.error = None
            self.clock.pump([3, 3])
        told = [(event["log_level"].name, str(event.get("err"))) for event in events]
        self.assertEqual(told, [("error", "locked"), ("info", "None")])


class ReportTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.storage = FakeStorage()
        self.health = Health(storage=self.storage, clock=self.clock)

    def test_passing(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.health.start()))
        self.assertEqual(
            health_report(self.health),
            {
                "storage": {
                    "message": "the storage accepts writes",
                    "timestamp": "1970-01-12T13:46:40.000+00:00",
                    "duration": 0,
                    "contiguousFailures": 0,
                    "timeOfFirstFailure": None,
                }
            },
        )
        self.assertEqual(short_health_report(self.health), {"storage": "PASS"})

    def test_failing_counts_and_remembers_since_when_and_tells_strangers_nothing(self) -> None:
        self.storage.error = StorageUnavailable("password=hunter2 host=db.internal")
        self.successResultOf(Deferred.fromCoroutine(self.health.start()))
        self.clock.advance(3)
        report = health_report(self.health)
        self.assertEqual(
            report,
            {
                "storage": {
                    "error": {"message": "the storage does not accept writes"},
                    "timestamp": "1970-01-12T13:46:43.000+00:00",
                    "duration": 0,
                    "contiguousFailures": 2,
                    "timeOfFirstFailure": "1970-01-12T13:46:40.000+00:00",
                }
            },
        )
        self.assertEqual(short_health_report(self.health), {"storage": "FAIL"})

    def test_duration_is_in_nanoseconds(self) -> None:
        self.storage.hangs = True
        started = Deferred.fromCoroutine(self.health.start())
        self.clock.advance(2)
        self.successResultOf(started)
        self.assertEqual(health_report(self.health)["storage"]["duration"], 2_000_000_000)
