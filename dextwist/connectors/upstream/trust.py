"""Which certificates of upstreams are believed (`rootCAs`, `insecureSkipVerify`)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions, optionsForClientTLS
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from dextwist.connectors.interface import ConnectorError


@attrs.frozen(kw_only=True)
class UpstreamTrust:
    """What a connector's settings say about the certificates of its upstream."""

    #: each the path of a PEM file, PEM text in base64, or PEM text; empty ones are passed over. They are
    #: believed beside those of the system (for which SSL_CERT_FILE counts).
    root_cas: Sequence[str] = ()
    #: believe any certificate.
    insecure_skip_verify: bool = False

    def policy(self) -> IPolicyForHTTPS:
        """How TLS connections are made. Raises ConnectorError for a root that is no certificate."""
        roots = [
            certificate
            for index, given in enumerate(self.root_cas)
            if given
            for certificate in _certificates(index, given)
        ]
        if self.insecure_skip_verify:
            return _UnverifiedPolicy()
        return _VerifyingPolicy(roots)


@implementer(IPolicyForHTTPS)
@attrs.frozen
class _VerifyingPolicy:
    _roots: Sequence[x509.Certificate]

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        # Checks the host, and the certificate with the system's roots.
        return _VerifiedConnections(optionsForClientTLS(hostname.decode("ascii")), self._roots)


@implementer(IOpenSSLClientConnectionCreator)
@attrs.frozen
class _VerifiedConnections:
    """Adds roots to those that the creator believes."""

    _creator: IOpenSSLClientConnectionCreator
    _roots: Sequence[x509.Certificate]

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        connection: SSL.Connection = self._creator.clientConnectionForTLS(tlsProtocol)
        # Its context is its own: every call makes a creator.
        store = connection.get_context().get_cert_store()
        assert store is not None
        for root in self._roots:
            store.add_cert(crypto.X509.from_cryptography(root))
        return connection


@implementer(IPolicyForHTTPS)
@attrs.frozen
class _UnverifiedPolicy:
    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        return _UnverifiedConnections(hostname)


@implementer(IOpenSSLClientConnectionCreator)
@attrs.frozen
class _UnverifiedConnections:
    _hostname: bytes

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        connection = SSL.Connection(CertificateOptions(verify=False).getContext(), None)
        name = self._hostname.decode("ascii")
        # An address is no server name (RFC 6066 §3).
        if not isIPAddress(name) and not isIPv6Address(name):
            connection.set_tlsext_host_name(self._hostname)
        return connection


def _certificates(index: int, given: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(given))
    except ValueError:
        raise ConnectorError(f"rootCAs[{index}] has no certificate in PEM form") from None


def _content(given: str) -> bytes:
    try:
        return Path(given).read_bytes()
    except (OSError, ValueError):
        pass
    try:
        return base64.b64decode(given, validate=True)
    except ValueError:
        return given.encode()
