"""The front on a real port: what only a network does, and TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.front.factory import FrontFactory
from dextwist.web.front.other_paths import OtherPaths
from dextwist.web.front.table import RouteTable
from dextwist.web.http import Request, Response
from dextwist.web.route import READ_AND_POST, Route
from tests.web.front.front_case import LIMITS, CountedLimits, TwistedPage, get, post, statuses


async def echo(request: Request) -> Response:
    return Response(200, (), request.full_path.encode())


async def large(request: Request) -> Response:
    return Response(200, (), b"x" * 3_000_000)


def conversation(port: int, sent: bytes, wrap: Callable[[socket.socket], socket.socket]) -> bytes:
    """Everything that comes back for what is sent; the connection is not closed on this side before."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), 10) as plain, wrap(plain) as s:
        s.sendall(sent)
        while data := s.recv(65536):
            received += data
    return received


def certificate(path: Path) -> None:
    """A self-signed certificate for localhost with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(pem))


class TCPTests(TestCase):
    timeout = 20

    async def listen(self, description: str = "tcp:0:interface=127.0.0.1", **limits: Any) -> int:
        clock: Any = reactor
        metrics = CountedLimits()
        routes = (Route("/echo", echo, JSONGuard(), READ_AND_POST), Route("/large", large, JSONGuard()))
        self.front = FrontFactory(
            clock=clock,
            answering=Answering(clock=clock, metrics=metrics),
            metrics=metrics,
            limits=attrs.evolve(LIMITS, **limits),
            table=RouteTable.of("/dex", routes),
            other_paths=OtherPaths(Site(TwistedPage())),
        )
        port: IListeningPort = await serverFromString(clock, description).listen(self.front)
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.front.drain(timeout=5)))
        address = port.getHost()
        assert isinstance(address, IPv4Address)
        return address.port

    async def talk(
        self, port: int, sent: str, wrap: Callable[[socket.socket], socket.socket] = lambda s: s
    ) -> bytes:
        received: bytes = await deferToThread(conversation, port, sent.encode("latin-1"), wrap)
        return received

    async def test_keep_alive_pipelining_and_close(self) -> None:
        sent = get() + post("a=1") + get("/other") + get("/dex/echo", "Connection: close") + get()
        self.assertEqual(statuses(await self.talk(await self.listen(), sent)), [200] * 4)

    async def test_RX_03_refusal_arrives_although_the_body_is_sent(self) -> None:
        port = await self.listen()
        for sent in (post("x" * 3_000_000), "GET / HTTP/1.1\r\n" + "X: y\r\n" * 500_000, "\n" * 3_000_000):
            self.assertIn(statuses(await self.talk(port, sent)), ([413], [431], [400]))

    async def test_large_answer_is_whole(self) -> None:
        sent = get("/dex/large") + get("/dex/large", "Connection: close")
        received = await self.talk(await self.listen(), sent)
        self.assertEqual((statuses(received), received.count(b"x" * 3_000_000)), ([200, 200], 2))

    async def test_idle_connection_is_closed(self) -> None:
        self.assertEqual(statuses(await self.talk(await self.listen(idle_timeout=0.1), get())), [200])

    async def test_TLS_is_the_same(self) -> None:
        pem = Path(self.mktemp())
        certificate(pem)
        port = await self.listen(f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}")
        trusting = ssl.create_default_context(cafile=str(pem))

        def wrap(plain: socket.socket) -> socket.socket:
            return trusting.wrap_socket(plain, server_hostname="localhost")

        for sent, wanted in (
            (get() * 3 + get("/dex/echo", "Connection: close"), [200] * 4),
            (get("/dex/large", "Connection: close"), [200]),
            (get() + "nonsense\r\n\r\n" + get(), [200, 400]),
            (post("x" * 5000), [413]),
        ):
            self.assertEqual(statuses(await self.talk(port, sent, wrap)), wanted)
