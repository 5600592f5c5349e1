"""JSON Web Keys as keys of `cryptography`, and back (RFC 7517, RFC 7518 §6, RFC 8037 §2)."""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dextwist.model.keys import JWKDict, KeyPair
from dextwist.signing.base64url import decoded, encoded
from dextwist.signing.interface import SigningError

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

#: By curve, or by kind of key where that has none: what it signs with if its JWK does not say.
_ALGORITHMS = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_PUBLIC_MEMBERS = {
    "RSA": ("use", "kty", "kid", "alg", "n", "e"),
    "EC": ("use", "kty", "kid", "crv", "alg", "x", "y"),
    "OKP": ("use", "kty", "kid", "crv", "alg", "x"),
}


def generate(algorithm: str) -> KeyPair:
    """A new key for RS256 or ES256 under a random id. RSA takes some 100 ms: not in the reactor thread."""
    common = {"use": "sig", "kid": os.urandom(20).hex(), "alg": algorithm}
    if algorithm == "RS256":
        private = _rsa_members(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    elif algorithm == "ES256":
        private = _p256_members(ec.generate_private_key(ec.SECP256R1()))
    else:
        raise SigningError(f"there are no local keys for the algorithm {algorithm}")
    jwk = common | private
    return KeyPair(private=jwk, public=public_members(jwk))


def algorithm_of(jwk: JWKDict) -> str:
    """The algorithm that the key is for. SigningError where neither it nor its kind says."""
    algorithm = jwk.get("alg") or _ALGORITHMS.get(jwk.get("crv") or jwk.get("kty") or "")
    if not algorithm:
        raise SigningError(f"the key {jwk.get('kid')} is of an unknown kind")
    return str(algorithm)


def public_members(jwk: JWKDict) -> JWKDict:
    """What may be published of a key, and nothing else."""
    names = _PUBLIC_MEMBERS.get(jwk.get("kty", ""), ())
    complete = {"use": "sig", **jwk, "alg": algorithm_of(jwk)}
    try:
        return {name: complete[name] for name in names}
    except KeyError as missing:
        raise SigningError(f"the key {jwk.get('kid')} has no member {missing}") from None


def public_key(jwk: JWKDict) -> PublicKey:
    """The key to verify with. SigningError where the JWK is none."""
    try:
        if jwk["kty"] == "RSA":
            return _rsa_public_numbers(jwk).public_key()
        if jwk["kty"] == "EC":
            return _ec_public_numbers(jwk).public_key()
        if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"].encode("ascii")))
    except (KeyError, ValueError, AttributeError) as error:
        raise SigningError(f"the public key {jwk.get('kid')} is malformed") from error
    raise SigningError(f"the key {jwk.get('kid')} is of an unknown kind")


def private_key(jwk: JWKDict) -> PrivateKey:
    """The key to sign with. SigningError where the JWK is none.

    RSA keys are not proven to be sound, which takes 44 ms: this server, or dex before it, made them.
    """
    try:
        if jwk["kty"] == "RSA":
            return _rsa_private_numbers(jwk).private_key(unsafe_skip_rsa_key_validation=True)
        if jwk["kty"] == "EC":
            return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), _ec_public_numbers(jwk)).private_key()
    except (KeyError, ValueError, AttributeError, ArithmeticError) as error:
        # Without its cause, which may quote the key.
        raise SigningError(f"the private key {jwk.get('kid')} is malformed: {type(error).__name__}") from None
    raise SigningError(f"the key {jwk.get('kid')} is of an unknown kind")


def _rsa_public_numbers(jwk: JWKDict) -> rsa.RSAPublicNumbers:
    return rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n"))


def _rsa_private_numbers(jwk: JWKDict) -> rsa.RSAPrivateNumbers:
    d, p, q = (_number(jwk, name) for name in ("d", "p", "q"))
    # dp, dq and qi follow from these and may be absent (RFC 7518 §6.3.2).
    return rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        _rsa_public_numbers(jwk),
    )


def _ec_public_numbers(jwk: JWKDict) -> ec.EllipticCurvePublicNumbers:
    return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), _CURVES[jwk["crv"]])


def _rsa_members(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    numbers = key.private_numbers()
    members = {
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    return {"kty": "RSA"} | {name: _text(value) for name, value in members.items()}


def _p256_members(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.private_numbers()
    point = numbers.public_numbers
    members = {"x": point.x, "y": point.y, "d": numbers.private_value}
    # Always the full 32 octets (RFC 7518 §6.2.1.2).
    return {"kty": "EC", "crv": "P-256"} | {name: _text(value, 32) for name, value in members.items()}


def _number(jwk: JWKDict, name: str) -> int:
    return int.from_bytes(decoded(jwk[name].encode("ascii")), "big")


def _text(number: int, length: int | None = None) -> str:
    size = (number.bit_length() + 7) // 8 if length is None else length
    return encoded(number.to_bytes(size, "big")).decode("ascii")
