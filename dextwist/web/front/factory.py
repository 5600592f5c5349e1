"""What all connections of the public listener share."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import attrs
from twisted.internet import defer
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from dextwist.telemetry.metrics import Metrics
from dextwist.web.answering import Answering, Incoming
from dextwist.web.completion import begun
from dextwist.web.front.channel import FrontChannel
from dextwist.web.front.limits import Limits
from dextwist.web.front.other_paths import OtherPaths
from dextwist.web.front.refusal import Refused
from dextwist.web.front.table import RouteTable
from dextwist.web.front.wire import Dates
from dextwist.web.http import Headers, Response

#: How often deadlines are looked at.
_SWEEP_SECONDS = 1.0
#: Connections beyond the limit that are told so; more of them are closed without a word.
_TOLD_AT_ONCE = 100
#: How long connections that were cut off have for taking the last word.
_LAST_WORD_SECONDS = 1.0
_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@attrs.define(kw_only=True, eq=False)
class FrontFactory(Factory[FrontChannel]):
    """Makes the connections' protocols, watches their time and number, and stops in order."""

    noisy = False
    log: ClassVar[Logger] = Logger()

    clock: IReactorTime
    answering: Answering
    metrics: Metrics
    limits: Limits
    table: RouteTable
    other_paths: OtherPaths
    dates: Dates = attrs.field(factory=Dates, init=False)
    #: the connections on which nothing is going on, the longest-idle one first.
    idle: dict[FrontChannel, None] = attrs.field(factory=dict, init=False)
    draining: bool = attrs.field(default=False, init=False)
    _connections: dict[FrontChannel, None] = attrs.field(factory=dict, init=False)
    _per_address: Counter[str] = attrs.field(factory=Counter, init=False)
    _next_sweep: IDelayedCall | None = attrs.field(default=None, init=False)
    #: fires when no connection is left; there once somebody waits.
    _emptied: defer.Deferred[None] | None = attrs.field(default=None, init=False)

    def buildProtocol(self, addr: IAddress | None) -> FrontChannel:
        return FrontChannel(self, str(getattr(addr, "host", "")))

    # -- for the connections

    @property
    def is_overrun(self) -> bool:
        """Whether a new connection cannot even be told that it is one too many."""
        return self.draining or len(self._connections) >= self.limits.max_connections + _TOLD_AT_ONCE

    def admit(self, channel: FrontChannel) -> Refused | None:
        """Count a new connection; why it cannot be served, if so."""
        limits, refused = self.limits, None
        if 0 < limits.max_connections_per_address <= self._per_address[channel.peer]:
            refused = self._busy("maxConnectionsPerAddress")
        elif len(self._connections) >= limits.max_connections:
            if self.idle:
                self.metrics.limit_hit(limit="maxConnections")
                next(iter(self.idle)).close_idle()
            else:
                refused = self._busy("maxConnections")
        self._connections[channel] = None
        self._per_address[channel.peer] += 1
        self.metrics.connections_open(count=len(self._connections))
        if self._next_sweep is None:
            self._next_sweep = self.clock.callLater(_SWEEP_SECONDS, self._sweep)
        return refused

    def forget(self, channel: FrontChannel) -> None:
        """A connection is no more."""
        if channel not in self._connections:
            return
        del self._connections[channel]
        self._per_address[channel.peer] -= 1
        if not self._per_address[channel.peer]:
            del self._per_address[channel.peer]
        self.metrics.connections_open(count=len(self._connections))
        if self._connections:
            return
        if self._next_sweep is not None:
            self._next_sweep.cancel()
            self._next_sweep = None
        if self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def answer(self, incoming: Incoming) -> Response | defer.Deferred[Response]:
        """The answer to a request; it comes even if the client has gone. Never fails."""
        route = self.table.find(incoming.target.partition("?")[0])
        if route is None:
            return self.other_paths.answer(incoming)
        try:
            answer = begun(self.answering.respond(incoming, route))
        except Exception:
            return self._bug(Failure())
        return answer.addErrback(self._bug) if isinstance(answer, defer.Deferred) else answer

    def _bug(self, failure: Failure) -> Response:
        self.log.failure("request failed", failure)
        return self.answering.finished(Response(500, (_TEXT,), b"Something went wrong on the server.\n"))

    def refusal(self, refused: Refused) -> Response:
        """What a client is told in the endpoint's place."""
        self.metrics.request_refused(status=refused.status)
        if refused.limit:
            self.metrics.limit_hit(limit=refused.limit)
        headers: Headers = (_TEXT, ("Cache-Control", "no-store"))
        if refused.retry_after is not None:
            headers = (*headers, ("Retry-After", str(refused.retry_after)))
        return self.answering.finished(Response(refused.status, headers, f"{refused}\n".encode()))

    def _busy(self, limit: str) -> Refused:
        return Refused(503, "There are too many connections.", limit, retry_after=5)

    def _sweep(self) -> None:
        """One timer for all: resetting one a request would cost more than this."""
        now = self.clock.seconds()
        self._next_sweep = self.clock.callLater(_SWEEP_SECONDS, self._sweep)
        for channel in [each for each in self._connections if each.deadline <= now]:
            channel.expire()

    # -- stopping

    async def drain(self, *, timeout: float) -> None:
        """Finish what is under way, so long at most; every connection ends with its answer from now on."""
        self.draining = True
        for channel in list(self.idle):
            channel.close_idle()
        if await self._empty_within(timeout):
            return
        under_way = [channel for channel in self._connections if channel.is_asked]
        self.log.warn("{count} requests are cut off: they did not end in time", count=len(under_way))
        for channel in list(self._connections):
            channel.cut_off()
        await self._empty_within(_LAST_WORD_SECONDS)

    async def _empty_within(self, seconds: float) -> bool:
        if self._connections:
            self._emptied = defer.Deferred()
            self._emptied.addTimeout(seconds, self.clock)
            try:
                await self._emptied
            except defer.TimeoutError:
                self._emptied = None
                return False
        return True
