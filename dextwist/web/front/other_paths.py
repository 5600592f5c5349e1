"""Paths that the table does not know: a twisted.web site answers them, over the same connection."""

from __future__ import annotations

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers as TwistedHeaders
from twisted.web.server import Request as TwistedRequest
from twisted.web.server import Site

from dextwist.web.answering import Incoming
from dextwist.web.http import Response

#: What the front says itself.
_FRAMING = frozenset({b"connection", b"content-length", b"date", b"server", b"transfer-encoding"})


@attrs.frozen
class OtherPaths:
    """Hands requests to a site, one at a time, and collects the answers."""

    site: Site

    def answer(self, incoming: Incoming) -> Deferred[Response]:
        """The site's answer. HEAD is asked as GET: its answer is the same, and sent without the body."""
        channel = _Collector(self.site, IPv4Address("TCP", incoming.peer, 0))
        request = TwistedRequest(channel)
        for name, values in incoming.headers.items():
            for value in values:
                request.requestHeaders.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
        request.gotLength(len(incoming.body))
        request.handleContentChunk(incoming.body)
        method = "GET" if incoming.method == "HEAD" else incoming.method
        # Of HTTP/1.0, so that the answer is not cut into chunks.
        request.requestReceived(method.encode("latin-1"), incoming.target.encode("latin-1"), b"HTTP/1.0")
        return channel.answered


@attrs.define(eq=False)
class _Collector:
    """Plays the channel for one request of twisted.web."""

    site: Site
    peer: IPv4Address
    transport: None = attrs.field(default=None, init=False)
    factory: None = attrs.field(default=None, init=False)
    answered: Deferred[Response] = attrs.field(factory=Deferred, init=False)
    _headers: list[tuple[str, str]] = attrs.field(factory=list, init=False)
    _body: list[bytes] = attrs.field(factory=list, init=False)

    def getPeer(self) -> IPv4Address:
        return self.peer

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "", 0)

    def isSecure(self) -> bool:
        return False

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: TwistedHeaders) -> None:
        self._headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in headers.getAllRawHeaders()
            if name.lower() not in _FRAMING
            for value in values
        ]

    def write(self, data: bytes) -> None:
        self._body.append(data)

    def requestDone(self, request: TwistedRequest) -> None:
        self.answered.callback(Response(request.code, tuple(self._headers), b"".join(self._body)))
