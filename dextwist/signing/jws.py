"""Compact JSON Web Signatures, made by hand (RFC 7515, RFC 7518 §3)."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from dextwist.jose.base64url import encoded
from dextwist.jose.errors import UnusableKey
from dextwist.jose.jwk import algorithm_of
from dextwist.jose.jws import EC_ALGORITHMS, HASHES, RSA_ALGORITHMS, coordinate_size
from dextwist.model.keys import JWKDict
from dextwist.signing.jwk import PrivateKey, private_key


@attrs.frozen(eq=False)
class KeySignature:
    """A private key at work: the `Signature` of its JWK."""

    algorithm: str
    kid: str
    _sign: Callable[[bytes], bytes] = attrs.field(repr=False)
    #: the encoded protected headers by `typ`; there are only a few.
    _headers: dict[str | None, bytes] = attrs.field(factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, jwk: JWKDict) -> KeySignature:
        """The signature of a private JWK. UnusableKey where it is unfit."""
        algorithm = algorithm_of(jwk)
        return cls(algorithm, str(jwk.get("kid", "")), _signing(algorithm, private_key(jwk)))

    @property
    def slow(self) -> bool:
        """Whether signing takes so long that it belongs in a thread."""
        return self.algorithm in RSA_ALGORITHMS

    def sign(self, payload: bytes, typ: str | None = None) -> str:
        """The compact JWS of the payload, with `alg`, `kid` and, where given, `typ` in its header."""
        header = self._headers.get(typ)
        if header is None:
            members = {"alg": self.algorithm, "kid": self.kid} | ({} if typ is None else {"typ": typ})
            header = self._headers[typ] = encoded(orjson.dumps(members))
        signing_input = header + b"." + encoded(payload)
        return (signing_input + b"." + encoded(self._sign(signing_input))).decode("ascii")


def _signing(algorithm: str, key: PrivateKey) -> Callable[[bytes], bytes]:
    """The bare signing function of a key."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in RSA_ALGORITHMS:
        padding, digest = PKCS1v15(), HASHES[algorithm[-3:]]
        return lambda signing_input: key.sign(signing_input, padding, digest)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == EC_ALGORITHMS.get(key.curve.name):
        ecdsa, size = ec.ECDSA(HASHES[algorithm[-3:]]), coordinate_size(key.curve)

        def sign(signing_input: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(signing_input, ecdsa))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")

        return sign
    raise UnusableKey(f"a key of the wrong kind for {algorithm}")
