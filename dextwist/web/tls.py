"""TLS on the public listener: versions, ciphers, and a certificate that is renewed while it is in use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

#: Forward secrecy and authenticated encryption alone; the suites of TLS 1.3 are all like that.
_CIPHERS = AcceptableCiphers.fromOpenSSLCipherString("ECDHE+AESGCM:ECDHE+CHACHA20:TLSv1.3")
_VERSIONS = {"1.2": TLSVersion.TLSv1_2, "1.3": TLSVersion.TLSv1_3}
#: Seconds between two looks at the files.
_LOOK_EVERY = 10.0


@attrs.frozen(eq=False)
class CertificateError(Exception):
    """Certificate and key cannot be used: which file, and why, in one sentence."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@implementer(IOpenSSLServerConnectionCreator)
@attrs.define(kw_only=True, eq=False)
class ServerCertificate:
    """The certificate and key in two PEM files; new connections use what the files held last.

    Files that were renamed into place, rewritten, or swapped behind a link (as Kubernetes does) are all
    noticed. A pair that cannot be used leaves the one before it in use.
    """

    log: ClassVar[Logger] = Logger()

    certificate: Path
    key: Path
    clock: IReactorTime
    min_version: str = "1.2"
    #: empty: the newest that there is.
    max_version: str = ""
    _context: SSL.Context = attrs.field(init=False)
    _seen: tuple[object, ...] = attrs.field(default=(), init=False)
    _looking: LoopingCall = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._looking = LoopingCall(self.look)
        self._looking.clock = self.clock

    def start(self) -> None:
        """Load the files and watch them from now on. Raises CertificateError."""
        self._seen = self._versions()
        self._context = self._loaded()
        self._looking.start(_LOOK_EVERY, now=False)

    def stop(self) -> None:
        """Watch no more."""
        if self._looking.running:
            self._looking.stop()

    def look(self) -> None:
        """Load the files again if they have changed."""
        versions = self._versions()
        if versions == self._seen:
            return
        self._seen = versions
        try:
            self._context = self._loaded()
        except CertificateError as error:
            self.log.error("reload TLS config: {err}; the one before stays in use", err=str(error))
        else:
            self.log.info("the TLS certificate was renewed", file=str(self.certificate))

    def in_front_of(self, factory: IProtocolFactory) -> IProtocolFactory:
        """The same protocols, inside TLS."""
        return TLSMemoryBIOFactory(self, False, factory)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """A connection with the certificate of now."""
        connection = SSL.Connection(self._context, None)
        # The context's callbacks find the protocol there.
        connection.set_app_data(protocol)
        return connection

    def _versions(self) -> tuple[object, ...]:
        """What changes whenever one of the files does."""
        seen: list[object] = []
        for path in (self.certificate, self.key):
            try:
                status = os.stat(path)
            except OSError:
                seen.append(None)
            else:
                seen.append((os.path.realpath(path), status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(seen)

    def _loaded(self) -> SSL.Context:
        chain = [crypto.X509.from_cryptography(each) for each in self._certificates()]
        options = CertificateOptions(
            privateKey=crypto.PKey.from_cryptography_key(self._private_key()),
            certificate=chain[0],
            extraCertChain=chain[1:],
            acceptableCiphers=_CIPHERS,
            raiseMinimumTo=_VERSIONS[self.min_version],
            lowerMaximumSecurityTo=_VERSIONS.get(self.max_version),
            acceptableProtocols=[b"http/1.1"],
        )
        try:
            context = options.getContext()
            context.check_privatekey()
        except SSL.Error:
            raise CertificateError(f"the key {self.key} does not belong to {self.certificate}") from None
        return context

    def _certificates(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(self.certificate.read_bytes())
        except OSError as error:
            raise CertificateError(f"cannot read {self.certificate}: {error.strerror}") from None
        except ValueError:
            raise CertificateError(f"{self.certificate} holds no PEM certificate") from None

    def _private_key(self) -> Any:
        try:
            return load_pem_private_key(self.key.read_bytes(), password=None)
        except OSError as error:
            raise CertificateError(f"cannot read {self.key}: {error.strerror}") from None
        except (ValueError, TypeError):
            raise CertificateError(f"{self.key} holds no PEM key without a password") from None
