"""The circuit breaker: an upstream that does not answer is left alone for a while."""

from __future__ import annotations

import attrs
from twisted.internet.interfaces import IReactorTime


@attrs.define(kw_only=True, eq=False)
class Breaker:
    """Counts the failures of one upstream host; any answer counts them down to none.

    One failure alone never keeps the next call from being tried.
    """

    clock: IReactorTime
    #: failures in a row that open it.
    limit: int = 5
    #: seconds for which it stays open, and then lets one call through at a time.
    pause: float = 10.0
    _failures: int = attrs.field(init=False, default=0)
    _open_until: float = attrs.field(init=False, default=0.0)
    _trial_under_way: bool = attrs.field(init=False, default=False)

    def enter(self) -> bool:
        """Whether a call may be made now. Whoever made one says what became of it, and leaves."""
        if self._failures < self.limit:
            return True
        if self._trial_under_way or self.clock.seconds() < self._open_until:
            return False
        self._trial_under_way = True
        return True

    def answered(self) -> None:
        """The call was answered, with whatever status."""
        self._failures = 0

    def failed(self) -> None:
        """The upstream could not be reached, or did not answer in time."""
        self._failures += 1
        self._open_until = self.clock.seconds() + self.pause

    def leave(self) -> None:
        """The call is over."""
        self._trial_under_way = False
