"""A connection through an HTTP proxy (RFC 9110 §9.3.6)."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

#: Octets of the proxy's answer to CONNECT that are looked at.
_MAX_HEAD = 16 * 1024


class TunnelRefused(ConnectError):
    """The proxy gives no tunnel."""


@implementer(IStreamClientEndpoint)
@attrs.frozen(kw_only=True)
class TunnelEndpoint:
    """Connects to a host and port through a proxy's CONNECT."""

    proxy: IStreamClientEndpoint
    host: str
    port: int
    #: the value of `Proxy-Authorization`, or empty.
    authorization: str = attrs.field(default="", repr=False)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """The protocol, once the tunnel stands."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> Any:
        tunnel: Any = await self.proxy.connect(Factory.forProtocol(lambda: _Tunnel(factory, self._request())))
        return await tunnel.standing()

    def _request(self) -> bytes:
        authority = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if self.authorization:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Tunnel(Protocol):
    """Asks for the tunnel, and then is nothing but a pipe between the transport and the real protocol."""

    transport: Any = None

    def __init__(self, factory: IProtocolFactory, request: bytes) -> None:
        self._factory, self._request = factory, request
        self._head = b""
        self._inner: Any = None
        self._standing: Deferred[Any] | None = Deferred(lambda _: self._give_up())

    async def standing(self) -> Any:
        """The real protocol. Raises ConnectError, ConnectionDone, ConnectionLost."""
        assert self._standing is not None
        return await self._standing

    def connectionMade(self) -> None:
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        self._head += data
        head, end, _ = self._head.partition(b"\r\n\r\n")
        if end:
            self._answered(head.split(b"\r\n", 1)[0], self._head[len(head) + len(end) :])
        elif len(self._head) > _MAX_HEAD:
            self._refuse("the proxy's answer does not end")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif self._standing is not None:
            standing, self._standing = self._standing, None
            standing.errback(reason)

    def _answered(self, status_line: bytes, rest: bytes) -> None:
        words = status_line.split(b" ", 2)
        # What comes before we have spoken can only be the proxy's own words.
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or words[1] != b"200" or rest:
            self._refuse(f"the proxy answered {status_line[:100]!r}")
            return
        self._inner = self._factory.buildProtocol(self.transport.getPeer())
        standing, self._standing = self._standing, None
        self._inner.makeConnection(self.transport)
        assert standing is not None
        standing.callback(self._inner)

    def _refuse(self, problem: str) -> None:
        standing, self._standing = self._standing, None
        self._abort()
        if standing is not None:
            standing.errback(TunnelRefused(string=problem))

    def _give_up(self) -> None:
        self._standing = None
        self._abort()

    def _abort(self) -> None:
        self.transport.abortConnection()
