"""The network itself: floods, drips, TLS and proxies, over real sockets on loopback."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, serverFromString
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.clients import UpstreamClients
from dextwist.connectors.upstream.trust import UpstreamTrust
from dextwist.connectors.upstream.wire import MAX_BODY
from tests.upstreams.network import CountedCalls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Speaker(Protocol):
    """Takes in a request's head and says what it is told to."""

    def __init__(self, server: Server) -> None:
        self.server, self.head = server, b""
        #: the other end of a tunnel.
        self.behind: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.head += data
        if b"\r\n\r\n" in self.head:
            self.server.heads.append(self.head)
            self.head = b""
            self.server.say(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.behind is not None:
            self.behind.transport.loseConnection()
        ended, self.server.ended = self.server.ended, Deferred()
        ended.callback(None)


@attrs.define(eq=False)
class Server:
    """What a server says to each request, and what became of it."""

    say: Callable[[Any], object]
    heads: list[bytes] = attrs.field(init=False, factory=list)
    #: fires when a connection ends.
    ended: Deferred[None] = attrs.field(init=False, factory=Deferred)
    port: int = attrs.field(init=False, default=0)


@attrs.define(eq=False)
class Proxying:
    """A proxy's way of answering: it takes every tunnel to the same port of this machine."""

    target: int
    refusal: bytes = b""

    def __call__(self, speaker: Any) -> None:
        if self.refusal:
            speaker.transport.write(self.refusal)
            return
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", self.target)
        endpoint.connect(Factory.forProtocol(lambda: Behind(speaker))).addCallback(self._stand, speaker)

    def _stand(self, behind: Any, speaker: Any) -> None:
        speaker.behind = behind
        speaker.dataReceived = behind.transport.write
        speaker.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")


class Behind(Protocol):
    """The far end of a tunnel."""

    transport: Any

    def __init__(self, speaker: Any) -> None:
        self.speaker = speaker

    def dataReceived(self, data: bytes) -> None:
        self.speaker.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.speaker.transport.loseConnection()


@attrs.frozen
class Authority:
    """A certificate authority of the test's own."""

    folder: Path
    name: str = "authority"
    key: ec.EllipticCurvePrivateKey = attrs.field(factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def certificate(self) -> x509.Certificate:
        return self._made(self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=0))

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, host: str) -> Path:
        """A file with the certificate and the key of a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        made = self._made(host, key.public_key(), x509.SubjectAlternativeName([name]))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.folder / f"{host}.pem"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
        return path

    def _made(
        self, name: str, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + datetime.timedelta(days=36500))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        )
        return builder.sign(self.key, hashes.SHA256())


class WireTestCase(TestCase):
    timeout: ClassVar[float] = 20

    def setUp(self) -> None:
        self.metrics = CountedCalls()

    async def serve(self, say: Callable[[Any], object], certificate: Path | None = None) -> Server:
        server = Server(say)
        how = f"ssl:0:privateKey={certificate}" if certificate else "tcp:0"
        endpoint = serverFromString(reactor, f"{how}:interface=127.0.0.1")
        port = await endpoint.listen(Factory.forProtocol(lambda: Speaker(server)))
        self.addCleanup(port.stopListening)
        server.port = port.getHost().port
        return server

    def client(self, trust: UpstreamTrust | None = None, **environ: str) -> UpstreamClient:
        clients = UpstreamClients(reactor=reactor, metrics=self.metrics, environ=environ)
        return clients("up", trust or UpstreamTrust())

    async def failure(self, client: UpstreamClient, url: str) -> ConnectorError:
        try:
            await client.request("GET", url, operation="op", headers={"Authorization": "Bearer hush-1"})
        except ConnectorError as error:
            self.assertNotIn("hush", str(error))
            return error
        raise self.failureException("there is an answer")


class BodyTests(WireTestCase):
    async def test_body_of_told_and_of_untold_length(self) -> None:
        for reply in (
            OK,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\n{}",
        ):

            def say(speaker: Any, reply: bytes = reply) -> None:
                speaker.transport.write(reply)
                speaker.transport.loseConnection()

            server = await self.serve(say)
            answer = await self.client().request("GET", f"http://127.0.0.1:{server.port}/", operation="op")
            self.assertEqual(answer.body, b"{}")

    async def test_RX_07_flood_is_cut(self) -> None:
        for head in (b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"):

            def say(speaker: Any, head: bytes = head) -> None:
                speaker.transport.write(head + b"x" * (MAX_BODY + 1))

            server = await self.serve(say)
            ended = server.ended
            error = await self.failure(self.client(), f"http://127.0.0.1:{server.port}/")
            self.assertTrue(error.unreachable)
            await ended
        self.assertEqual(self.metrics.calls, [("op", "too_large")] * 2)

    async def test_RX_07_largest_body_is_read(self) -> None:
        def say(speaker: Any) -> None:
            speaker.transport.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * MAX_BODY)
            speaker.transport.loseConnection()

        server = await self.serve(say)
        answer = await self.client().request("GET", f"http://127.0.0.1:{server.port}/", operation="op")
        self.assertEqual(len(answer.body), MAX_BODY)

    async def test_RX_07_drip_and_silence_end_with_the_time_limit(self) -> None:
        for said in (b"", b"HTTP/1.1 200 OK\r\n", b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a'):

            def say(speaker: Any, said: bytes = said) -> None:
                speaker.transport.write(said)

            server = await self.serve(say)
            ended, client = server.ended, self.client()
            client.time_limit = 0.2
            error = await self.failure(client, f"http://127.0.0.1:{server.port}/")
            self.assertTrue(error.timed_out, said)
            await ended

    async def test_answers_that_are_none(self) -> None:
        for said in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"):

            def say(speaker: Any, said: bytes = said) -> None:
                speaker.transport.write(said)
                speaker.transport.loseConnection()

            server = await self.serve(say)
            error = await self.failure(self.client(), f"http://127.0.0.1:{server.port}/")
            self.assertTrue(error.unreachable, said)

    async def test_nobody_there(self) -> None:
        error = await self.failure(self.client(), "http://127.0.0.1:1/")
        self.assertEqual((error.unreachable, error.timed_out), (True, False))

    async def test_every_request_has_its_own_connection(self) -> None:
        server = await self.serve(lambda speaker: speaker.transport.write(OK))
        client = self.client()
        for _ in range(2):
            ended = server.ended
            await client.request("POST", f"http://127.0.0.1:{server.port}/", operation="op", data={})
            await ended
        self.assertIn(b"Connection: close", server.heads[-1])


class TLSTests(WireTestCase):
    async def test_FU_04_host_and_authority_are_checked(self) -> None:
        authority = Authority(Path(self.mktemp()))
        authority.folder.mkdir()
        server = await self.serve(lambda s: s.transport.write(OK), authority.issue("127.0.0.1"))
        path = authority.folder / "ca.pem"
        path.write_text(authority.pem)
        for root in (str(path), authority.pem, base64.b64encode(authority.pem.encode()).decode()):
            client = self.client(UpstreamTrust(root_cas=("", root)))
            answer = await client.request("GET", f"https://127.0.0.1:{server.port}/", operation="op")
            self.assertEqual(answer.body, b"{}")
            await server.ended
            # The certificate is for the address alone.
            await self.failure(client, f"https://localhost:{server.port}/")
            await server.ended
        heads = len(server.heads)
        await self.failure(self.client(), f"https://127.0.0.1:{server.port}/")
        await server.ended
        self.assertEqual(len(server.heads), heads)
        for host in ("127.0.0.1", "localhost"):
            client = self.client(UpstreamTrust(insecure_skip_verify=True))
            await client.request("GET", f"https://{host}:{server.port}/", operation="op")
            await server.ended

    def test_FU_04_roots_that_are_none_are_named(self) -> None:
        for root in (
            "no certificate",
            "aGVsbG8=",
            "-----BEGIN CERTIFICATE-----",
            "\0",
            "/nonexistent.pem",
            " ",
        ):
            for skip in (False, True):
                trust = UpstreamTrust(root_cas=("", root), insecure_skip_verify=skip)
                self.assertIn("rootCAs[1]", str(self.assertRaises(ConnectorError, trust.policy)))


class ProxyTests(WireTestCase):
    HOST = "idp.test"  # nobody but the proxy could find it

    async def secure(self) -> tuple[Server, UpstreamTrust]:
        authority = Authority(Path(self.mktemp()))
        authority.folder.mkdir()
        server = await self.serve(lambda s: s.transport.write(OK), authority.issue(self.HOST))
        return server, UpstreamTrust(root_cas=(authority.pem,))

    async def test_https_goes_through_a_tunnel_and_is_verified(self) -> None:
        server, trust = await self.secure()
        proxy = await self.serve(Proxying(server.port))
        client = self.client(trust, HTTPS_PROXY=f"http://user:pass@127.0.0.1:{proxy.port}")
        both = gatherResults([server.ended, proxy.ended])
        answer = await client.request("GET", f"https://{self.HOST}/path", operation="op")
        self.assertEqual(answer.body, b"{}")
        lines = proxy.heads[0].split(b"\r\n")
        self.assertEqual(lines[:2], [b"CONNECT idp.test:443 HTTP/1.1", b"Host: idp.test:443"])
        self.assertIn(b"Proxy-Authorization: Basic dXNlcjpwYXNz", lines)
        self.assertNotIn(b"Proxy-Authorization", server.heads[0])
        await both
        both = gatherResults([server.ended, proxy.ended])
        self.assertTrue((await self.failure(client, "https://other.test/")).unreachable)
        await both

    async def test_tunnel_through_a_proxy_that_speaks_tls(self) -> None:
        server, trust = await self.secure()
        authority = Authority(Path(self.mktemp()), "of the proxy")
        authority.folder.mkdir()
        proxy = await self.serve(Proxying(server.port), authority.issue("127.0.0.1"))
        both = UpstreamTrust(root_cas=(*trust.root_cas, authority.pem))
        client = self.client(both, https_proxy=f"https://127.0.0.1:{proxy.port}")
        ended = gatherResults([server.ended, proxy.ended])
        self.assertEqual((await client.request("GET", f"https://{self.HOST}/", operation="op")).body, b"{}")
        await ended

    async def test_proxy_that_refuses(self) -> None:
        for refusal in (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nof its own accord",
            b"HTTP/1.1\r\n\r\n",
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,
        ):
            proxy = await self.serve(Proxying(0, refusal))
            ended = proxy.ended
            client = self.client(HTTPS_PROXY=f"127.0.0.1:{proxy.port}")
            self.assertTrue((await self.failure(client, f"https://{self.HOST}/")).unreachable, refusal)
            await ended

    async def test_proxy_that_is_silent_or_hangs_up(self) -> None:
        silent = await self.serve(lambda speaker: None)
        client = self.client(HTTPS_PROXY=f"127.0.0.1:{silent.port}")
        client.time_limit, ended = 0.2, silent.ended
        self.assertTrue((await self.failure(client, f"https://{self.HOST}/")).timed_out)
        await ended
        hanging_up = await self.serve(lambda speaker: speaker.transport.loseConnection())
        client = self.client(HTTPS_PROXY=f"127.0.0.1:{hanging_up.port}")
        self.assertTrue((await self.failure(client, f"https://{self.HOST}/")).unreachable)

    async def test_http_is_asked_of_the_proxy_itself(self) -> None:
        proxy = await self.serve(lambda speaker: speaker.transport.write(OK))
        client = self.client(HTTP_PROXY=f"http://user:pass@127.0.0.1:{proxy.port}")
        answer = await client.request("GET", f"http://{self.HOST}:81/path?q=1", operation="op")
        self.assertEqual(answer.body, b"{}")
        self.assertTrue(proxy.heads[0].startswith(b"GET http://idp.test:81/path?q=1 HTTP/1.1\r\n"))
        self.assertIn(b"Proxy-Authorization: Basic dXNlcjpwYXNz", proxy.heads[0])
        self.assertIn(b"Host: idp.test:81", proxy.heads[0])
