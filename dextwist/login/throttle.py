"""So many wrong guesses in so much time, then none are looked at."""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta

import attrs
from twisted.internet.interfaces import IReactorTime


def network_of(address: str) -> str:
    """Whose guesses count together: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    # A socket that takes both families shows IPv4 peers so (RFC 4291 §2.5.5.2).
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


@attrs.define
class _Period:
    """The guesses of one key since the first of them."""

    ends_at: float
    guesses: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Throttle:
    """Counts guesses by key, in this process's memory.

    A guess is taken before it is looked at and given back if it was right: many at once get no further
    than one after another.
    """

    clock: IReactorTime
    #: wrong guesses of one key
    limit: int
    #: within so much time from the first
    period: timedelta
    #: keys that are remembered; beyond that the oldest is forgotten.
    max_keys: int = 10_000
    #: in the order in which they end, since all last equally long.
    _periods: dict[str, _Period] = attrs.field(factory=dict, init=False, repr=False)

    def take(self, key: str) -> int:
        """Take a guess: 0, or the seconds to wait where there is none left."""
        now = self.clock.seconds()
        while self._periods and self._oldest().ends_at <= now:
            self._forget_oldest()
        period = self._periods.get(key)
        if period is None:
            if len(self._periods) >= self.max_keys:
                self._forget_oldest()
            period = self._periods[key] = _Period(now + self.period.total_seconds())
        if period.guesses >= self.limit:
            return math.ceil(period.ends_at - now)
        period.guesses += 1
        return 0

    def give_back(self, key: str) -> None:
        """The guess was right, or was not looked at."""
        period = self._periods.get(key)
        if period is not None:
            period.guesses -= 1
            if period.guesses <= 0:
                del self._periods[key]

    def _oldest(self) -> _Period:
        return next(iter(self._periods.values()))

    def _forget_oldest(self) -> None:
        del self._periods[next(iter(self._periods))]
