"""Which requests are being answered, so that stopping can wait for them."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
from twisted.internet import defer
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import HTTPChannel, Request
from twisted.web.server import Site


@attrs.define(eq=False)
class RequestsUnderWay:
    """The requests of the sites it watches, from their first line to the end of their answer."""

    log: ClassVar[Logger] = Logger()

    _requests: set[Request] = attrs.field(factory=set, init=False)
    #: fires with the last request; there once somebody waits.
    _drained: defer.Deferred[None] | None = attrs.field(default=None, init=False)

    def watch(self, site: Site) -> None:
        """Know of every request that the site will get."""
        make = site.requestFactory

        def made(channel: HTTPChannel, *args: Any, **kwargs: Any) -> Request:
            request = make(channel, *args, **kwargs)
            self._requests.add(request)
            request.notifyFinish().addBoth(self._ended, request, channel)
            return request

        site.requestFactory = made  # type: ignore[assignment] # anything that makes one will do

    async def drain(self, *, timeout: float, clock: IReactorTime) -> None:
        """Wait for the requests under way, so long at most; connections end with their answer from now on."""
        self._drained = defer.Deferred()
        self._drained.addTimeout(timeout, clock)
        self._tell_if_drained()
        try:
            await self._drained
        except defer.TimeoutError:
            self.log.warn("{count} requests are cut off: they did not end in time", count=len(self._requests))

    def _ended(self, _how: object, request: Request, channel: HTTPChannel) -> None:
        self._requests.discard(request)
        if self._drained is not None:
            channel.loseConnection()
            self._tell_if_drained()

    def _tell_if_drained(self) -> None:
        if not self._requests and self._drained is not None and not self._drained.called:
            self._drained.callback(None)
