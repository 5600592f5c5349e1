"""What every signer must do, for each to prove."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.signing.interface import InvalidToken, Signature, Signer
from tests.signing.forgeries import b64, compact, forgeries, parts

if TYPE_CHECKING:
    Case = SynchronousTestCase
else:
    Case = object

T = TypeVar("T")

CLAIMS = {"iss": "https://issuer.example", "sub": "CgNmb28SA2Jhcg", "name": "Noor Ä", "exp": 4102444800}
PAYLOAD = json.dumps(CLAIMS, ensure_ascii=False, indent=1).encode()
PUBLIC_MEMBERS = {
    "RSA": {"use", "kty", "kid", "alg", "n", "e"},
    "EC": {"use", "kty", "kid", "crv", "alg", "x", "y"},
    "OKP": {"use", "kty", "kid", "crv", "alg", "x"},
}

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_algorithms = st.sampled_from(["RS256", "ES256", "ES384", "EdDSA", "HS256", "none", "RS256 "])
_headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64", "x5c"]), _values | _algorithms, max_size=5
)
_json = st.builds(lambda value: json.dumps(value).encode(), _headers | _values)
_part = st.builds(b64, st.binary(max_size=90) | _json) | st.text(max_size=9)
#: Texts that look more or less like a token.
_tokens = st.text(max_size=60) | st.builds(".".join, st.lists(_part, max_size=5))

fuzz = settings(max_examples=150, deadline=None, database=None)


class SignerConformance(Case):
    """Mix into a test case that builds the signer."""

    def build_signer(self) -> Signer:
        """A signer that was started."""
        raise NotImplementedError

    def outcome(self, work: Coroutine[Deferred[Any], Any, T]) -> T:
        """What the work gives; it must not have to wait."""
        return self.successResultOf(Deferred.fromCoroutine(work))

    def refused(self, signer: Signer, token: str) -> bool:
        """Whether the token is found invalid; any other exception is raised."""
        result = self.failureResultOf(Deferred.fromCoroutine(signer.verify(token)))
        return result.trap(InvalidToken) is InvalidToken

    def signed(self, signer: Signer, payload: bytes = PAYLOAD, typ: str | None = None) -> str:
        return self.outcome(signer.with_signature(lambda signature: signature.sign(payload, typ)))

    def test_token_verifies_elsewhere_with_the_published_key_that_it_names(self) -> None:
        signer = self.build_signer()
        token = self.signed(signer)
        header, _, _ = parts(token)
        (jwk,) = [k for k in self.outcome(signer.published_keys()).keys if k["kid"] == header["kid"]]
        foreign = JWS()
        foreign.allowed_algs = [jwk["alg"]]
        foreign.deserialize(token, JWK(**jwk))
        self.assertEqual(foreign.payload, PAYLOAD)

    def test_header_has_algorithm_and_key_id_and_a_type_where_one_is_given(self) -> None:
        signer = self.build_signer()
        header, _, _ = parts(self.signed(signer))
        self.assertEqual(list(header), ["alg", "kid"])
        typed, _, _ = parts(self.signed(signer, typ="at+jwt"))
        self.assertEqual(typed, header | {"typ": "at+jwt"})
        again, _, _ = parts(self.signed(signer))
        self.assertEqual(again, header)

    def test_own_token_is_verified_with_its_payload_untouched(self) -> None:
        signer = self.build_signer()
        token = self.outcome(signer.verify(self.signed(signer, typ="JWT")))
        self.assertEqual((token.claims, token.payload), (CLAIMS, PAYLOAD))
        self.assertEqual(token.header["typ"], "JWT")

    def test_algorithm_of_the_signature_is_the_one_that_is_announced(self) -> None:
        signer = self.build_signer()

        def job(signature: Signature) -> tuple[str, str]:
            return signature.algorithm, signature.sign(PAYLOAD)

        algorithm, token = self.outcome(signer.with_signature(job))
        self.assertEqual(parts(token)[0]["alg"], algorithm)
        self.assertEqual(self.outcome(signer.algorithms())[0], algorithm)

    def test_what_a_job_raises_reaches_its_caller(self) -> None:
        def job(signature: Signature) -> None:
            raise LookupError("the job's own")

        work = Deferred.fromCoroutine(self.build_signer().with_signature(job))
        self.failureResultOf(work, LookupError)

    def test_public_members_only_are_published_and_the_signing_key_comes_first(self) -> None:
        signer = self.build_signer()
        published = self.outcome(signer.published_keys())
        for jwk in published.keys:
            self.assertEqual(set(jwk), PUBLIC_MEMBERS[jwk["kty"]])
            self.assertEqual(jwk["use"], "sig")
        self.assertEqual(published.keys[0]["kid"], parts(self.signed(signer))[0]["kid"])
        self.assertEqual(len({jwk["kid"] for jwk in published.keys}), len(published.keys))
        self.assertTrue(1 <= published.max_age <= 600, published.max_age)

    def test_OA_22_forged_tokens_are_refused(self) -> None:
        signer = self.build_signer()
        token = self.signed(signer)
        for name, forged in forgeries(token, self.outcome(signer.published_keys()).keys):
            self.assertTrue(self.refused(signer, forged), name)
        self.assertEqual(self.outcome(signer.verify(token)).claims, CLAIMS)

    def test_signature_of_one_token_is_none_of_another(self) -> None:
        signer = self.build_signer()
        (header, _, signature), (_, payload, _) = (
            parts(self.signed(signer, text)) for text in (b'{"sub":"a"}', b'{"sub":"b"}')
        )
        self.assertTrue(self.refused(signer, compact(header, payload, signature)))

    def test_signed_payload_that_is_no_JSON_object_is_no_token(self) -> None:
        signer = self.build_signer()
        for payload in (b"", b"[]", b'"text"', b"null", b'{"a":NaN}', b'{"a":1', b'{"a":"\xff"}'):
            self.assertTrue(self.refused(signer, self.signed(signer, payload)), payload)

    def test_longest_token_is_16_KiB(self) -> None:
        signer = self.build_signer()
        self.assertTrue(self.refused(signer, self.signed(signer, b'{"a":"' + b"x" * 16 * 1024 + b'"}')))
        long = self.signed(signer, b'{"a":"' + b"x" * 11 * 1024 + b'"}')
        self.assertEqual(len(self.outcome(signer.verify(long)).claims["a"]), 11 * 1024)

    def test_hostile_texts_are_invalid_and_nothing_else(self) -> None:
        signer = self.build_signer()

        @fuzz
        @given(_tokens)
        def check(text: str) -> None:
            self.assertTrue(self.refused(signer, text))

        check()

    def test_a_changed_character_makes_a_token_invalid(self) -> None:
        signer = self.build_signer()
        token = self.signed(signer)

        @fuzz
        @given(st.integers(0, len(token) - 1), st.characters())
        def check(at: int, character: str) -> None:
            changed = token[:at] + character + token[at + 1 :]
            if changed != token:
                self.assertTrue(self.refused(signer, changed))

        check()
