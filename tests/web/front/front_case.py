"""A front with endpoints that tests control, and connections to it without a network."""

from __future__ import annotations

import re
from typing import Any

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request as TwistedRequest
from twisted.web.server import Site
from zope.interface import alsoProvides

from dextwist.telemetry.metrics import NoMetrics
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.front.channel import FrontChannel
from dextwist.web.front.factory import FrontFactory
from dextwist.web.front.limits import Limits
from dextwist.web.front.other_paths import OtherPaths
from dextwist.web.front.table import RouteTable
from dextwist.web.http import Request, Response
from dextwist.web.route import READ_AND_POST, Route

LIMITS = Limits(
    max_request_head=1000,
    max_header_count=20,
    max_body=100,
    header_timeout=10,
    body_timeout=30,
    idle_timeout=75,
    write_timeout=20,
    max_connections=5,
    max_connections_per_address=0,
)
EPOCH = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"


@attrs.frozen
class CountedLimits(NoMetrics):
    """Remembers what the front counts."""

    hit: list[str] = attrs.field(factory=list)
    refused: list[int] = attrs.field(factory=list)
    connections: list[int] = attrs.field(factory=list)

    def limit_hit(self, *, limit: str) -> None:
        self.hit.append(limit)

    def request_refused(self, *, status: int) -> None:
        self.refused.append(status)

    def connections_open(self, *, count: int) -> None:
        self.connections.append(count)


class TCPTransport(StringTransport):
    """A transport that can close its own half, and tells what was done to it."""

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "192.0.2.7", 40000))
        #: whether the client takes nothing of what is written.
        self.full = False
        self.write_closed = False
        self.aborted = False
        alsoProvides(self, ITCPTransport)
        if tls:
            alsoProvides(self, ISSLTransport)

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.full and self.producer is not None:
            self.producer.pauseProducing()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """It has nothing to delay."""

    def loseWriteConnection(self) -> None:
        self.write_closed = True

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    @property
    def reading(self) -> bool:
        return bool(self.producerState == "producing")


@attrs.define
class Connection:
    """A client's view of one connection."""

    channel: FrontChannel
    transport: TCPTransport

    def send(self, data: bytes | str) -> bytes:
        """Send, and take what has been answered until now."""
        self.channel.dataReceived(data.encode("latin-1") if isinstance(data, str) else data)
        return self.received()

    def received(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def hang_up(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def ended(self) -> bool:
        """Whether no more answers will come."""
        return self.transport.write_closed or self.transport.disconnecting or self.transport.aborted


class TwistedPage(Resource):
    """What answers at all paths that the table does not know."""

    isLeaf = True

    def render_GET(self, request: TwistedRequest) -> bytes:
        request.setHeader(b"x-path", request.path)
        if request.path == b"/large":
            return b"x" * 100_000
        return b"from twisted.web"

    def render_POST(self, request: Any) -> bytes:
        content: bytes = request.content.read()
        return b"posted " + content


class FrontCase(SynchronousTestCase):
    """A test of the front."""

    limits = LIMITS

    def setUp(self) -> None:
        self.clock = Clock()
        self.metrics = CountedLimits()
        self.gates: list[Deferred[None]] = []
        self.seen: list[Request] = []
        self.finished: list[str] = []
        guard = JSONGuard()
        routes = (
            Route("/", self.echo, guard),
            Route("/echo", self.echo, guard, READ_AND_POST),
            Route("/slow", self.slow, guard, READ_AND_POST),
            Route("/large", self.large, guard),
            Route("/of/{name}", self.named, guard),
            Route("/broken", self.echo, Broken()),  # type: ignore[arg-type] # it is no guard
        )
        self.front = FrontFactory(
            clock=self.clock,
            answering=Answering(
                clock=self.clock, metrics=self.metrics, headers={"X-Frame-Options": "DENY"}, max_fields=10
            ),
            metrics=self.metrics,
            limits=self.limits,
            table=RouteTable.of("/dex", routes),
            other_paths=OtherPaths(Site(TwistedPage(), reactor=self.clock)),
        )

    async def echo(self, request: Request) -> Response:
        self.seen.append(request)
        text = f"{request.full_path} {request.query.fields} {request.body.fields}"
        return Response(200, (("Content-Type", "text/plain"),), text.encode())

    async def slow(self, request: Request) -> Response:
        self.seen.append(request)
        gate: Deferred[None] = Deferred()
        self.gates.append(gate)
        await gate
        self.finished.append(request.full_path)
        return Response(200, (), b"slow")

    async def large(self, request: Request) -> Response:
        return Response(200, (), b"x" * 100_000)

    async def named(self, name: str, request: Request) -> Response:
        return Response(200, (), name.encode())

    def connect(self, *, tls: bool = False, host: str = "192.0.2.7") -> Connection:
        channel = self.front.buildProtocol(IPv4Address("TCP", host, 40000))
        transport = TCPTransport(tls=tls)
        channel.makeConnection(transport)
        return Connection(channel, transport)


class Broken:
    """A guard with a bug: not even an error can be made of what it raises."""


def get(path: str = "/dex/echo", *fields: str, method: str = "GET", version: str = "1.1") -> str:
    """A request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *fields, "", ""])


def post(body: str, *fields: str, path: str = "/dex/echo") -> str:
    """A form post with a declared length."""
    form = "Content-Type: application/x-www-form-urlencoded"
    return get(path, form, f"Content-Length: {len(body)}", *fields, method="POST") + body


def chunked(*chunks: str, path: str = "/dex/echo") -> str:
    """A form post in these chunks, without the last one."""
    form = "Content-Type: application/x-www-form-urlencoded"
    head = get(path, form, "Transfer-Encoding: chunked", method="POST")
    return head + "".join(f"{len(chunk):x}\r\n{chunk}\r\n" for chunk in chunks)


def statuses(data: bytes) -> list[int]:
    """The statuses of the answers in what was received."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
