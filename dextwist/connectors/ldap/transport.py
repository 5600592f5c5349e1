"""How a directory is reached: plain, with StartTLS or over LDAPS; and who it has to be."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import attrs
from OpenSSL import SSL
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError, VerifyError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from zope.interface import implementer

from dextwist.connectors.ldap.connection import ConnectionBroken, LdapConnection, LdapRefusal
from dextwist.connectors.ldap.hosts import Host

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


class Security(Enum):
    """What protects the connection."""

    #: nothing; a weakening.
    PLAIN = "plain"
    START_TLS = "StartTLS"
    LDAPS = "LDAPS"


class CertificateProblem(Exception):
    """A file that holds no certificate or key that could be used; the text says which and why."""


@attrs.frozen(kw_only=True)
class TLSSettings:
    """Who a server has to prove to be, and as whom it sees us."""

    #: None: whom this system trusts.
    trust_root: Any = None
    #: whether the server has to prove anything; False is a weakening.
    verify: bool = True
    client_certificate: PrivateCertificate | None = None
    #: what the server needs to believe that certificate.
    client_chain: tuple[Certificate, ...] = ()

    def creator(self, hostname: str) -> IOpenSSLClientConnectionCreator:
        """What makes a TLS connection to the server of that name, and to no other."""
        chain = [each.original for each in self.client_chain]
        if self.verify:
            return optionsForClientTLS(
                hostname,
                trustRoot=self.trust_root or platformTrust(),
                clientCertificate=self.client_certificate,
                extraCertificateOptions={"extraCertChain": chain} if chain else None,
            )
        ours = self.client_certificate
        options = CertificateOptions(
            privateKey=ours.privateKey.original if ours else None,
            certificate=ours.original if ours else None,
            extraCertChain=chain or None,
            verify=False,
        )
        return _Unverified(options.getContext(), hostname)


@implementer(IOpenSSLClientConnectionCreator)
@attrs.frozen
class _Unverified:
    """TLS with whoever answers."""

    context: SSL.Context
    hostname: str

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """A connection that believes anything."""
        connection = SSL.Connection(self.context, None)
        try:
            ip_address(self.hostname)
        except ValueError:
            connection.set_tlsext_host_name(self.hostname.encode("idna"))
        return connection


@attrs.frozen(kw_only=True)
class Transport:
    """Makes connections to the hosts of a directory."""

    #: the reactor, for sockets, names and time.
    reactor: Any
    security: Security
    tls: TLSSettings = TLSSettings()
    #: made of a host; replaced by tests.
    endpoint: Callable[[Any, Host, float], IStreamClientEndpoint] = lambda reactor, host, time_limit: (
        HostnameEndpoint(reactor, host.name, host.port, timeout=time_limit)
    )

    async def connect(self, host: Host, *, time_limit: float) -> LdapConnection:
        """A connection, with TLS and a verified server where that is wanted. Raises ConnectionBroken.

        Nothing of ours is sent before the server has proved who it is.
        """
        endpoint = self.endpoint(self.reactor, host, time_limit)
        if self.security is Security.LDAPS:
            endpoint = wrapClientTLS(self.tls.creator(host.name), endpoint)
        factory = Factory.forProtocol(lambda: LdapConnection(clock=self.reactor))
        factory.noisy = False
        try:
            connection = await endpoint.connect(factory)
        except ConnectingCancelledError:
            raise CancelledError() from None
        except (ConnectError, DNSLookupError, OSError) as error:
            raise ConnectionBroken(f"cannot connect: {error}") from error
        assert isinstance(connection, LdapConnection)
        try:
            if self.security is Security.LDAPS:
                await connection.secured()
            elif self.security is Security.START_TLS:
                await connection.start_tls(self.tls.creator(host.name), time_limit=time_limit)
        except LdapRefusal as refusal:
            connection.abort()
            raise ConnectionBroken(str(refusal)) from refusal
        except BaseException:
            connection.abort()
            raise
        return connection


def certificates_in(pem: bytes, source: str) -> list[Certificate]:
    """The certificates of a PEM text; at least one. Raises CertificateProblem."""
    blocks = [_BEGIN + part.partition(_END)[0] + _END + b"\n" for part in pem.split(_BEGIN)[1:]]
    try:
        found = [Certificate.loadPEM(block) for block in blocks]
    except SSL.Error:
        raise CertificateProblem(f"{source} holds a certificate that cannot be read") from None
    if not found:
        raise CertificateProblem(f"{source} holds no certificate in PEM")
    return found


def trust_root_of_file(path: str) -> Any:
    """Trust in the authorities of a PEM file and no others. Raises CertificateProblem."""
    return trustRootFromCertificates(certificates_in(_read(path), path))


def trust_root_of_data(data: str, source: str) -> Any:
    """Trust in the authorities of a PEM text in base64. Raises CertificateProblem."""
    try:
        pem = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        raise CertificateProblem(f"{source} is not base64") from None
    return trustRootFromCertificates(certificates_in(pem, source))


def client_pair(certificate: str, key: str) -> tuple[PrivateCertificate, tuple[Certificate, ...]]:
    """The certificate and key of two PEM files, and the rest of the chain. Raises CertificateProblem."""
    first, *rest = certificates_in(_read(certificate), certificate)
    pem = _read(key)
    try:
        pair = PrivateCertificate.loadPEM(first.dumpPEM() + b"\n" + pem)
    except (SSL.Error, VerifyError, ValueError, TypeError):
        raise CertificateProblem(f"{key} holds no key that belongs to {certificate}") from None
    return pair, tuple(rest)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateProblem(f"cannot read {path}: {error.strerror}") from None
