"""Timing storage operations, and saying how they ended."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import CLIENTS, Client
from dextwist.storage.interface import Create, NotFound, StorageUnavailable
from dextwist.storage.measured import MeasuredStorage
from dextwist.storage.memory import MemoryStorage
from dextwist.telemetry.metrics import NoMetrics


@attrs.define
class Recorded(NoMetrics):
    """What was counted."""

    operations: list[tuple[str, str, float]] = attrs.field(factory=list)
    garbage: dict[str, int] = attrs.field(factory=dict)

    def storage_operation_finished(self, *, operation: str, result: str, seconds: float) -> None:
        self.operations.append((operation, result, seconds))

    def garbage_collected(self, *, counts: Mapping[str, int]) -> None:
        self.garbage.update(counts)


class SlowStorage(MemoryStorage):
    """A storage whose check takes until it is told to fail."""

    asked: Deferred[None]

    async def check(self) -> None:
        self.asked = Deferred()
        await self.asked


class MeasuredStorageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.metrics, self.beneath = Clock(), Recorded(), SlowStorage()
        self.storage = MeasuredStorage(storage=self.beneath, metrics=self.metrics, clock=self.clock)

    def test_operations_are_passed_on_and_counted_by_how_they_end(self) -> None:
        app = Client(id="app")
        self.successResultOf(Deferred.fromCoroutine(self.storage.write(Create(CLIENTS, app))))
        self.assertEqual(app, self.successResultOf(Deferred.fromCoroutine(self.storage.get(CLIENTS, "app"))))
        self.failureResultOf(Deferred.fromCoroutine(self.storage.get(CLIENTS, "nobody")), NotFound)
        page = self.successResultOf(Deferred.fromCoroutine(self.storage.page(CLIENTS)))
        self.assertEqual((app,), page.values)
        ended = [(operation, result) for operation, result, _ in self.metrics.operations]
        self.assertEqual([("write", "ok"), ("get", "ok"), ("get", "NotFound"), ("page", "ok")], ended)

    def test_the_time_that_it_took(self) -> None:
        check = Deferred.fromCoroutine(self.storage.check())
        self.clock.advance(1.5)
        self.beneath.asked.errback(StorageUnavailable())
        self.failureResultOf(check, StorageUnavailable)
        self.assertEqual([("check", "StorageUnavailable", 1.5)], self.metrics.operations)
