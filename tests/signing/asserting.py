"""Client assertions, made as a client's library makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from dextwist.model.keys import JWKDict
from tests.signing.forgeries import b64

SECRET = "a-secret-that-is-long-enough-for-hmac-sha-512-and-therefore-for-the-others"
_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"]


def new_key(kind: str, **members: Any) -> JWK:
    """A key pair: RSA, P-256, P-384, P-521 or Ed25519."""
    if kind == "RSA":
        return JWK.generate(kty="RSA", size=2048, **members)
    return JWK.generate(kty="OKP" if kind == "Ed25519" else "EC", crv=kind, **members)


def secret_key(secret: str = SECRET) -> JWK:
    """A secret as an HMAC key."""
    return JWK(kty="oct", k=b64(secret.encode()))


def public(key: JWK) -> JWKDict:
    """What the client registers of its key."""
    members: JWKDict = key.export_public(as_dict=True)
    return members


def signed(claims: Mapping[str, Any], key: JWK, alg: str, **header: Any) -> str:
    """The claims as a compact JWS by this key."""
    token = JWS(json.dumps(claims))
    token.allowed_algs = _ALGORITHMS
    token.add_signature(key, alg, json.dumps({"alg": alg, **header}))
    compact: str = token.serialize(compact=True)
    return compact
