"""Our own keys as JSON Web Keys: made, loaded, and what of them is published (RFC 7517, RFC 7518 §6)."""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dextwist.jose.base64url import encoded
from dextwist.jose.errors import UnusableKey
from dextwist.jose.jwk import algorithm_of, ec_public_numbers, number, rsa_public_numbers
from dextwist.model.keys import JWKDict, KeyPair

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

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
        raise UnusableKey(f"there are no local keys for the algorithm {algorithm}")
    jwk = common | private
    return KeyPair(private=jwk, public=public_members(jwk))


def public_members(jwk: JWKDict) -> JWKDict:
    """What may be published of a key, and nothing else."""
    names = _PUBLIC_MEMBERS.get(jwk.get("kty", ""), ())
    complete = {"use": "sig", **jwk, "alg": algorithm_of(jwk)}
    try:
        return {name: complete[name] for name in names}
    except KeyError as missing:
        raise UnusableKey(f"the key {jwk.get('kid')} has no member {missing}") from None


def private_key(jwk: JWKDict) -> PrivateKey:
    """The key to sign with. UnusableKey where the JWK is none.

    RSA keys are not proven to be sound, which takes 44 ms: this server, or dex before it, made them.
    """
    try:
        if jwk["kty"] == "RSA":
            return _rsa_private_numbers(jwk).private_key(unsafe_skip_rsa_key_validation=True)
        if jwk["kty"] == "EC":
            return ec.EllipticCurvePrivateNumbers(number(jwk, "d"), ec_public_numbers(jwk)).private_key()
    except (KeyError, ValueError, AttributeError, ArithmeticError) as error:
        # Without its cause, which may quote the key.
        raise UnusableKey(f"the private key {jwk.get('kid')} is malformed: {type(error).__name__}") from None
    raise UnusableKey(f"the key {jwk.get('kid')} is of an unknown kind")


def _rsa_private_numbers(jwk: JWKDict) -> rsa.RSAPrivateNumbers:
    d, p, q = (number(jwk, name) for name in ("d", "p", "q"))
    # dp, dq and qi follow from these and may be absent (RFC 7518 §6.3.2).
    return rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa_public_numbers(jwk),
    )


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


def _text(number: int, length: int | None = None) -> str:
    size = (number.bit_length() + 7) // 8 if length is None else length
    return encoded(number.to_bytes(size, "big")).decode("ascii")
