"""The halves of hashes that ID tokens carry."""

from __future__ import annotations

import base64

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.hashes import half_hash

#: The left halves of SHA-2 of "abc", from the examples of FIPS 180-4.
HALVES = {
    "256": "ba7816bf8f01cfea414140de5dae2223",
    "384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163",
    "512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a",
}


class HalfHashTests(SynchronousTestCase):
    def test_17_5_vector(self) -> None:
        token = "ya29.CjHSA1l5WUn8xZ6HanHFzzdHdbXm-14rxnC7JHch9eFIsZkQEGoWzaYG4o7k5f6BnPLj"
        self.assertEqual(half_hash("RS256", token), "piwt8oCH-K2D9pXlaS1Y-w")

    def test_each_algorithm_has_its_hash(self) -> None:
        hash_of = {"EdDSA": "512"} | {kind + size: size for kind in ("RS", "ES") for size in HALVES}
        for algorithm, size in hash_of.items():
            half = half_hash(algorithm, "abc")
            self.assertEqual(base64.urlsafe_b64decode(half + "==").hex(), HALVES[size], algorithm)
            self.assertNotIn("=", half)

    def test_algorithm_without_a_hash_is_an_error(self) -> None:
        self.assertRaises(ValueError, half_hash, "none", "abc")
