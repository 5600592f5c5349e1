"""What is fetched from an upstream once and kept for a while: its document, its keys."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Generic, TypeVar

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from dextwist.connectors.interface import ConnectorError

T = TypeVar("T")


@attrs.define(kw_only=True, eq=False)
class Kept(Generic[T]):
    """Fetches when first asked. All who ask meanwhile share one fetch, and none who leaves ends it."""

    log: ClassVar[Logger] = Logger()

    #: gives what is kept, or raises ConnectorError.
    fetch: Callable[[], Coroutine[Any, Any, T]]
    clock: IReactorTime
    #: what it is called in the log.
    name: str
    #: seconds after which it is fetched anew; where that fails, the old one goes on to serve.
    max_age: float
    #: seconds between two attempts to replace what is there.
    pause: float = 10.0
    _value: T | None = attrs.field(init=False, default=None)
    _fetched_at: float = attrs.field(init=False, default=0.0)
    _tried_at: float | None = attrs.field(init=False, default=None)
    _fetching: Deferred[T] | None = attrs.field(init=False, default=None)
    _waiting: list[Deferred[T]] = attrs.field(init=False, factory=list)

    async def get(self) -> T:
        """What is kept. Raises ConnectorError where there is nothing and it cannot be had now."""
        value = self._value
        if value is None:
            return await self._fetched()
        if self.clock.seconds() - self._fetched_at < self.max_age:
            return value
        return await self.renewed()

    async def renewed(self) -> T:
        """A new one, unless that was tried just now; the old one where it cannot be had.

        Raises ConnectorError where there is none at all.
        """
        value, now = self._value, self.clock.seconds()
        if value is None:
            return await self._fetched()
        if self._fetching is None:
            if self._tried_at is not None and now - self._tried_at < self.pause:
                return value
            self._tried_at = now
        try:
            return await self._fetched()
        except ConnectorError as error:
            self.log.warn("{name} cannot be renewed: {reason}", name=self.name, reason=str(error))
            return value

    def close(self) -> None:
        """End a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()

    async def _fetched(self) -> T:
        mine: Deferred[T] = Deferred()
        self._waiting.append(mine)
        if self._fetching is None:
            # Known before its end is, which may come at once.
            fetching = self._fetching = Deferred.fromCoroutine(self.fetch())
            fetching.addBoth(self._end)
        return await mine

    def _end(self, outcome: T | Failure) -> None:
        self._fetching = None
        # One whose asker has left has fired already.
        waiting, self._waiting = [each for each in self._waiting if not each.called], []
        if isinstance(outcome, Failure):
            if outcome.check(CancelledError):
                outcome = Failure(ConnectorError(f"{self.name} is not fetched any more", unreachable=True))
            for each in waiting:
                each.errback(outcome)
            return
        self._value, self._fetched_at = outcome, self.clock.seconds()
        for each in waiting:
            each.callback(outcome)
