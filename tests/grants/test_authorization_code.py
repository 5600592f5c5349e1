"""Redeeming authorization codes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.authorization_code import MAX_FAILED_ATTEMPTS, AuthorizationCodeGrant
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.claims import ProofKey
from dextwist.model.client import Client
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.hashes import half_hash
from dextwist.oauth.parameters import Form
from dextwist.signing.interface import InvalidToken, VerifiedToken
from dextwist.storage.interface import Create, NotFound, StorageUnavailable, every
from dextwist.tokens.refresh_tokens import parse_refresh_token
from dextwist.tokens.verifier import TokenVerifier
from tests.grants.fakes import (
    BEGAN,
    ISSUER,
    KILGORE,
    Choose,
    FakeUpstream,
    SteppedStorage,
    clock_at_the_beginning,
    every_schedule,
    new_login_tokens,
    opened,
)
from tests.signing.fakes import FakeSigner

APP, OTHER = Client(id="app", secret="s"), Client(id="other", secret="s")
R1 = "https://app.test/cb"
CODE = "a" + "b" * 50
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
S256 = ProofKey(code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method="S256")


class CodeTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock_at_the_beginning()
        self.storage = SteppedStorage()
        self.signer = FakeSigner()
        self.grant = AuthorizationCodeGrant(
            storage=self.storage,
            tokens=new_login_tokens(self.storage, self.clock, self.signer),
            clock=self.clock,
        )
        self.connector = opened(FakeUpstream())

    def store(self, **how: Any) -> AuthCode:
        code = AuthCode(
            id=CODE,
            client_id="app",
            redirect_uri=R1,
            scopes=("openid", "email", "offline_access"),
            connector_id="mock",
            expires_at=BEGAN + timedelta(minutes=5),
            nonce="n",
            claims=KILGORE,
            connector_data=b"upstream",
            auth_time=BEGAN - timedelta(seconds=7),
            session_id="sid-1",
        )
        code = attrs.evolve(code, **how)
        self.successResultOf(self.storage.write(Create(AUTH_CODES, code)))
        return code

    def stored(self) -> AuthCode:
        code: AuthCode = self.successResultOf(self.storage.get(AUTH_CODES, CODE))
        return code

    async def exchange(self, client: Client, fields: dict[str, str]) -> TokenResponse:
        examined = await self.grant.examine(TokenRequest(client=client, form=Form(tuple(fields.items()))))
        self.assertEqual(examined.connector_id, "mock")
        return await self.grant.redeem(examined, self.connector)

    def begun(self, of: Client = APP, **fields: str) -> Deferred[TokenResponse]:
        wanted = {"code": CODE, "redirect_uri": R1, **fields}
        return Deferred.fromCoroutine(self.exchange(of, wanted))

    def redeemed(self, **fields: str) -> TokenResponse:
        response: TokenResponse = self.successResultOf(self.begun(APP, **fields))
        return response

    def refused(self, client: Client = APP, **fields: str) -> OAuthError:
        error = self.failureResultOf(self.begun(client, **fields), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual(error.status, 400)
        return error

    def read(self, token: str) -> VerifiedToken:
        verified: VerifiedToken = self.successResultOf(self.signer.verify(token))
        return verified

    def refresh_token_ids(self) -> set[str]:
        return {token.id for token in self.successResultOf(every(self.storage, REFRESH_TOKENS))}


class RedeemTests(CodeTestCase):
    def test_16_1_tokens_say_what_the_code_stood_for(self) -> None:
        self.store()
        response = self.redeemed()
        self.assertEqual(response.expires_in, 3600)
        for token in (response.access_token, response.id_token):
            claims = self.read(token).claims
            self.assertEqual((claims["sub"], claims["nonce"]), ("Cg0wLTM4NS0yODA4OS0wEgRtb2Nr", "n"))
            self.assertEqual((claims["email"], claims["sid"]), ("kilgore@kilgore.trout", "sid-1"))
            self.assertEqual(claims["auth_time"], int(BEGAN.timestamp()) - 7)
        claims = self.read(response.id_token).claims
        self.assertEqual(claims["at_hash"], half_hash("ES256", response.access_token))
        self.assertEqual(claims["c_hash"], half_hash("ES256", CODE))

    def test_15_4_refresh_token_is_stored_with_what_it_stands_for(self) -> None:
        self.store()
        token_id, secret = parse_refresh_token(self.redeemed().refresh_token)
        token = self.successResultOf(self.storage.get(REFRESH_TOKENS, token_id))
        self.assertEqual((token.token, token.client_id, token.nonce), (secret, "app", "n"))
        self.assertEqual((token.claims, token.auth_time), (KILGORE, BEGAN - timedelta(seconds=7)))
        session = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, (KILGORE.user_id, "mock")))
        self.assertEqual(
            (session.connector_data, session.refresh[token_id].session_id), (b"upstream", "sid-1")
        )

    def test_15_4_no_refresh_token_unless_scope_connector_and_grant_types_allow_it(self) -> None:
        for scopes, connector in [
            (("openid",), opened(FakeUpstream())),
            (("openid", "offline_access"), opened(object())),
            (("openid", "offline_access"), opened(FakeUpstream(), "authorization_code")),
        ]:
            self.setUp()
            self.connector = connector
            self.store(scopes=scopes)
            self.assertEqual(self.redeemed().refresh_token, "")
            self.assertEqual(self.refresh_token_ids(), set())

    def test_code_without_a_connector_gives_no_refresh_token(self) -> None:
        code = self.store()
        examined = self.successResultOf(
            self.grant.examine(TokenRequest(client=APP, form=Form((("code", code.id), ("redirect_uri", R1)))))
        )
        self.assertEqual(self.successResultOf(self.grant.redeem(examined, None)).refresh_token, "")

    def test_OA_30_two_logins_give_two_refresh_tokens(self) -> None:
        self.store()
        first = self.redeemed().refresh_token
        self.successResultOf(
            self.storage.write(Create(AUTH_CODES, attrs.evolve(self.stored(), id="c2", redeemed=False)))
        )
        second = self.redeemed(code="c2").refresh_token
        self.assertEqual(self.refresh_token_ids(), {parse_refresh_token(t)[0] for t in (first, second)})


class RefusalTests(CodeTestCase):
    def test_31_8_missing_code(self) -> None:
        self.assertEqual(self.refused(code="").error, "invalid_request")

    def test_31_8_unknown_code(self) -> None:
        self.assertEqual(self.refused(code="nonsense").error, "invalid_grant")

    def test_OA_11_expired_code(self) -> None:
        self.store()
        self.clock.advance(299.9)
        self.successResultOf(self.grant.examine(self.request()))
        self.clock.advance(0.1)
        self.assertEqual(self.refused().error, "invalid_grant")

    def request(self) -> TokenRequest:
        return TokenRequest(client=APP, form=Form((("code", CODE), ("redirect_uri", R1))))

    def test_OA_09_code_is_bound_to_its_client(self) -> None:
        self.store()
        self.assertEqual(self.refused(OTHER).error, "invalid_grant")
        self.redeemed()

    def test_OA_10_30_46_code_is_bound_to_its_target(self) -> None:
        self.store()
        for target in ("", R1 + "/", R1.upper(), "https://app.test/other"):
            self.assertEqual(self.refused(redirect_uri=target).error, "invalid_grant")
        self.redeemed()

    def test_OA_12_wrong_verifier_does_not_spend_the_code(self) -> None:
        self.store(proof_key=S256)
        for verifier in ("", VERIFIER[::-1], S256.code_challenge):
            self.assertEqual(self.refused(code_verifier=verifier).error, "invalid_grant")
        self.redeemed(code_verifier=VERIFIER)

    def test_31_8_method_at_the_token_endpoint_changes_nothing(self) -> None:
        self.store(proof_key=S256)
        refused = self.refused(code_verifier=S256.code_challenge, code_challenge_method="plain")
        self.assertEqual(refused.error, "invalid_grant")

    def test_31_8_verifier_without_a_challenge(self) -> None:
        self.store()
        self.assertEqual(self.refused(code_verifier=VERIFIER).error, "invalid_request")
        self.assertEqual(self.stored().failed_attempts, 0)

    def test_30_46_five_wrong_verifiers_spend_the_code(self) -> None:
        self.store(proof_key=S256)
        self.assertEqual(MAX_FAILED_ATTEMPTS, 5)
        for _ in range(5):
            self.assertEqual(self.refused(code_verifier="x" * 43).error, "invalid_grant")
        self.assertEqual(self.refused(code_verifier=VERIFIER).error, "invalid_grant")

    def test_30_46_four_wrong_verifiers_do_not(self) -> None:
        self.store(proof_key=S256)
        for _ in range(4):
            self.refused(code_verifier="x" * 43)
        self.redeemed(code_verifier=VERIFIER)

    def test_30_46_five_wrong_clients_spend_the_code(self) -> None:
        self.store()
        for _ in range(5):
            self.refused(OTHER)
        self.assertEqual(self.refused().error, "invalid_grant")

    def test_answers_do_not_say_why_a_code_is_no_good(self) -> None:
        unknown = self.refused(code="nonsense").description
        self.store(expires_at=BEGAN)
        self.assertEqual(self.refused().description, unknown)
        self.assertEqual(self.refused(OTHER).description, unknown)

    def test_refused_codes_give_nothing(self) -> None:
        self.store(proof_key=S256)
        self.refused(OTHER)
        self.refused(code_verifier="x" * 43)
        self.assertEqual(self.refresh_token_ids(), set())
        self.assertFalse(self.stored().redeemed)

    def test_RL_05_storage_that_fails_is_told_as_such_and_spends_nothing(self) -> None:
        self.store()
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.begun(), StorageUnavailable)
        self.storage.write_failure = None
        self.redeemed()

    def test_code_that_is_collected_meanwhile_is_unknown(self) -> None:
        self.store()
        examined = self.successResultOf(self.grant.examine(self.request()))
        self.successResultOf(self.storage.collect_garbage(BEGAN + timedelta(days=1)))
        refused = self.failureResultOf(self.grant.redeem(examined, self.connector), OAuthError).value
        self.assertEqual(refused.error, "invalid_grant")
        self.assertEqual(self.refresh_token_ids(), set())


class ReplayTests(CodeTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.verifier = TokenVerifier(
            issuer=ISSUER, signer=self.signer, storage=self.storage, clock=self.clock
        )

    def assert_ended(self, response: TokenResponse) -> None:
        self.failureResultOf(self.verifier.access_token(response.access_token), InvalidToken)
        token_id, _ = parse_refresh_token(response.refresh_token)
        self.failureResultOf(self.storage.get(REFRESH_TOKENS, token_id), NotFound)
        session = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, (KILGORE.user_id, "mock")))
        self.assertNotIn(token_id, session.refresh)

    def test_OA_08_31_8_code_works_once(self) -> None:
        self.store()
        self.redeemed()
        self.assertEqual(self.refused().error, "invalid_grant")

    def test_OA_08_30_46_second_use_ends_what_the_first_gave(self) -> None:
        self.store()
        response = self.redeemed()
        self.successResultOf(self.verifier.access_token(response.access_token))
        self.refused()
        self.assert_ended(response)
        self.refused()
        self.assert_ended(response)

    def test_OA_08_access_token_is_remembered_as_ended_for_as_long_as_it_would_live(self) -> None:
        self.store(scopes=("openid",))
        response = self.redeemed()
        self.clock.advance(60)
        self.refused()
        self.successResultOf(self.storage.collect_garbage(BEGAN + timedelta(hours=1)))
        self.failureResultOf(self.verifier.access_token(response.access_token), InvalidToken)

    def test_OA_08_second_use_without_the_verifier_ends_it_too(self) -> None:
        self.store(proof_key=S256)
        response = self.redeemed(code_verifier=VERIFIER)
        self.refused()
        self.assert_ended(response)

    def test_OA_09_another_client_cannot_end_what_a_code_gave(self) -> None:
        self.store()
        response = self.redeemed()
        for _ in range(7):
            self.refused(OTHER)
        self.successResultOf(self.verifier.access_token(response.access_token))
        self.assertEqual(len(self.refresh_token_ids()), 1)

    def test_OA_08_replay_is_audited_without_secrets(self) -> None:
        self.store()
        self.redeemed()
        with captured_logs() as events:
            self.refused()
        (event,) = events
        self.assertIn("code_replay", event["log_format"])
        self.assertEqual((event["client_id"], event["user_id"]), ("app", KILGORE.user_id))
        self.assertNotIn(CODE, repr(event))

    def test_RL_05_replay_that_cannot_be_acted_upon_is_told_as_such(self) -> None:
        self.store()
        response = self.redeemed()
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.begun(), StorageUnavailable)
        self.storage.write_failure = None
        self.refused()
        self.assert_ended(response)

    def test_RL_02_OA_08_parallel_redemptions_give_at_most_one_answer(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            self.store()
            turnstile = self.storage.turnstile
            turnstile.shut = True
            both = [self.begun(), self.begun()]
            while turnstile.waiting:
                turnstile.let_on(choose(len(turnstile.waiting)))
            turnstile.shut = False
            answers: list[TokenResponse] = []
            for one in both:
                one.addCallbacks(answers.append, lambda failure: failure.trap(OAuthError))
            (response,) = answers
            self.assertTrue(self.stored().redeemed)
            # The loser is a replay: whoever won has nothing of it.
            self.assert_ended(response)

        self.assertGreater(every_schedule(scenario), 50)


class ExamineTests(CodeTestCase):
    def test_examining_changes_nothing(self) -> None:
        before = self.store(proof_key=S256)
        request = TokenRequest(
            client=APP, form=Form((("code", CODE), ("redirect_uri", R1), ("code_verifier", VERIFIER)))
        )
        for _ in range(10):
            self.successResultOf(self.grant.examine(request))
        self.assertEqual(self.stored(), before)
