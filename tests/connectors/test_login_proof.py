"""What a login keeps of itself until the browser comes back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.proof import PLAIN, S256, LoginProof
from dextwist.model.claims import ProofKey
from dextwist.oauth.pkce import check_verifier

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class LoginProofTests(SynchronousTestCase):
    def test_verifier_answers_the_challenge(self) -> None:
        for method in (S256, PLAIN):
            proof = LoginProof.new(method)
            check_verifier(proof.code_verifier, ProofKey(**proof.challenge))

    def test_without_a_method_there_is_a_nonce_alone(self) -> None:
        proof = LoginProof.new("")
        self.assertEqual((proof.challenge, proof.code_verifier), ({}, ""))
        self.assertNotEqual(proof.nonce, "")

    def test_each_login_has_its_own(self) -> None:
        proofs = [LoginProof() for _ in range(10)]
        self.assertEqual(len({secret for p in proofs for secret in (p.code_verifier, p.nonce)}), 20)

    def test_what_is_kept_comes_back(self) -> None:
        for method in (S256, PLAIN, ""):
            proof = LoginProof.new(method)
            self.assertEqual(LoginProof.of(proof.connector_data), proof)

    def test_secrets_are_not_shown(self) -> None:
        proof = LoginProof()
        self.assertNotIn(proof.code_verifier, repr(proof))
        self.assertNotIn(proof.nonce, repr(proof))

    @given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
    def test_what_was_not_kept_is_refused(self, data: bytes) -> None:
        with self.assertRaises(ConnectorError):
            LoginProof.of(data)

    def test_half_of_it_is_refused(self) -> None:
        whole = json.loads(LoginProof().connector_data)
        others: list[Any] = [None, "", 7, ["a"]]
        for name in whole:
            for other in others:
                with self.assertRaises(ConnectorError):
                    LoginProof.of(json.dumps({**whole, name: other}).encode())
            with self.assertRaises(ConnectorError):
                LoginProof.of(json.dumps({n: v for n, v in whole.items() if n != name}).encode())
