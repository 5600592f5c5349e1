"""The https listener's certificate: what is served, what is refused, and how it is renewed."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from dextwist.web.tls import CertificateError, ServerCertificate


def new_pair(name: str) -> tuple[bytes, bytes]:
    """A certificate for the name, signed by itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def shake_hands(
    server: SSL.Connection, *, version: int | None = None, ciphers: bytes = b""
) -> SSL.Connection:
    """A client's handshake with the server, both in memory. Raises SSL.Error where one of them refuses."""
    context = SSL.Context(SSL.TLS_METHOD)
    if version is not None:
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    if ciphers:
        context.set_cipher_list(ciphers)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    server.set_accept_state()
    ends = [client, server]
    for _ in range(10):
        for end, other in (ends, ends[::-1]):
            with contextlib.suppress(SSL.WantReadError):
                end.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(end.bio_read(65536))
    return client


class ServerCertificateTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.clock = Clock()
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self.write("first")

    def write(self, name: str) -> None:
        for path, content in zip((self.certificate, self.key), new_pair(name), strict=True):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            os.replace(fresh, path)

    def started(self, *, min_version: str = "1.2", max_version: str = "") -> ServerCertificate:
        served = ServerCertificate(
            certificate=self.certificate,
            key=self.key,
            clock=self.clock,
            min_version=min_version,
            max_version=max_version,
        )
        served.start()
        self.addCleanup(served.stop)
        return served

    def name_served(self, served: ServerCertificate) -> str:
        peer = shake_hands(served.serverConnectionForTLS(None)).get_peer_certificate()
        assert peer is not None
        return str(peer.get_subject().CN)

    def version_of(self, served: ServerCertificate, version: int) -> str | None:
        try:
            client = shake_hands(served.serverConnectionForTLS(None), version=version)
        except SSL.Error:
            return None
        return client.get_protocol_version_name()

    def test_it_is_what_twisted_asks_for(self) -> None:
        verifyObject(IOpenSSLServerConnectionCreator, self.started())

    def test_WB_08_versions(self) -> None:
        for limits, spoken in (
            ({}, ["TLSv1.2", "TLSv1.3"]),
            ({"min_version": "1.3"}, [None, "TLSv1.3"]),
            ({"max_version": "1.2"}, ["TLSv1.2", None]),
        ):
            served = self.started(**limits)
            versions = [self.version_of(served, v) for v in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)]
            self.assertEqual(spoken, versions)
            self.assertIsNone(self.version_of(served, SSL.TLS1_1_VERSION))

    def test_WB_08_ciphers_without_forward_secrecy_or_authentication_are_refused(self) -> None:
        served = self.started()
        for ciphers in (b"ECDHE-ECDSA-AES128-SHA", b"ECDHE-ECDSA-AES256-SHA384", b"AES128-GCM-SHA256"):
            server = served.serverConnectionForTLS(None)
            with self.assertRaises(SSL.Error):
                shake_hands(server, version=SSL.TLS1_2_VERSION, ciphers=ciphers)

    def test_RL_22_new_connections_have_the_renewed_certificate(self) -> None:
        served = self.started()
        self.write("second")
        self.assertEqual("first", self.name_served(served))
        self.clock.advance(10)
        self.assertEqual("second", self.name_served(served))

    def test_RL_22_files_swapped_behind_a_link(self) -> None:
        folder = self.certificate.parent
        for name in ("one", "two"):
            (folder / name).mkdir()
            for path, content in zip((self.certificate, self.key), new_pair(name), strict=True):
                (folder / name / path.name).write_bytes(content)
        data = folder / "..data"
        data.symlink_to("one")
        for path in (self.certificate, self.key):
            path.unlink()
            path.symlink_to(Path("..data") / path.name)
        served = self.started()
        (folder / "..new").symlink_to("two")
        os.replace(folder / "..new", data)
        served.look()
        self.assertEqual("two", self.name_served(served))

    def test_RL_22_a_pair_that_does_not_match_leaves_the_old_one_in_use(self) -> None:
        served = self.started()
        self.key.write_bytes(new_pair("other")[1])
        with capturedLogs() as events:
            served.look()
        self.assertEqual([LogLevel.error], [event["log_level"] for event in events])
        self.assertEqual("first", self.name_served(served))
        self.write("third")
        served.look()
        self.assertEqual("third", self.name_served(served))

    def test_a_file_that_has_gone_leaves_the_old_one_in_use(self) -> None:
        served = self.started()
        self.certificate.unlink()
        served.look()
        self.assertEqual("first", self.name_served(served))

    def test_what_cannot_be_used_is_told_at_the_start(self) -> None:
        good = self.key.read_bytes()
        for content, words in (
            (b"", "no PEM key"),
            (new_pair("other")[1], "does not belong"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no PEM key"),
        ):
            self.key.write_bytes(content)
            self.assertIn(words, str(self.assertRaises(CertificateError, self.started)))
        self.key.write_bytes(good)
        self.certificate.write_bytes(b"nothing")
        self.assertIn("no PEM certificate", str(self.assertRaises(CertificateError, self.started)))
        self.certificate.unlink()
        self.assertIn("cannot read", str(self.assertRaises(CertificateError, self.started)))
