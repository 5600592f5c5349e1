"""Whether the daemon can do its work: the storage is asked all the time, and the last answer is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Protocol

import attrs
from twisted.internet import defer
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dextwist.model.times import utc_now


class Checkable(Protocol):
    """What can say whether it works: a storage."""

    async def check(self) -> None:
        """Return if a write would be accepted now; raise otherwise."""


@attrs.frozen(kw_only=True)
class CheckResult:
    """How a check ended."""

    #: why it failed, in words fit for strangers; empty where it passed.
    error: str
    checked_at: datetime
    seconds: float
    contiguous_failures: int
    first_failed_at: datetime | None

    @property
    def passed(self) -> bool:
        return not self.error


@attrs.define(kw_only=True)
class Health:
    """Checks the storage in the background; nobody who asks for the health waits for it.

    Interval and time-out together are how long the storage can be away before that shows: less than
    five seconds (RL-05).
    """

    log: ClassVar[Logger] = Logger()

    storage: Checkable
    clock: IReactorTime
    interval: float = 2.5
    timeout: float = 2
    #: None until the first check has ended.
    last: CheckResult | None = attrs.field(default=None, init=False)
    _loop: LoopingCall = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = LoopingCall(lambda: defer.Deferred.fromCoroutine(self._check()))
        self._loop.clock = self.clock

    async def start(self) -> None:
        """Check once, and then again and again."""
        await self._check()
        self._loop.start(self.interval, now=False)

    async def stop(self) -> None:
        """No more checks."""
        if self._loop.running:
            self._loop.stop()

    @property
    def healthy(self) -> bool:
        """Nothing is known to be wrong."""
        return self.last is None or self.last.passed

    @property
    def ready(self) -> bool:
        """All is known to be well."""
        return self.last is not None and self.last.passed

    async def _check(self) -> None:
        began_at = self.clock.seconds()
        problem, cause = "", None
        try:
            await defer.Deferred.fromCoroutine(self.storage.check()).addTimeout(self.timeout, self.clock)
        except defer.TimeoutError:
            problem = "the storage does not answer in time"
        except Exception as error:
            # Whatever it is: a check that cannot end well has failed, and the next one must follow.
            problem, cause = "the storage does not accept writes", error
        if bool(problem) == self.healthy:
            self._tell_change(problem, cause)
        self.last = self._result(problem, self.clock.seconds() - began_at)

    def _result(self, problem: str, seconds: float) -> CheckResult:
        now = utc_now(self.clock)
        failures, first = 0, None
        if problem:
            failures, first = 1, now
            if self.last is not None and not self.last.passed:
                failures, first = self.last.contiguous_failures + 1, self.last.first_failed_at
        return CheckResult(
            error=problem,
            checked_at=now,
            seconds=seconds,
            contiguous_failures=failures,
            first_failed_at=first,
        )

    def _tell_change(self, problem: str, cause: Exception | None) -> None:
        if problem:
            self.log.error("{problem}; not ready", problem=problem, err=cause)
        else:
            self.log.info("the storage accepts writes again; ready")


def health_report(health: Health) -> dict[str, Any]:
    """All checks by name, as the telemetry listener tells them."""
    last = health.last
    if last is None:
        return {}
    report: dict[str, Any] = {
        "timestamp": last.checked_at.isoformat(timespec="milliseconds"),
        # Durations are whole nanoseconds, as dex writes them.
        "duration": round(last.seconds * 1e9),
        "contiguousFailures": last.contiguous_failures,
        "timeOfFirstFailure": last.first_failed_at
        and last.first_failed_at.isoformat(timespec="milliseconds"),
    }
    if last.passed:
        report["message"] = "the storage accepts writes"
    else:
        report["error"] = {"message": last.error}
    return {"storage": report}


def short_health_report(health: Health) -> dict[str, str]:
    """The same in one word a check."""
    return {} if health.last is None else {"storage": "PASS" if health.last.passed else "FAIL"}
