"""Compact JWS against another library, and what only a holder of the key could try."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.trial.unittest import SynchronousTestCase

from dextwist.jose.base64url import encoded
from dextwist.jose.errors import InvalidToken, UnknownKey, UnusableKey
from dextwist.jose.jws import VerifyingKey, verified
from dextwist.signing.jws import KeySignature
from tests.signing.fakes import key_source
from tests.signing.forgeries import compact, parts

PAYLOAD = b'{"sub":"somebody"}'
PAIR = key_source()("ES256")


def foreign_token(key: JWK, header: dict[str, Any]) -> str:
    token = JWS(PAYLOAD)
    token.allowed_algs = [header["alg"]]
    token.add_signature(key, protected=json.dumps(header))
    return str(token.serialize(compact=True))


def foreign_key(algorithm: str) -> JWK:
    if algorithm == "EdDSA":
        return JWK.generate(kty="OKP", crv="Ed25519", kid="a", alg=algorithm)
    if algorithm.startswith("ES"):
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
        return JWK.generate(kty="EC", crv=curve, kid="a", alg=algorithm)
    return JWK(**{**key_source()("RS256").private, "kid": "a", "alg": algorithm})


def verifying(key: JWK) -> VerifyingKey:
    return VerifyingKey.of(key.export_public(as_dict=True))


class AlgorithmTests(SynchronousTestCase):
    algorithms = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")

    def test_1_every_algorithm_of_ours_verifies(self) -> None:
        for algorithm in self.algorithms:
            key = foreign_key(algorithm)
            token = foreign_token(key, {"alg": algorithm, "kid": "a"})
            self.assertEqual(verified(token, [verifying(key)]).payload, PAYLOAD)

    def test_signatures_of_a_wrong_length_are_refused(self) -> None:
        for algorithm in self.algorithms:
            key = foreign_key(algorithm)
            header, payload, signature = parts(foreign_token(key, {"alg": algorithm, "kid": "a"}))
            for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature, bytes(len(signature))):
                self.assertRaises(InvalidToken, verified, compact(header, payload, wrong), [verifying(key)])

    def test_OA_22_signature_by_another_algorithm_than_the_keys_own_is_refused(self) -> None:
        ours = verifying(foreign_key("RS256"))
        for kid in ({"kid": "a"}, {}):
            token = foreign_token(foreign_key("RS512"), {"alg": "RS512"} | kid)
            self.assertRaises(InvalidToken, verified, token, [ours])

    def test_key_of_the_wrong_kind_for_its_algorithm_is_an_error(self) -> None:
        for algorithm in ("RS256", "ES384", "EdDSA", "HS256"):
            self.assertRaises(UnusableKey, VerifyingKey.of, {**PAIR.public, "alg": algorithm})
            self.assertRaises(UnusableKey, KeySignature.of, {**PAIR.private, "alg": algorithm})


class VerifiedTests(SynchronousTestCase):
    """With our own key: a header that nobody could make without it is still read with care."""

    def setUp(self) -> None:
        self.own = JWK(**PAIR.private)
        self.key = VerifyingKey.of(PAIR.public)
        self.other = VerifyingKey.of(foreign_key("ES256").export_public(as_dict=True))

    def token(self, **header: Any) -> str:
        return foreign_token(self.own, {"alg": "ES256"} | header)

    def test_17_6_token_without_a_key_id_is_tried_with_every_key(self) -> None:
        self.assertEqual(verified(self.token(), [self.other, self.key]).payload, PAYLOAD)
        self.assertRaises(InvalidToken, verified, self.token(), [self.other])
        self.assertRaises(InvalidToken, verified, self.token(), [])

    def test_17_6_token_with_a_key_id_is_tried_with_that_key_alone(self) -> None:
        token = self.token(kid=PAIR.public["kid"])
        self.assertEqual(verified(token, [self.other, self.key]).payload, PAYLOAD)
        self.assertRaises(InvalidToken, verified, self.token(kid="a"), [self.other, self.key])
        self.assertRaises(UnknownKey, verified, self.token(kid="b"), [self.other, self.key])

    def test_key_id_must_be_a_text(self) -> None:
        kids: tuple[object, ...] = (None, 1, ["a"], {})
        for kid in kids:
            token = self.signed({"alg": "ES256", "kid": kid})
            self.assertNotIsInstance(self.assertRaises(InvalidToken, verified, token, [self.key]), UnknownKey)

    def test_OA_22_header_that_names_another_algorithm_than_the_keys_own_is_refused(self) -> None:
        for algorithm in ("ES384", "RS256", "EdDSA"):
            for kid in ({}, {"kid": PAIR.public["kid"]}):
                token = self.signed({"alg": algorithm} | kid)
                self.assertRaises(InvalidToken, verified, token, [self.key])

    def test_critical_extensions_are_refused(self) -> None:
        values: tuple[object, ...] = (["exp"], [], None)
        for crit in values:
            token = self.signed({"alg": "ES256", "exp": 1, "crit": crit})
            self.assertRaises(InvalidToken, verified, token, [self.key])

    def test_keys_inside_the_token_are_not_even_read(self) -> None:
        token = self.signed({"alg": "ES256", "jwk": 5, "jku": [], "x5u": {}, "x5c": "no"})
        self.assertEqual(verified(token, [self.key]).payload, PAYLOAD)

    def test_ES256_signature_in_DER_is_refused(self) -> None:
        bare = compact({"alg": "ES256"}, PAYLOAD).rpartition(".")[0]
        der = self.own.get_op_key("sign").sign(bare.encode(), ECDSA(SHA256()))
        self.assertRaises(InvalidToken, verified, compact({"alg": "ES256"}, PAYLOAD, der), [self.key])

    def signed(self, header: dict[str, Any]) -> str:
        """A token whose header another library would refuse to make."""
        signature = KeySignature.of(PAIR.private)
        signature._headers[None] = encoded(json.dumps(header).encode())
        return signature.sign(PAYLOAD)
