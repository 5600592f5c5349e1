"""Making tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from jwcrypto.jwk import JWK
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.model.client import CLIENTS, Client
from dextwist.model.keys import KeyPair
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.hashes import half_hash
from dextwist.signing.interface import SigningError, VerifiedToken
from dextwist.storage.interface import Create, StorageUnavailable
from dextwist.storage.memory import MemoryStorage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import IssuedTokens, TokenIssuer
from tests.signing.fakes import FakeSigner

ISSUER = "https://idp.test/dex"
CODE = "a" + "b" * 50
SUBJECT = TokenSubject(
    client_id="app", scopes=("openid", "email"), claims=Claims(user_id="u"), connector_id="mock", nonce="n"
)


class SilentSigner(FakeSigner):
    """Has no key to sign with."""

    async def with_signature(self, job: Any) -> Any:
        raise SigningError("sealed")


class UnreachableStorage(MemoryStorage):
    """Cannot be read."""

    async def get(self, kind: Any, key: Any) -> Any:
        raise StorageUnavailable


class TokenIssuerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000.75)
        self.storage = MemoryStorage()
        self.signer = FakeSigner()
        self.issuer = TokenIssuer(
            issuer=ISSUER,
            signer=self.signer,
            storage=self.storage,
            clock=self.clock,
            lifetime=timedelta(seconds=30),
        )

    def issue(self, subject: TokenSubject = SUBJECT, **how: Any) -> IssuedTokens:
        tokens: IssuedTokens = self.successResultOf(self.issuer.issue(subject, **how))
        return tokens

    def read(self, token: str) -> VerifiedToken:
        verified: VerifiedToken = self.successResultOf(self.signer.verify(token))
        return verified

    def test_both_tokens_are_about_the_subject(self) -> None:
        tokens = self.issue()
        both = [self.read(tokens.access_token).claims, self.read(tokens.id_token).claims]
        for claims in both:
            self.assertEqual(
                {name: claims[name] for name in ("iss", "sub", "aud", "nonce", "email_verified")},
                {"iss": ISSUER, "sub": "CgF1EgRtb2Nr", "aud": "app", "nonce": "n", "email_verified": False},
            )

    def test_31_8_lifetime(self) -> None:
        tokens = self.issue()
        self.assertEqual(tokens.expires_in, 30)
        for token in (tokens.access_token, tokens.id_token):
            claims = self.read(token).claims
            self.assertEqual((claims["iat"], claims["exp"]), (1_700_000_000, 1_700_000_030))
            self.assertEqual({type(claims["iat"]), type(claims["exp"])}, {int})

    def test_31_8_every_token_has_an_id_of_its_own(self) -> None:
        ids = {
            self.read(token).claims["jti"]
            for tokens in (self.issue(), self.issue())
            for token in (tokens.access_token, tokens.id_token)
        }
        self.assertEqual(len(ids), 4)
        for token_id in ids:
            self.assertRegex(
                token_id, r"\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
            )

    def test_id_of_the_access_token_may_be_known_before(self) -> None:
        tokens = self.issue(access_token_id="known")
        self.assertEqual(self.read(tokens.access_token).claims["jti"], "known")
        self.assertNotEqual(self.read(tokens.id_token).claims["jti"], "known")

    def test_30_53_types_tell_the_tokens_apart(self) -> None:
        tokens = self.issue()
        self.assertEqual(self.read(tokens.access_token).header["typ"], "at+jwt")
        self.assertEqual(self.read(tokens.id_token).header["typ"], "JWT")

    def test_17_5_hashes_are_those_of_the_tokens_algorithm(self) -> None:
        for algorithm, curve in (("ES256", "P-256"), ("ES384", "P-384")):
            key = JWK.generate(kty="EC", crv=curve, alg=algorithm, kid="k")
            pair = KeyPair(private=key.export(as_dict=True), public=key.export_public(as_dict=True))
            self.signer = FakeSigner(pair=pair)
            self.issuer = attrs.evolve(self.issuer, signer=self.signer)
            tokens = self.issue(code=CODE)
            claims = self.read(tokens.id_token).claims
            self.assertEqual(claims["at_hash"], half_hash(algorithm, tokens.access_token))
            self.assertEqual(claims["c_hash"], half_hash(algorithm, CODE))

    def test_17_2_id_token_alone_has_no_at_hash(self) -> None:
        tokens = self.issue(access_token=False, code=CODE)
        claims = self.read(tokens.id_token).claims
        self.assertEqual(tokens.access_token, "")
        self.assertNotIn("at_hash", claims)
        self.assertEqual(claims["c_hash"], half_hash("ES256", CODE))

    def test_17_3_access_token_has_a_hash_of_nothing_and_no_c_hash(self) -> None:
        first, second = (self.issue(id_token=False, code=CODE) for _ in range(2))
        self.assertEqual(first.id_token, "")
        claims = self.read(first.access_token).claims
        self.assertNotIn("c_hash", claims)
        self.assertEqual(len(claims["at_hash"]), len(half_hash("ES256", "x")))
        self.assertNotEqual(claims["at_hash"], self.read(second.access_token).claims["at_hash"])

    def test_without_a_code_there_is_no_c_hash(self) -> None:
        self.assertNotIn("c_hash", self.read(self.issue().id_token).claims)

    def test_31_8_trusting_peer_is_in_the_audience(self) -> None:
        peer = Client(id="peer", trusted_peers=("app",))
        self.successResultOf(self.storage.write(Create(CLIENTS, peer)))
        for scopes in (
            ("openid", "audience:server:client_id:peer", "audience:server:client_id:app"),
            ("openid", "audience:server:client_id:peer"),
        ):
            tokens = self.issue(attrs.evolve(SUBJECT, scopes=scopes))
            for token in (tokens.access_token, tokens.id_token):
                claims = self.read(token).claims
                self.assertEqual((claims["aud"], claims["azp"]), (["peer", "app"], "app"))

    def test_17_2_trust_is_checked_again_at_signing(self) -> None:
        self.successResultOf(self.storage.write(Create(CLIENTS, Client(id="peer"))))
        for peer in ("peer", "unknown", ""):
            subject = attrs.evolve(SUBJECT, scopes=("openid", f"audience:server:client_id:{peer}"))
            for refused in (
                self.issuer.issue(subject),
                self.issuer.check_peers(subject.client_id, subject.scopes),
            ):
                self.assertEqual(self.failureResultOf(refused, OAuthError).value.error, "invalid_scope")

    def test_no_key_is_a_signing_error(self) -> None:
        self.issuer = attrs.evolve(self.issuer, signer=SilentSigner())
        self.failureResultOf(self.issuer.issue(SUBJECT), SigningError)

    def test_storage_is_asked_only_about_peers(self) -> None:
        self.issuer = attrs.evolve(self.issuer, storage=UnreachableStorage())
        self.issue()
        subject = attrs.evolve(SUBJECT, scopes=("openid", "audience:server:client_id:peer"))
        self.failureResultOf(self.issuer.issue(subject), StorageUnavailable)

    def test_WB_15_tokens_are_not_in_the_repr(self) -> None:
        tokens = self.issue()
        for token in (tokens.access_token, tokens.id_token):
            self.assertNotIn(token, repr(tokens))
