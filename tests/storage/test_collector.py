"""The garbage collector's round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.times import to_milliseconds, utc_now
from dextwist.storage.collector import Collector
from dextwist.storage.interface import Create, NotFound, StorageUnavailable
from dextwist.storage.memory import MemoryStorage
from tests.storage.samples import expiring

MINUTE = 60


class FailingStorage(MemoryStorage):
    """A storage whose collection ends with what it is told; None: with the counts."""

    outcome: Exception | Deferred[None] | None = None
    runs: int = 0

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        self.runs += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            await self.outcome
        return await super().collect_garbage(now)


class CollectorTests(SynchronousTestCase):
    """A collector every five minutes, with a clock that the tests move."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.storage = FailingStorage()
        self.random = 0.5
        self.collector = Collector(storage=self.storage, clock=self.clock, random=lambda: self.random)
        self.collector.startService()
        self.addCleanup(self.collector.stopService)

    def store(self, kind: Any, seconds: float) -> str:
        """A value of the kind that expires so many seconds from now; its key."""
        value = expiring(kind, utc_now(self.clock) + timedelta(seconds=seconds))
        self.successResultOf(self.storage.write(Create(kind, value)))
        return str(value.id)

    def logged(self, minutes: float) -> list[Any]:
        """What is logged while so many minutes pass."""
        with capturedLogs() as events:
            self.clock.advance(minutes * MINUTE)
        return [event for event in events if event.get("log_namespace", "").startswith("dextwist")]

    def test_first_run_is_after_one_period(self) -> None:
        key = self.store(AUTH_CODES, 1)
        self.logged(4.9)
        self.successResultOf(self.storage.get(AUTH_CODES, key))
        self.logged(0.2)
        self.failureResultOf(self.storage.get(AUTH_CODES, key), NotFound)

    def test_runs_go_on_period_after_period(self) -> None:
        for _ in range(4):
            self.logged(5)
        self.assertEqual(self.storage.runs, 4)

    def test_pauses_differ_by_a_fifth_either_way(self) -> None:
        for random, minutes in ((0.0, 4), (0.999999, 6)):
            self.random = random
            self.logged(5)
            runs = self.storage.runs
            self.logged(minutes - 0.1)
            self.assertEqual(self.storage.runs, runs)
            self.logged(0.1)
            self.assertEqual(self.storage.runs, runs + 1)
            self.random = 0.5
            self.logged(minutes)

    def test_run_that_removed_something_logs_the_counts(self) -> None:
        self.store(AUTH_CODES, 1)
        self.store(AUTH_REQUESTS, 1)
        (event,) = self.logged(5)
        self.assertEqual(event["log_format"], "garbage collection run, delete auth")
        self.assertEqual((event["requests"], event["auth_codes"]), (1, 1))
        self.assertEqual(self.logged(5), [])

    def test_clock_of_the_server_decides(self) -> None:
        self.clock.advance(to_milliseconds(datetime.fromisoformat("2026-08-01T00:00:00Z")) / 1000)
        key = self.store(AUTH_CODES, 5 * MINUTE + 1)
        self.logged(5)
        self.successResultOf(self.storage.get(AUTH_CODES, key))

    def test_failed_run_is_logged_and_the_next_one_comes(self) -> None:
        self.storage.outcome = StorageUnavailable("the disk is full")
        (event,) = self.logged(5)
        self.assertEqual(
            (event["log_format"], event["err"], event["log_level"]),
            ("garbage collection failed", "the disk is full", LogLevel.error),
        )
        self.storage.outcome = None
        self.store(AUTH_CODES, 1)
        self.assertEqual(len(self.logged(5)), 1)

    def test_run_that_ends_with_a_bug_is_logged_and_the_next_one_comes(self) -> None:
        self.storage.outcome = ZeroDivisionError()
        (event,) = self.logged(5)
        self.assertEqual(event["log_format"], "garbage collection failed")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.storage.outcome = None
        self.logged(5)
        self.assertEqual(self.storage.runs, 2)

    def test_stopped_collector_collects_no_more(self) -> None:
        self.collector.stopService()
        self.logged(60)
        self.assertEqual(self.storage.runs, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_collector_stopped_in_the_middle_of_a_run_ends_it(self) -> None:
        self.storage.outcome = Deferred()
        self.logged(5)
        self.assertEqual(self.storage.runs, 1)
        self.collector.stopService()
        self.assertTrue(self.storage.outcome.called)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_collector_can_be_started_again(self) -> None:
        self.collector.stopService()
        self.collector.startService()
        self.logged(5)
        self.assertEqual(self.storage.runs, 1)
