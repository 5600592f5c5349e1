"""The public keys of a client, as a JSON Web Key Set (RFC 7517 §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dextwist.config.document import plain
from dextwist.config.places import Place
from dextwist.model.keys import JWKDict

A_KEY_SET = "a JSON Web Key Set: a mapping with the list keys"

#: What keys may be used with, by their kind or curve; the first where a key does not say.
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA",),
}
_PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_MIN_RSA_BITS = 2048


def key_set(place: Place) -> tuple[JWKDict, ...]:
    """The keys of the set."""
    keys = place.children(("keys",)).get("keys")
    if keys is None or not isinstance(keys.node.value, tuple) or not keys.node.value:
        raise place.wrong(A_KEY_SET)
    found = []
    for item in keys.items():
        with place.findings.collecting():
            found.append(_key(item))
    return tuple(found)


def _key(place: Place) -> JWKDict:
    """One public key that can verify signatures."""
    if not isinstance(place.node.value, Mapping):
        raise place.wrong("a JSON Web Key")
    jwk: dict[str, Any] = plain(place.node)
    if any(name in jwk for name in _PRIVATE_MEMBERS):
        raise place.wrong(problem="this is a private key or a secret; only the public key belongs here")
    algorithms = _ALGORITHMS.get(str(jwk.get("crv") or jwk.get("kty")))
    if algorithms is None:
        raise place.wrong(problem=f"a key of this kind is not known; known are {', '.join(_ALGORITHMS)}")
    if jwk.get("alg", algorithms[0]) not in algorithms:
        raise place.wrong(problem=f"alg must be one of {', '.join(algorithms)} for this key")
    if jwk.get("use", "sig") != "sig":
        raise place.wrong(problem="the key is not for signatures (use)")
    if not isinstance(jwk.get("kid", ""), str):
        raise place.wrong(problem="kid must be a text; put it in quotes")
    _check_material(place, jwk)
    return jwk


def _check_material(place: Place, jwk: JWKDict) -> None:
    from jwcrypto.common import JWException
    from jwcrypto.jwk import JWK  # takes long to import, and few configurations have keys

    try:
        public = JWK(**jwk).get_op_key("verify")
    except (JWException, ValueError, TypeError):
        raise place.wrong(problem="the key cannot be read") from None
    if jwk["kty"] == "RSA" and public.key_size < _MIN_RSA_BITS:
        raise place.wrong(problem=f"an RSA key must have {_MIN_RSA_BITS} bits or more")
