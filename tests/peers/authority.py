"""A certificate authority for one test, good for a day."""

from __future__ import annotations

import datetime
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@attrs.define
class Authority:
    """Issues certificates into a folder."""

    folder: Path
    _key: ec.EllipticCurvePrivateKey = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate.write_bytes(self._signed(self._key, "Authority of a test", authority=True))

    @property
    def certificate(self) -> Path:
        """The authority's own."""
        return self.folder / "ca.pem"

    def issue(self, host: str, *, days: int = 1) -> tuple[Path, Path]:
        """A certificate for a host, and its key; over already where `days` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = self.folder / f"{host}{days}.pem", self.folder / f"{host}{days}.key"
        certificate.write_bytes(self._signed(key, host, days=days))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, private

    def _signed(
        self, key: ec.EllipticCurvePrivateKey, name: str, *, days: int = 1, authority: bool = False
    ) -> bytes:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of a test")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=3))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )
