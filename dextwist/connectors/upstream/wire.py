"""One request and its answer, over a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import attrs
from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    URI,
    Agent,
    FileBodyProducer,
    HTTPConnectionPool,
    ProxyAgent,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from dextwist.connectors.upstream.proxies import Proxies, Proxy
from dextwist.connectors.upstream.tunnel import TunnelEndpoint

#: Seconds in which a connection must stand.
CONNECT_TIMEOUT = 5.0
#: Octets of the longest body that is read.
MAX_BODY = 2 * 1024 * 1024

#: What a request fails with where the network or the other side is to blame.
NETWORK_FAILURES = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    SSL.Error,
)


class TooLarge(Exception):
    """The answer's body is longer than is read."""


@attrs.frozen(kw_only=True)
class Outgoing:
    """A request."""

    method: str
    #: absolute, in ASCII.
    url: str
    headers: Headers = attrs.field(factory=Headers, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Incoming:
    """Its answer, read whole."""

    status: int
    headers: Headers
    body: bytes = attrs.field(repr=False)


async def answer_of(agent: IAgent, outgoing: Outgoing) -> Incoming:
    """What the agent gets for the request. Raises NETWORK_FAILURES, TooLarge."""
    producer = None if outgoing.body is None else FileBodyProducer(BytesIO(outgoing.body))
    try:
        response = await agent.request(
            outgoing.method.encode("ascii"), outgoing.url.encode("ascii"), outgoing.headers, producer
        )
    except ConnectingCancelledError:
        raise CancelledError from None
    except ResponseFailed as failed:
        # An agent that was cancelled says so in its own way.
        if any(reason.check(CancelledError) for reason in failed.reasons):
            raise CancelledError from None
        raise
    return Incoming(status=response.code, headers=response.headers, body=await _body(response))


@attrs.frozen(kw_only=True)
class Wire:
    """The network.

    Every request has its own connection: one that was kept, and that the upstream has dropped meanwhile,
    would cost a code or a refresh token that is good for one use.
    """

    reactor: Any
    policy: IPolicyForHTTPS
    proxies: Proxies

    async def send(self, outgoing: Outgoing) -> Incoming:
        """The answer. Raises NETWORK_FAILURES, TooLarge; then, or cancelled, the connection is broken off."""
        connection = _Connection(self.reactor, persistent=False)
        uri = URI.fromBytes(outgoing.url.encode("ascii"))
        scheme, host = uri.scheme.decode("ascii"), uri.host.decode("ascii")
        proxy = self.proxies.proxy_of(scheme, host, uri.port)
        try:
            if proxy is None or scheme == "https":
                endpoints = _Endpoints(self._endpoint(host, uri.port, scheme == "https", proxy))
                agent = Agent.usingEndpointFactory(self.reactor, endpoints, pool=connection)
                return await answer_of(agent, outgoing)
            if proxy.authorization:
                headers = outgoing.headers.copy()
                headers.setRawHeaders("Proxy-Authorization", [proxy.authorization])
                outgoing = attrs.evolve(outgoing, headers=headers)
            agent = ProxyAgent(self._to_proxy(proxy), self.reactor, pool=connection)
            return await answer_of(agent, outgoing)
        except BaseException:
            connection.abort()
            raise

    def _endpoint(self, host: str, port: int, tls: bool, proxy: Proxy | None) -> IStreamClientEndpoint:
        endpoint = self._direct(host, port)
        if proxy is not None:
            endpoint = TunnelEndpoint(
                proxy=self._to_proxy(proxy), host=host, port=port, authorization=proxy.authorization
            )
        return self._with_tls(endpoint, host, port) if tls else endpoint

    def _to_proxy(self, proxy: Proxy) -> IStreamClientEndpoint:
        endpoint = self._direct(proxy.host, proxy.port)
        return self._with_tls(endpoint, proxy.host, proxy.port) if proxy.tls else endpoint

    def _direct(self, host: str, port: int) -> IStreamClientEndpoint:
        endpoint: IStreamClientEndpoint = HostnameEndpoint(self.reactor, host, port, timeout=CONNECT_TIMEOUT)
        return endpoint

    def _with_tls(self, endpoint: IStreamClientEndpoint, host: str, port: int) -> IStreamClientEndpoint:
        wrapped: IStreamClientEndpoint = wrapClientTLS(
            self.policy.creatorForNetloc(host.encode("ascii"), port), endpoint
        )
        return wrapped


@implementer(IAgentEndpointFactory)
@attrs.frozen
class _Endpoints:
    """The one endpoint of one call."""

    _endpoint: IStreamClientEndpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self._endpoint


class _Connection(HTTPConnectionPool):
    """The one connection of one call."""

    _abort: Callable[[], object] = staticmethod(lambda: None)

    def getConnection(self, key: object, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        connecting: Deferred[Any] = super().getConnection(key, endpoint)
        return connecting.addCallback(self._made)

    def _made(self, connection: Any) -> Any:
        self._abort = connection.transport.abortConnection
        return connection

    def abort(self) -> None:
        """Break it off, wherever it is."""
        self._abort()


async def _body(response: IResponse) -> bytes:
    # Where the length is told, it is told in time.
    if isinstance(response.length, int) and response.length > MAX_BODY:
        raise TooLarge
    whole: Deferred[bytes] = Deferred()
    response.deliverBody(_Collector(whole))
    return await whole


class _Collector(Protocol):
    """Collects a body up to its limit; what comes beyond is dropped."""

    def __init__(self, whole: Deferred[bytes]) -> None:
        self._whole, self._pieces, self._room = whole, [b""], MAX_BODY

    def dataReceived(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room >= 0:
            self._pieces.append(data)
        elif not self._whole.called:
            self._pieces.clear()
            self._whole.errback(TooLarge())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._whole.called:
            return
        # PotentialDataLoss: neither a length nor chunks, so the connection's end is the only end there is.
        if reason.check(ResponseDone, PotentialDataLoss):
            self._whole.callback(b"".join(self._pieces))
        else:
            self._whole.errback(reason)
