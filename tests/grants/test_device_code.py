"""Devices that poll."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.device_code import DeviceCodeGrant
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.claims import ProofKey
from dextwist.model.client import Client
from dextwist.model.device import DEVICE_TOKENS, DeviceLogin, DeviceToken, DeviceTokenStatus
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.hashes import half_hash
from dextwist.oauth.parameters import Form
from dextwist.storage.interface import Create, StorageUnavailable, every
from dextwist.tokens.families import family_of, revocable_ids
from dextwist.tokens.refresh_tokens import parse_refresh_token
from tests.grants.fakes import (
    BEGAN,
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

TV, APP = Client(id="tv", public=True), Client(id="app", secret="s")
CODE = "d" * 51
PENDING = DeviceToken(
    device_code=CODE, client_id="tv", expires_at=BEGAN + timedelta(minutes=5), last_polled_at=BEGAN
)
LOGIN = DeviceLogin(
    scopes=("openid", "email", "offline_access"),
    connector_id="mock",
    claims=KILGORE,
    connector_data=b"upstream",
    auth_time=BEGAN - timedelta(seconds=7),
    session_id="sid-1",
)
COMPLETE = attrs.evolve(PENDING, status=DeviceTokenStatus.COMPLETE, login=LOGIN)
#: The pair that dex's own tests use.
VERIFIER = "66114650f56cc45dee7ee03c49f048ddf9aa53cbf5b09985832fa4f790ff2604"
S256 = ProofKey(code_challenge="L7ZqsT_zNwvrH8E7J0CqPHx1wgBaFiaE-fAZcKUUAbc", code_challenge_method="S256")


class PollCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock_at_the_beginning()
        self.storage = SteppedStorage()
        self.signer = FakeSigner()
        self.grant = DeviceCodeGrant(
            storage=self.storage,
            tokens=new_login_tokens(self.storage, self.clock, self.signer),
            clock=self.clock,
        )
        self.connector = opened(FakeUpstream())

    def store(self, token: DeviceToken) -> None:
        self.successResultOf(self.storage.write(Create(DEVICE_TOKENS, token)))

    def stored(self) -> list[DeviceToken]:
        tokens: list[DeviceToken] = self.successResultOf(every(self.storage, DEVICE_TOKENS))
        return tokens

    def poll(self, client: Client = TV, /, **fields: str) -> Deferred[TokenResponse]:
        async def polled() -> TokenResponse:
            form = Form(tuple({"device_code": CODE, **fields}.items()))
            examined = await self.grant.examine(TokenRequest(client=client, form=form))
            return await self.grant.redeem(examined, self.connector if examined.connector_id else None)

        return Deferred.fromCoroutine(polled())

    def given(self, client: Client = TV, /, **fields: str) -> TokenResponse:
        response: TokenResponse = self.successResultOf(self.poll(client, **fields))
        return response

    def told(self, client: Client = TV, /, **fields: str) -> str:
        error = self.failureResultOf(self.poll(client, **fields), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual(error.status, 400)
        return error.error


class WaitingTests(PollCase):
    def test_31_11_OA_41_first_poll_is_never_too_early(self) -> None:
        self.store(PENDING)
        self.assertEqual(self.told(), "authorization_pending")

    def test_OA_41_polls_in_time_go_on_pending(self) -> None:
        self.store(PENDING)
        for _ in range(5):
            self.assertEqual(self.told(), "authorization_pending")
            self.clock.advance(5)

    def test_31_11_just_polled(self) -> None:
        self.store(attrs.evolve(PENDING, poll_interval=10))
        self.clock.advance(9.9)
        self.assertEqual(self.told(), "slow_down")

    def test_OA_41_each_poll_that_is_too_early_adds_five_seconds(self) -> None:
        self.store(PENDING)
        self.told()
        self.assertEqual([self.told() for _ in range(3)], ["slow_down"] * 3)
        self.assertEqual(self.stored()[0].poll_interval, 20)
        self.clock.advance(19)
        self.assertEqual(self.told(), "slow_down")
        self.clock.advance(25)
        self.assertEqual(self.told(), "authorization_pending")
        self.clock.advance(5)
        self.assertEqual(self.told(), "authorization_pending")

    def test_two_polls_at_once_do_not_both_keep_the_interval(self) -> None:
        self.store(PENDING)
        self.told()
        self.clock.advance(5)
        self.storage.turnstile.shut = True
        polls = [self.poll(), self.poll()]
        self.storage.turnstile.open()
        found = [self.failureResultOf(poll, OAuthError).value for poll in polls]
        self.assertEqual([str(error) for error in found], ["authorization_pending", "slow_down"])

    def test_31_11_OA_41_expired(self) -> None:
        for token in (PENDING, COMPLETE, attrs.evolve(PENDING, status=DeviceTokenStatus.DENIED)):
            self.setUp()
            self.store(token)
            self.clock.advance(300)
            self.assertEqual(self.told(), "expired_token")

    def test_OA_41_denied(self) -> None:
        self.store(attrs.evolve(PENDING, status=DeviceTokenStatus.DENIED))
        self.assertEqual([self.told(), self.told()], ["access_denied"] * 2)

    def test_31_11_unknown_and_empty(self) -> None:
        self.assertEqual(self.told(), "invalid_grant")
        self.assertEqual(self.told(device_code=""), "invalid_request")

    def test_RL_05_storage_that_does_not_answer_is_no_refusal(self) -> None:
        self.store(PENDING)
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.poll(), StorageUnavailable)


class OwnerTests(PollCase):
    def test_OA_42_another_client_is_refused_and_leaves_no_trace(self) -> None:
        for token in (PENDING, COMPLETE, attrs.evolve(PENDING, status=DeviceTokenStatus.DENIED)):
            self.setUp()
            self.store(token)
            self.assertEqual([self.told(APP) for _ in range(3)], ["invalid_grant"] * 3)
            self.assertEqual(self.stored(), [token])

    def test_OA_42_the_owner_still_gets_its_tokens(self) -> None:
        self.store(COMPLETE)
        self.told(APP)
        self.assertTrue(self.given().access_token)


class FinishedTests(PollCase):
    def test_21_5_tokens_say_who_logged_in(self) -> None:
        self.store(COMPLETE)
        response = self.given()
        self.assertEqual(response.expires_in, 3600)
        for token in (response.access_token, response.id_token):
            claims = self.successResultOf(self.signer.verify(token)).claims
            self.assertEqual((claims["aud"], claims["sub"]), ("tv", "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr"))
            self.assertEqual((claims["email"], claims["sid"]), ("kilgore@kilgore.trout", "sid-1"))
            self.assertEqual(claims["auth_time"], int(BEGAN.timestamp()) - 7)
            self.assertNotIn("nonce", claims)
        self.assertEqual(claims["at_hash"], half_hash("ES256", response.access_token))

    def test_OA_41_tokens_are_given_once(self) -> None:
        self.store(COMPLETE)
        self.given()
        self.assertEqual([self.told(), self.told()], ["invalid_grant"] * 2)
        self.assertEqual(self.stored(), [])

    def test_finished_login_waits_for_no_interval(self) -> None:
        self.store(attrs.evolve(COMPLETE, poll_interval=60))
        self.given()

    def test_tokens_are_as_young_as_the_poll(self) -> None:
        self.store(COMPLETE)
        self.clock.advance(120)
        claims = self.successResultOf(self.signer.verify(self.given().id_token)).claims
        self.assertEqual(claims["iat"], int(BEGAN.timestamp()) + 120)

    def test_15_4_refresh_token(self) -> None:
        self.store(COMPLETE)
        response = self.given()
        token_id, secret = parse_refresh_token(response.refresh_token)
        jti = self.successResultOf(self.signer.verify(response.access_token)).claims["jti"]
        self.assertIn(family_of(token_id), revocable_ids(jti))
        token = self.successResultOf(self.storage.get(REFRESH_TOKENS, token_id))
        self.assertEqual((token.token, token.client_id, token.claims), (secret, "tv", KILGORE))
        self.assertEqual((token.scopes, token.nonce), (LOGIN.scopes, ""))
        session = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, (KILGORE.user_id, "mock")))
        self.assertEqual(session.connector_data, b"upstream")
        self.assertEqual(session.refresh[token_id].session_id, "sid-1")

    def test_15_4_no_refresh_token_unless_scope_connector_and_grant_types_allow_it(self) -> None:
        for scopes, connector in [
            (("openid",), opened(FakeUpstream())),
            (LOGIN.scopes, opened(object())),
            (LOGIN.scopes, opened(FakeUpstream(), "urn:ietf:params:oauth:grant-type:device_code")),
        ]:
            self.setUp()
            self.connector = connector
            self.store(attrs.evolve(COMPLETE, login=attrs.evolve(LOGIN, scopes=scopes)))
            self.assertEqual(self.given().refresh_token, "")
            self.assertEqual(self.successResultOf(every(self.storage, REFRESH_TOKENS)), [])

    def test_of_many_polls_at_once_one_gets_the_tokens(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            self.store(COMPLETE)
            turnstile, given = self.storage.turnstile, []
            turnstile.shut = True

            def ended(end: Any) -> None:
                if isinstance(end, TokenResponse):
                    given.append(end)

            for _ in range(2):
                self.poll().addBoth(ended)
            while turnstile.waiting:
                turnstile.let_on(choose(len(turnstile.waiting)))
            turnstile.open()
            self.assertEqual(len(given), 1)
            self.assertEqual(len(self.successResultOf(every(self.storage, REFRESH_TOKENS))), 1)

        self.assertGreater(every_schedule(scenario), 10)

    def test_RL_02_storage_that_does_not_answer_spends_nothing(self) -> None:
        self.store(COMPLETE)
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.poll(), StorageUnavailable)
        self.storage.write_failure = None
        self.given()

    def test_RL_02_signer_that_fails_gives_nothing_and_the_code_is_spent(self) -> None:
        self.store(COMPLETE)
        broken = new_login_tokens(self.storage, self.clock, _BrokenSigner())
        self.grant = attrs.evolve(self.grant, tokens=broken)
        self.failureResultOf(self.poll(), ZeroDivisionError)
        self.assertEqual(self.told(), "invalid_grant")


class ProofKeyTests(PollCase):
    def test_31_11_s256(self) -> None:
        self.store(attrs.evolve(COMPLETE, proof_key=S256))
        for wrong in ({}, {"code_verifier": VERIFIER[:-1] + "5"}, {"code_verifier": S256.code_challenge}):
            self.assertEqual(self.told(**wrong), "invalid_grant")
        self.given(code_verifier=VERIFIER)

    def test_31_11_wrong_challenge(self) -> None:
        self.store(attrs.evolve(COMPLETE, proof_key=attrs.evolve(S256, code_challenge="x" * 43)))
        self.assertEqual(self.told(code_verifier=VERIFIER), "invalid_grant")

    def test_31_11_verifier_without_challenge(self) -> None:
        self.store(COMPLETE)
        self.assertEqual(self.told(code_verifier=VERIFIER), "invalid_request")
        self.given()

    def test_verifier_is_looked_at_when_the_login_is_finished(self) -> None:
        self.store(attrs.evolve(PENDING, proof_key=S256))
        self.assertEqual(self.told(), "authorization_pending")


class AdoptedTests(PollCase):
    """What dex had stored when its data was taken over."""

    def finished(self, **claims: object) -> DeviceToken:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        answer = {
            "access_token": "at",
            "token_type": "bearer",
            "expires_in": 86399,
            "refresh_token": "rt",
            "id_token": f"h.{payload}.s",
        }
        return attrs.evolve(
            COMPLETE, client_id="", login=None, token_response=json.dumps(answer, indent=2), proof_key=S256
        )

    def test_31_11_complete_response_is_delivered_once(self) -> None:
        token = self.finished(aud="tv")
        self.store(token)
        self.assertEqual(self.told(), "invalid_grant", "without the verifier")
        response = self.given(code_verifier=VERIFIER)
        self.assertEqual(response.as_dict(), json.loads(token.token_response))
        self.assertEqual(self.told(code_verifier=VERIFIER), "invalid_grant")

    def test_response_without_refresh_token(self) -> None:
        token = self.finished(aud="tv")
        answer = json.loads(token.token_response)
        del answer["refresh_token"]
        self.store(attrs.evolve(token, token_response=json.dumps(answer)))
        self.assertEqual(self.given(code_verifier=VERIFIER).refresh_token, "")

    def test_OA_42_its_client_is_in_its_id_token(self) -> None:
        self.store(self.finished(aud=["peer", "app"], azp="app"))
        self.assertEqual(self.told(code_verifier=VERIFIER), "invalid_grant")
        self.given(APP, code_verifier=VERIFIER)

    def test_pending_one_goes_on_pending(self) -> None:
        self.store(attrs.evolve(PENDING, client_id=""))
        self.assertEqual(self.told(), "authorization_pending")


class _BrokenSigner(FakeSigner):
    async def with_signature(self, use: object) -> Any:
        raise ZeroDivisionError
