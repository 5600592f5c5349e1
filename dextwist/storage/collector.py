"""The garbage collector: every few minutes, what has expired is removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import attrs
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from dextwist.model.times import utc_now
from dextwist.storage.interface import Storage, StorageError


@attrs.define(kw_only=True, eq=False)
class Collector(Service):
    """Collects about once a period for as long as the service runs, whatever happens to a run.

    Nobody relies on it: whoever reads a value compares its expiry. Several servers on one storage may
    all collect; each counts what it removed.
    """

    log: ClassVar[Logger] = Logger()

    storage: Storage
    clock: IReactorTime
    #: evenly between 0 and 1: a pause is 20 % shorter to 20 % longer than the period, so that
    #: servers started together do not collect together.
    random: Callable[[], float]
    period: timedelta = timedelta(minutes=5)
    _work: Deferred[None] | None = attrs.field(init=False, default=None)

    def startService(self) -> None:
        """Begin with a pause: a server that starts has better things to do."""
        super().startService()
        self._work = Deferred.fromCoroutine(self._collect_for_ever())

    def stopService(self) -> None:
        """End now, also in the middle of a run; what is left waits for the next one."""
        super().stopService()
        if self._work is not None:
            self._work.addErrback(lambda failure: failure.trap(CancelledError))
            self._work.cancel()
            self._work = None

    async def _collect_for_ever(self) -> None:
        while True:
            await deferLater(self.clock, self.period.total_seconds() * (0.8 + 0.4 * self.random()))
            try:
                await self._collect()
            except StorageError as error:
                self.log.error("garbage collection failed", err=str(error))
            except CancelledError:
                raise
            except Exception:
                self.log.failure("garbage collection failed")

    async def _collect(self) -> None:
        counts = await self.storage.collect_garbage(utc_now(self.clock))
        if any(counts.values()):
            # Operators' dashboards know the logins under way as "requests".
            removed = {f"{name}s": count for name, count in counts.items()}
            removed["requests"] = removed.pop("auth_requests", 0)
            self.log.info("garbage collection run, delete auth", **removed)
