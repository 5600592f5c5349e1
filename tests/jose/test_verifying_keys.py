"""What a JSON Web Key of somebody else may be used for."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.trial.unittest import SynchronousTestCase

from dextwist.jose.errors import InvalidToken
from dextwist.jose.jws import ALGORITHMS, MAX_LENGTH, PSS_ALGORITHMS, verified, verifying_keys

ALL = (*ALGORITHMS, *PSS_ALGORITHMS)
RSA = JWK.generate(kty="RSA", size=2048)
KEYS = {
    **{name: RSA for name in ALL if name[:2] in ("RS", "PS")},
    "ES256": JWK.generate(kty="EC", crv="P-256"),
    "ES384": JWK.generate(kty="EC", crv="P-384"),
    "ES512": JWK.generate(kty="EC", crv="P-521"),
    "EdDSA": JWK.generate(kty="OKP", crv="Ed25519"),
}
MEMBERS = ["kty", "crv", "use", "alg", "kid", "n", "e", "x", "y"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def public(key: JWK, **more: Any) -> dict[str, Any]:
    return {**json.loads(key.export_public()), **more}


def token(algorithm: str, payload: str = "{}") -> str:
    made = JWS(payload)
    made.allowed_algs = [algorithm]
    made.add_signature(KEYS[algorithm], protected=json.dumps({"alg": algorithm}))
    return str(made.serialize(compact=True))


class VerifyingKeysTests(SynchronousTestCase):
    def test_key_without_an_algorithm_serves_all_of_its_kind(self) -> None:
        for algorithm, key in KEYS.items():
            keys = verifying_keys(public(key), ALL)
            self.assertEqual(verified(token(algorithm), keys, ALL).claims, {})
            fitting = [name for name, each in KEYS.items() if each is key]
            self.assertEqual({each.algorithm for each in keys}, set(fitting))

    def test_key_with_an_algorithm_serves_that_alone(self) -> None:
        keys = verifying_keys(public(RSA, alg="PS384"), ALL)
        self.assertEqual([each.algorithm for each in keys], ["PS384"])
        verified(token("PS384"), keys, ALL)
        for other in ("PS256", "RS384"):
            self.assertRaises(InvalidToken, verified, token(other), keys, ALL)

    def test_algorithms_that_are_not_allowed_give_no_key(self) -> None:
        self.assertEqual(verifying_keys(public(RSA), ["ES256"]), [])
        self.assertEqual(verifying_keys(public(RSA, alg="RS256"), ["PS256"]), [])

    def test_keys_for_something_else_and_of_unknown_kinds_give_none(self) -> None:
        for jwk in (
            public(RSA, use="enc"),
            public(RSA, alg="RSA-OAEP"),
            public(RSA, alg="none"),
            {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "NEW"},
            {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
            {},
        ):
            self.assertEqual(verifying_keys(jwk, ALL), [], jwk)

    @given(st.dictionaries(st.sampled_from(MEMBERS), JSON | st.sampled_from(["RSA", "EC"])))
    def test_whatever_is_published_is_a_key_or_none(self, jwk: dict[str, Any]) -> None:
        for key in verifying_keys(jwk, ALL):
            self.assertFalse(key.verifies(key.algorithm, b"x" * 64, b"y"))

    def test_length_of_a_token_is_limited(self) -> None:
        keys, long = verifying_keys(public(RSA), ALL), token("RS256", json.dumps({"a": "x" * MAX_LENGTH}))
        self.assertRaises(InvalidToken, verified, long, keys)
        self.assertEqual(len(verified(long, keys, max_length=len(long)).claims["a"]), MAX_LENGTH)
        self.assertRaises(InvalidToken, verified, long, keys, max_length=len(long) - 1)
