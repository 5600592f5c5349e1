"""One piece of work at a time for a key: who comes meanwhile waits for it instead of repeating it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

R = TypeVar("R")


@attrs.define
class SingleFlight(Generic[R]):
    """Shares the outcome of work under way among those who want the same."""

    _flights: dict[str, list[Deferred[R]]] = attrs.field(factory=dict, init=False)

    async def run(self, key: str, work: Callable[[], Awaitable[R]]) -> tuple[R, bool]:
        """The outcome, and whether this call did the work itself. Failures are shared too."""
        if key in self._flights:
            waiting: Deferred[R] = Deferred()
            self._flights[key].append(waiting)
            return await waiting, False
        self._flights[key] = []
        try:
            outcome = await work()
        except BaseException:
            failure = Failure()
            for waiter in self._flights.pop(key):
                waiter.errback(failure)
            raise
        for waiter in self._flights.pop(key):
            waiter.callback(outcome)
        return outcome, True
