"""Code verifiers against code challenges."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import ProofKey
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.pkce import check_verifier

#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

#: What dex was tried with (31.8); the verifier is shorter than RFC 7636 §4.1 allows, which dex does not mind.
SHORT, CHALLENGE_OF_SHORT = "challenge123", "lyyl-X4a69qrqgEfUL8wodWic3Be9ZZ5eovBgIKKi-w"


def s256(verifier: str) -> ProofKey:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return ProofKey(code_challenge=challenge, code_challenge_method="S256")


class CheckVerifierTests(SynchronousTestCase):
    def refused(self, error: str, verifier: str, proof_key: ProofKey) -> OAuthError:
        refusal: OAuthError = self.assertRaises(OAuthError, check_verifier, verifier, proof_key)
        self.assertEqual(refusal.error, error)
        return refusal

    def test_OA_12_vector_of_the_rfc(self) -> None:
        check_verifier(VERIFIER, ProofKey(code_challenge=CHALLENGE, code_challenge_method="S256"))
        self.assertEqual(s256(VERIFIER).code_challenge, CHALLENGE)

    def test_OA_12_plain(self) -> None:
        for method in ("plain", ""):
            proof_key = ProofKey(code_challenge=VERIFIER, code_challenge_method=method)
            check_verifier(VERIFIER, proof_key)
            self.refused("invalid_grant", VERIFIER[::-1], proof_key)

    def test_OA_12_wrong_verifier(self) -> None:
        for wrong in (VERIFIER[:-1] + "l", VERIFIER.swapcase(), VERIFIER + "A", VERIFIER[1:]):
            self.refused("invalid_grant", wrong, s256(VERIFIER))

    def test_OA_12_challenge_is_not_its_own_verifier(self) -> None:
        self.refused("invalid_grant", CHALLENGE, s256(VERIFIER))

    def test_OA_12_missing_verifier(self) -> None:
        self.refused("invalid_grant", "", s256(VERIFIER))

    def test_16_7_verifier_without_a_challenge(self) -> None:
        self.refused("invalid_request", VERIFIER, ProofKey())

    def test_16_7_neither(self) -> None:
        check_verifier("", ProofKey())

    def test_16_7_method_without_a_challenge_asks_for_nothing(self) -> None:
        check_verifier("", ProofKey(code_challenge_method="S256"))

    def test_16_7_unknown_stored_method_is_never_taken_for_plain(self) -> None:
        for method in ("S512", "s256", "none"):
            proof_key = ProofKey(code_challenge=VERIFIER, code_challenge_method=method)
            self.assertEqual(self.refused("server_error", VERIFIER, proof_key).status, 500)

    def test_30_52_verifier_has_the_form_of_the_rfc(self) -> None:
        for odd in ("short", "x" * 42, "x" * 129, "x" * 42 + "+", "x" * 43 + "\n", "é" * 50):
            self.refused("invalid_grant", odd, s256(odd))
            self.refused("invalid_grant", odd, ProofKey(code_challenge=odd, code_challenge_method="plain"))
        for verifier in ("aZ09-._~" * 6, "x" * 43, "x" * 128):
            check_verifier(verifier, s256(verifier))

    def test_31_8_vectors_of_dex_are_too_short_here(self) -> None:
        self.assertEqual(s256(SHORT).code_challenge, CHALLENGE_OF_SHORT)
        self.refused("invalid_grant", SHORT, s256(SHORT))
        self.refused("invalid_grant", SHORT, ProofKey(code_challenge=SHORT, code_challenge_method="plain"))

    def test_31_8_answers_do_not_say_more_about_an_odd_verifier_than_about_a_wrong_one(self) -> None:
        wrong = self.refused("invalid_grant", "short", s256(VERIFIER))
        self.assertEqual(
            wrong.description, self.refused("invalid_grant", "y" * 43, s256(VERIFIER)).description
        )

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_no_text_but_the_verifier_passes(self, text: str) -> None:
        self.refused("invalid_grant", text, s256(VERIFIER))
