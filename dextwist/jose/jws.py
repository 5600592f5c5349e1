"""Compact JSON Web Signatures, read by hand (RFC 7515, RFC 7518 §3, RFC 8725)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

import attrs
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from dextwist.jose.base64url import decoded
from dextwist.jose.errors import InvalidToken, UnknownKey, UnusableKey
from dextwist.jose.jwk import PublicKey, algorithm_of, public_key
from dextwist.model.keys import JWKDict

#: Characters of the longest token that is looked at.
MAX_LENGTH = 16 * 1024

HASHES: Mapping[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512")
PSS_ALGORITHMS = ("PS256", "PS384", "PS512")
#: The algorithm of each curve, by the curve's name in `cryptography`.
EC_ALGORITHMS: Mapping[str, str] = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
#: All that our own keys and those of our clients may sign with.
ALGORITHMS = (*RSA_ALGORITHMS, *EC_ALGORITHMS.values(), "EdDSA")


@attrs.frozen(kw_only=True)
class VerifiedToken:
    """A token that one of the keys has signed. Times, issuer and audience are not checked yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    #: the payload's bytes as they were signed.
    payload: bytes


@attrs.frozen(eq=False)
class VerifyingKey:
    """A public key at work."""

    algorithm: str
    kid: str
    _check: Callable[[bytes, bytes], None] = attrs.field(repr=False)

    @classmethod
    def of(cls, jwk: JWKDict) -> VerifyingKey:
        """The verifying key of a public JWK. UnusableKey where it is unfit."""
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


def verifying_keys(jwk: JWKDict, algorithms: Collection[str]) -> list[VerifyingKey]:
    """The JWK as verifying keys, one for each of these algorithms that it may be used with.

    Where it names its algorithm (RFC 7517 §4.4) there is one at most. A key that is not for signatures,
    or of a kind that we do not know, gives none (RFC 7517 §5).
    """
    if jwk.get("use", "sig") != "sig":
        return []
    keys = []
    for algorithm in [jwk["alg"]] if jwk.get("alg") else algorithms:
        if algorithm in algorithms:
            with suppress(UnusableKey):
                keys.append(VerifyingKey.of({**jwk, "alg": algorithm}))
    return keys


@attrs.frozen
class CompactJWS:
    """A token taken apart; nothing of it is verified."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @classmethod
    def of(cls, token: str, max_length: int = MAX_LENGTH) -> CompactJWS:
        """The parts. InvalidToken where it is no compact JWS."""
        if len(token) > max_length:
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
    token: str,
    keys: Iterable[VerifyingKey],
    algorithms: Collection[str] = ALGORITHMS,
    max_length: int = MAX_LENGTH,
) -> VerifiedToken:
    """What the token says, if one of the keys signed it with one of the algorithms.

    Raises UnknownKey where none of the keys has the token's `kid`, InvalidToken for all else. The
    header is believed in nothing but which key to try: members that bring keys along (`jwk`, `jku`,
    `x5c`) are never read, and an algorithm counts only if it is the key's own (RFC 8725 §3.1). Where a
    member is repeated the last one counts (RFC 7515 §4); there is no second reader to disagree.
    """
    jws = CompactJWS.of(token, max_length)
    algorithm, kid = jws.header.get("alg"), jws.header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise InvalidToken("the token's algorithm is none of those allowed")
    if "crit" in jws.header:
        raise InvalidToken("the token needs an extension")
    if "kid" in jws.header:
        if not isinstance(kid, str):
            raise InvalidToken("the token's key id is no text")
        keys = [key for key in keys if key.kid == kid]
        if not keys:
            raise UnknownKey("the token's key is none of those known")
    if not any(key.verifies(algorithm, jws.signature, jws.signing_input) for key in keys):
        raise InvalidToken("the token's signature is none of these keys'")
    return VerifiedToken(header=jws.header, claims=jws.claims(), payload=jws.payload)


def _json_object(text: bytes, part: str) -> dict[str, Any]:
    try:
        content = orjson.loads(text)
    except ValueError:
        raise InvalidToken(f"the token's {part} is no JSON") from None
    if not isinstance(content, dict):
        raise InvalidToken(f"the token's {part} is no JSON object")
    return content


def _checking(algorithm: str, key: PublicKey) -> Callable[[bytes, bytes], None]:
    """The bare verifying function of a key: takes signature and signing input, raises InvalidSignature."""
    if isinstance(key, rsa.RSAPublicKey) and algorithm in (*RSA_ALGORITHMS, *PSS_ALGORITHMS):
        digest = HASHES[algorithm[-3:]]
        padding: AsymmetricPadding = PKCS1v15()
        if algorithm in PSS_ALGORITHMS:
            # The salt is as long as the hash (RFC 7518 §3.5).
            padding = PSS(MGF1(digest), digest.digest_size)
        return lambda signature, signing_input: key.verify(signature, signing_input, padding, digest)
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm == EC_ALGORITHMS.get(key.curve.name):
        ecdsa, size = ec.ECDSA(HASHES[algorithm[-3:]]), coordinate_size(key.curve)

        def check(signature: bytes, signing_input: bytes) -> None:
            if len(signature) != 2 * size:
                raise InvalidSignature
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            key.verify(encode_dss_signature(r, s), signing_input, ecdsa)

        return check
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "EdDSA":
        return key.verify
    raise UnusableKey(f"a key of the wrong kind for {algorithm}")


def coordinate_size(curve: ec.EllipticCurve) -> int:
    """Octets of r and of s (RFC 7518 §3.4)."""
    return (curve.key_size + 7) // 8
