"""Logins that were begun and not finished: so many an address, then the oldest gives way to the newest."""

from __future__ import annotations

from datetime import timedelta

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.login.throttle import network_of


@attrs.frozen
class _Pending:
    network: str
    expires_at: float


@attrs.frozen(kw_only=True, eq=False)
class PendingLogins:
    """Counts the logins under way by network, in this process's memory.

    Nobody is refused: a flood from one address only ends its own logins, the oldest first.
    """

    clock: IReactorTime
    #: logins under way from one network.
    limit: int
    #: how long a login may take.
    lifetime: timedelta
    #: logins that are remembered in all; beyond that the oldest is forgotten, and expires by itself.
    most: int = 50_000
    #: by the id of the stored login, the oldest first.
    _logins: dict[str, _Pending] = attrs.field(factory=dict, init=False, repr=False)
    _of_network: dict[str, dict[str, None]] = attrs.field(factory=dict, init=False, repr=False)

    def begin(self, login_id: str, address: str) -> str | None:
        """Count a login; the id of the one that must give way to it, if any."""
        now = self.clock.seconds()
        while self._logins:
            oldest = next(iter(self._logins))
            if self._logins[oldest].expires_at > now and len(self._logins) < self.most:
                break
            self.end(oldest)
        network = network_of(address)
        same = self._of_network.setdefault(network, {})
        giving_way = next(iter(same)) if len(same) >= self.limit else None
        if giving_way is not None:
            self.end(giving_way)
        self._logins[login_id] = _Pending(network, now + self.lifetime.total_seconds())
        self._of_network.setdefault(network, {})[login_id] = None
        return giving_way

    def end(self, login_id: str) -> None:
        """The login was finished, or is no more."""
        login = self._logins.pop(login_id, None)
        if login is None:
            return
        same = self._of_network[login.network]
        del same[login_id]
        if not same:
            del self._of_network[login.network]
