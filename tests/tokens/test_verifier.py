"""Reading our own tokens back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.model.revoked_token import REVOKED_TOKENS, RevokedToken
from dextwist.model.times import EPOCH
from dextwist.signing.interface import InvalidToken
from dextwist.storage.interface import Create, StorageUnavailable
from dextwist.storage.memory import MemoryStorage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.verifier import TokenVerifier
from tests.signing.fakes import FakeSigner

ISSUER = "https://idp.test/dex"
NOW = 1_700_000_000
SUBJECT = TokenSubject(client_id="app", scopes=("openid",), claims=Claims(user_id="u"), connector_id="mock")


class NoRevocations(MemoryStorage):
    """Cannot be read."""

    async def get(self, kind: Any, key: Any) -> Any:
        raise StorageUnavailable


class TokenVerifierTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.storage = MemoryStorage()
        self.signer = FakeSigner()
        self.verifier = self.over(self.storage)
        issuer = TokenIssuer(
            issuer=ISSUER,
            signer=self.signer,
            storage=self.storage,
            clock=self.clock,
            lifetime=timedelta(seconds=30),
        )
        self.tokens = self.successResultOf(issuer.issue(SUBJECT, access_token_id="jti-1"))

    def over(self, storage: MemoryStorage) -> TokenVerifier:
        return TokenVerifier(issuer=ISSUER, signer=self.signer, storage=storage, clock=self.clock)

    def signed(self, typ: str | None = "at+jwt", *, by: FakeSigner | None = None, **claims: Any) -> str:
        content = {"iss": ISSUER, "sub": "CgF1", "exp": NOW + 30, **claims}
        content = {name: value for name, value in content.items() if value is not None}
        job = (by or self.signer).with_signature(lambda s: s.sign(orjson.dumps(content), typ))
        token: str = self.successResultOf(job)
        return token

    def assert_refused(self, token: str) -> None:
        self.failureResultOf(self.verifier.access_token(token), InvalidToken)

    # -- access tokens

    def test_17_6_token_of_ours(self) -> None:
        verified = self.successResultOf(self.verifier.access_token(self.tokens.access_token))
        self.assertEqual(verified.claims["sub"], "CgF1EgRtb2Nr")

    def test_30_53_id_token_is_no_access_token(self) -> None:
        self.assert_refused(self.tokens.id_token)

    def test_17_6_token_that_dex_made_has_no_type_and_counts(self) -> None:
        self.successResultOf(self.verifier.access_token(self.signed(None)))
        self.successResultOf(self.verifier.id_token_hint(self.signed(None)))

    def test_OA_22_other_types(self) -> None:
        for typ in ("logout+jwt", "AT+JWT", "", "jwt"):
            self.assert_refused(self.signed(typ))

    def test_17_1_logout_token_is_no_other(self) -> None:
        events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        for typ in (None, "at+jwt", "JWT"):
            token = self.signed(typ, events=events)
            self.assert_refused(token)
            self.failureResultOf(self.verifier.id_token_hint(token), InvalidToken)

    def test_17_6_expiry_has_no_leeway(self) -> None:
        self.clock.advance(29.9)
        self.successResultOf(self.verifier.access_token(self.tokens.access_token))
        self.clock.advance(0.1)
        self.assert_refused(self.tokens.access_token)

    def test_token_must_say_when_it_ends(self) -> None:
        odd: tuple[Any, ...] = (None, "9999999999", True, [], {})
        for exp in odd:
            self.assert_refused(self.signed(exp=exp))

    def test_17_6_not_before_has_five_minutes(self) -> None:
        self.successResultOf(self.verifier.access_token(self.signed(nbf=NOW + 300)))
        for nbf in (NOW + 301, "0", False):
            self.assert_refused(self.signed(nbf=nbf))

    def test_17_6_issuer_is_compared_exactly(self) -> None:
        for iss in (ISSUER + "/", ISSUER.upper(), "https://other.test", [ISSUER], None):
            token = self.signed(iss=iss)
            self.assert_refused(token)
            self.failureResultOf(self.verifier.id_token_hint(token), InvalidToken)

    def test_OA_21_signature_by_another_key(self) -> None:
        self.assert_refused(self.signed(by=FakeSigner()))

    def test_OA_21_flipped_bit(self) -> None:
        head, _, signature = self.tokens.access_token.rpartition(".")
        flipped = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
        self.assert_refused(f"{head}.{flipped}")

    def test_OA_22_text_that_is_no_token(self) -> None:
        for text in ("", ".", "..", "a.b.c", "ünï", "eyJhbGciOiJub25lIn0.e30."):
            self.assert_refused(text)

    def test_OA_08_token_that_was_ended(self) -> None:
        revoked = RevokedToken(id="jti-1", expires_at=EPOCH + timedelta(seconds=NOW + 30))
        self.successResultOf(self.storage.write(Create(REVOKED_TOKENS, revoked)))
        self.assert_refused(self.tokens.access_token)
        self.successResultOf(self.verifier.access_token(self.signed(jti="jti-2")))

    def test_token_without_an_id_cannot_have_been_ended(self) -> None:
        self.verifier = self.over(NoRevocations())
        for jti in (None, "", 7):
            self.successResultOf(self.verifier.access_token(self.signed(jti=jti)))

    def test_RL_05_unknown_is_not_taken_for_not_revoked(self) -> None:
        verifier = self.over(NoRevocations())
        self.failureResultOf(verifier.access_token(self.tokens.access_token), StorageUnavailable)

    # -- hints

    def test_31_4_hint_may_have_expired(self) -> None:
        self.clock.advance(86400)
        verified = self.successResultOf(self.verifier.id_token_hint(self.tokens.id_token))
        self.assertEqual(verified.claims["sub"], "CgF1EgRtb2Nr")

    def test_30_53_access_token_is_no_hint(self) -> None:
        self.failureResultOf(self.verifier.id_token_hint(self.tokens.access_token), InvalidToken)

    def test_31_4_bad_hints(self) -> None:
        for token in (
            "garbage",
            self.signed("JWT", by=FakeSigner()),
            self.signed("JWT", iss="https://other.test"),
        ):
            self.failureResultOf(self.verifier.id_token_hint(token), InvalidToken)
