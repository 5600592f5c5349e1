"""Keys come out of JSON Web Keys as they went in."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from dextwist.jose.errors import UnusableKey
from dextwist.jose.jwk import algorithm_of, public_key
from dextwist.signing.jwk import generate, private_key, public_members
from tests.signing.fakes import key_source


class GenerateTests(SynchronousTestCase):
    def test_2_1_key_id_is_20_random_octets_in_lower_case_hex(self) -> None:
        one, other = generate("ES256"), generate("ES256")
        self.assertRegex(one.private["kid"], r"\A[0-9a-f]{40}\Z")
        self.assertNotEqual(one.private["kid"], other.private["kid"])
        self.assertEqual(one.public["kid"], one.private["kid"])

    def test_2_1_RSA_keys_have_2048_bits_and_all_members(self) -> None:
        pair = key_source()("RS256")
        self.assertEqual(
            set(pair.private), {"use", "kid", "alg", "kty", "n", "e", "d", "p", "q", "dp", "dq", "qi"}
        )
        self.assertEqual((pair.public["e"], pair.public["alg"], pair.public["use"]), ("AQAB", "RS256", "sig"))
        key = private_key(pair.private)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.assertEqual(key.key_size, 2048)

    def test_keys_are_what_another_library_reads(self) -> None:
        for algorithm in ("RS256", "ES256"):
            pair = key_source()(algorithm)
            foreign = JWK(**pair.private)
            self.assertEqual(
                foreign.get_op_key("sign").private_numbers(), private_key(pair.private).private_numbers()
            )
            self.assertEqual(foreign.export_public(as_dict=True), dict(pair.public))

    def test_coordinates_keep_their_leading_zeros(self) -> None:
        for _ in range(600):
            private = generate("ES256").private
            self.assertEqual({len(private[name]) for name in "xyd"}, {43})

    def test_no_keys_are_made_for_other_algorithms(self) -> None:
        for algorithm in ("HS256", "ES384", "none", ""):
            self.assertRaises(UnusableKey, generate, algorithm)


class ReadingTests(SynchronousTestCase):
    def test_2_1_algorithm_follows_from_the_kind_of_key_where_it_is_not_stored(self) -> None:
        kinds = {
            ("RSA", None): "RS256",
            ("EC", "P-256"): "ES256",
            ("EC", "P-384"): "ES384",
            ("EC", "P-521"): "ES512",
            ("OKP", "Ed25519"): "EdDSA",
        }
        for (kty, crv), algorithm in kinds.items():
            self.assertEqual(algorithm_of({"kty": kty} | ({"crv": crv} if crv else {})), algorithm)
        self.assertEqual(algorithm_of({"kty": "RSA", "alg": "RS512"}), "RS512")
        for unknown in ({"kty": "oct"}, {"kty": "EC", "crv": "secp256k1"}, {}):
            self.assertRaises(UnusableKey, algorithm_of, unknown)

    def test_public_members_of_a_private_key_without_algorithm_and_use(self) -> None:
        for algorithm in ("RS256", "ES256"):
            pair = key_source()(algorithm)
            bare = {name: value for name, value in pair.private.items() if name not in ("alg", "use")}
            self.assertEqual(public_members(bare), pair.public)

    def test_RSA_key_of_three_private_members_is_enough(self) -> None:
        pair = key_source()("RS256")
        lean = {name: value for name, value in pair.private.items() if name not in ("dp", "dq", "qi")}
        self.assertEqual(
            private_key(lean).private_numbers(), JWK(**pair.private).get_op_key("sign").private_numbers()
        )

    def test_every_kind_of_public_key_is_read(self) -> None:
        for kty, more in (
            ("RSA", {"size": 2048}),
            ("EC", {"crv": "P-256"}),
            ("EC", {"crv": "P-384"}),
            ("EC", {"crv": "P-521"}),
            ("OKP", {"crv": "Ed25519"}),
        ):
            foreign = JWK.generate(kty=kty, **more)
            jwk = json.loads(foreign.export_public())
            self.assertEqual(public_key(jwk), foreign.get_op_key("verify"))

    def test_malformed_key_is_an_error_that_does_not_quote_it(self) -> None:
        pair = key_source()("ES256")
        for broken in ({"x": "!"}, {"x": None}, {"y": pair.public["x"]}, {"crv": "P-999"}, {"kty": "oct"}):
            error = self.assertRaises(UnusableKey, public_key, {**pair.public, **broken})
            self.assertIn(pair.public["kid"], str(error))
            error = self.assertRaises(UnusableKey, private_key, {**pair.private, **broken})
            self.assertNotIn(pair.private["d"], str(error))
        self.assertRaises(UnusableKey, private_key, pair.public)
        self.assertRaises(UnusableKey, private_key, {**key_source()("RS256").private, "p": "", "d": "AQ"})
        self.assertRaises(UnusableKey, public_members, {"kty": "RSA", "kid": "a", "n": "AQ"})
