"""Public JSON Web Keys as keys of `cryptography` (RFC 7517, RFC 7518 §6, RFC 8037 §2)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dextwist.jose.base64url import decoded
from dextwist.jose.errors import UnusableKey
from dextwist.model.keys import JWKDict

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

#: By curve, or by kind of key where that has none: what it signs with if its JWK does not say.
_ALGORITHMS = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}


def algorithm_of(jwk: JWKDict) -> str:
    """The algorithm that the key is for. UnusableKey where neither it nor its kind says."""
    algorithm = jwk.get("alg") or _ALGORITHMS.get(jwk.get("crv") or jwk.get("kty") or "")
    if not algorithm:
        raise UnusableKey(f"the key {jwk.get('kid')} is of an unknown kind")
    return str(algorithm)


def public_key(jwk: JWKDict) -> PublicKey:
    """The key to verify with. UnusableKey where the JWK is none."""
    try:
        if jwk["kty"] == "RSA":
            return rsa_public_numbers(jwk).public_key()
        if jwk["kty"] == "EC":
            return ec_public_numbers(jwk).public_key()
        if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(decoded(jwk["x"].encode("ascii")))
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise UnusableKey(f"the public key {jwk.get('kid')} is malformed") from error
    raise UnusableKey(f"the key {jwk.get('kid')} is of an unknown kind")


def rsa_public_numbers(jwk: JWKDict) -> rsa.RSAPublicNumbers:
    """Modulus and exponent. Raises KeyError, ValueError, AttributeError for a malformed key."""
    return rsa.RSAPublicNumbers(number(jwk, "e"), number(jwk, "n"))


def ec_public_numbers(jwk: JWKDict) -> ec.EllipticCurvePublicNumbers:
    """Point and curve. Raises KeyError, ValueError, AttributeError for a malformed key."""
    return ec.EllipticCurvePublicNumbers(number(jwk, "x"), number(jwk, "y"), _CURVES[jwk["crv"]])


def number(jwk: JWKDict, name: str) -> int:
    """A member that is a number. Raises KeyError, ValueError, AttributeError for another."""
    return int.from_bytes(decoded(jwk[name].encode("ascii")), "big")
