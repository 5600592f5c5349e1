"""Compact JSON Web Signatures, made and read by hand (RFC 7515, RFC 7518 §3, RFC 8725)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import attrs
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from dextwist.model.keys import JWKDict
from dextwist.signing.base64url import decoded, encoded
from dextwist.signing.interface import InvalidToken, SigningError, VerifiedToken
from dextwist.signing.jwk import PrivateKey, PublicKey, algorithm_of, private_key, public_key

#: Characters of the longest token that is looked at.
MAX_LENGTH = 16 * 1024

_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
_RSA_ALGORITHMS = ("RS256", "RS384", "RS512")
#: The algorithm of each curve, by the curve's name in `cryptography`.
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
#: All that are signed with a key pair.
ALGORITHMS = (*_RSA_ALGORITHMS, *_EC_ALGORITHMS.values(), "EdDSA")


@attrs.frozen(eq=False)
class UnknownKey(InvalidToken):
    """The token names a key that is not among ours; it may be a newer one."""


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
        """The signature of a private JWK. SigningError where it is unfit."""
        algorithm = algorithm_of(jwk)
        return cls(algorithm, str(jwk.get("kid", "")), _signing(algorithm, private_key(jwk)))

    @property
    def slow(self) -> bool:
        """Whether signing takes so long that it belongs in a thread."""
        return self.algorithm in _RSA_ALGORITHMS

    def sign(self, payload: bytes, typ: str | None = None) -> str:
        """The compact JWS of the payload, with `alg`, `kid` and, where given, `typ` in its header."""
        header = self._headers.get(typ)
        if header is None:
            members = {"alg": self.algorithm, "kid": self.kid} | ({} if typ is None else {"typ": typ})
            header = self._headers[typ] = encoded(orjson.dumps(members))
        signing_input = header + b"." + encoded(payload)
        return (signing_input + b"." + encoded(self._sign(signing_input))).decode("ascii")


@attrs.frozen(eq=False)
class VerifyingKey:
    """A public key at work."""

    algorithm: str
    kid: str
    _check: Callable[[bytes, bytes], None] = attrs.field(repr=False)

    @classmethod
    def of(cls, jwk: JWKDict) -> VerifyingKey:
        """The verifying key of a public JWK. SigningError where it is unfit."""
        algorithm = algorithm_of(jwk)
        return cls(algorithm, str(jwk.get("kid", "")), _checking(algorithm, public_key(jwk)))

    def verifies(self, algorithm: str, signature: bytes, signing_input: bytes) -> bool:
        """Whether this key made the signature, with its own algorithm."""
        if algorithm != self.algorithm:
            return False
        try:
            self._check(signature, signing_input)
        except InvalidSignature:
            return False
        return True


@attrs.frozen
class CompactJWS:
    """A token taken apart; nothing of it is verified."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @classmethod
    def of(cls, token: str) -> CompactJWS:
        """The parts. InvalidToken where it is no compact JWS."""
        if len(token) > MAX_LENGTH:
            raise InvalidToken("the token is too long")
        try:
            header_part, payload_part, signature_part = token.encode("ascii").split(b".")
            header, payload, signature = decoded(header_part), decoded(payload_part), decoded(signature_part)
        except ValueError:
            raise InvalidToken("no compact JWS") from None
        return cls(_json_object(header, "header"), payload, signature, header_part + b"." + payload_part)

    def claims(self) -> Mapping[str, Any]:
        """What it says. InvalidToken where that is no JSON object."""
        return _json_object(self.payload, "payload")


def verified(
    token: str, keys: Iterable[VerifyingKey], algorithms: Collection[str] = ALGORITHMS
) -> VerifiedToken:
    """What the token says, if one of the keys signed it with one of the algorithms.

    Raises UnknownKey where none of the keys has the token's `kid`, InvalidToken for all else. The
    header is believed in nothing but which key to try: members that bring keys along (`jwk`, `jku`,
    `x5c`) are never read, and an algorithm counts only if it is the key's own (RFC 8725 §3.1). Where a
    member is repeated the last one counts (RFC 7515 §4); there is no second reader to disagree.
    """
    jws = CompactJWS.of(token)
    algorithm, kid = jws.header.get("alg"), jws.header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise InvalidToken("the token's algorithm is none of ours")
    if "crit" in jws.header:
        raise InvalidToken("the token needs an extension")
    if "kid" in jws.header:
        if not isinstance(kid, str):
            raise InvalidToken("the token's key id is no text")
        keys = [key for key in keys if key.kid == kid]
        if not keys:
            raise UnknownKey("the token's key is none of ours")
    if not any(key.verifies(algorithm, jws.signature, jws.signing_input) for key in keys):
        raise InvalidToken("the token's signature is not ours")
    return VerifiedToken(header=jws.header, claims=jws.claims(), payload=jws.payload)


def _json_object(text: bytes, part: str) -> dict[str, Any]:
    try:
        content = orjson.loads(text)
    except ValueError:
        raise InvalidToken(f"the token's {part} is no JSON") from None
    if not isinstance(content, dict):
        raise InvalidToken(f"the token's {part} is no JSON object")
    return content


def _signing(algorithm: str, key: PrivateKey) -> Callable[[bytes], bytes]:
    """The bare signing function of a key."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in _RSA_ALGORITHMS:
        padding, digest = PKCS1v15(), _HASHES[algorithm[-3:]]
        return lambda signing_input: key.sign(signing_input, padding, digest)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == _EC_ALGORITHMS.get(key.curve.name):
        ecdsa, size = ec.ECDSA(_HASHES[algorithm[-3:]]), _coordinate_size(key.curve)

        def sign(signing_input: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(signing_input, ecdsa))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")

        return sign
    raise SigningError(f"a key of the wrong kind for {algorithm}")


def _checking(algorithm: str, key: PublicKey) -> Callable[[bytes, bytes], None]:
    """The bare verifying function of a key: takes signature and signing input, raises InvalidSignature."""
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA_ALGORITHMS:
        padding, digest = PKCS1v15(), _HASHES[algorithm[-3:]]
        return lambda signature, signing_input: key.verify(signature, signing_input, padding, digest)
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == _EC_ALGORITHMS.get(key.curve.name):
        ecdsa, size = ec.ECDSA(_HASHES[algorithm[-3:]]), _coordinate_size(key.curve)

        def check(signature: bytes, signing_input: bytes) -> None:
            if len(signature) != 2 * size:
                raise InvalidSignature
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            key.verify(encode_dss_signature(r, s), signing_input, ecdsa)

        return check
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "EdDSA":
        return key.verify
    raise SigningError(f"a key of the wrong kind for {algorithm}")


def _coordinate_size(curve: ec.EllipticCurve) -> int:
    """Octets of r and of s (RFC 7518 §3.4)."""
    return (curve.key_size + 7) // 8
