"""What is told of tokens, and to whom (server rows 20, 31.12; OA-23)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_session import AUTH_SESSIONS, AuthSession
from dextwist.model.claims import Claims
from dextwist.model.client import CLIENTS, Client
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.packed import packed
from dextwist.signing.interface import Signature
from dextwist.storage.interface import Create, Delete, StorageUnavailable, Update
from dextwist.storage.memory import MemoryStorage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import revocation
from dextwist.tokens.introspection import TokenIntrospector
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.refresh_policy import RefreshPolicy, redeemed
from dextwist.tokens.refresh_tokens import RefreshTokenMaker, ending, refresh_token_string
from dextwist.tokens.verifier import TokenVerifier
from tests.signing.fakes import FakeSigner

ISSUER = "https://idp.test/dex"
NOW = 1_700_000_000
HOUR = timedelta(hours=1)
PERSON = Claims(
    user_id="1",
    username="jane",
    preferred_username="janey",
    email="jane@example.com",
    email_verified=True,
    groups=("a", "b"),
)
SUBJECT = TokenSubject(
    client_id="app",
    scopes=("openid", "email", "profile", "groups", "offline_access"),
    claims=PERSON,
    connector_id="test",
)
INACTIVE = {"active": False}
APP, OTHER = Client(id="app"), Client(id="other")
PEER = Client(id="peer", trusted_peers=("app",))


def _sign(payload: bytes, signature: Signature) -> str:
    return signature.sign(payload)


class IntrospectionTestCase(SynchronousTestCase):
    policy = RefreshPolicy(reuse_interval=timedelta(seconds=30))

    def setUp(self) -> None:
        self.clock, self.storage, self.signer = Clock(), MemoryStorage(), FakeSigner()
        self.clock.advance(NOW)
        self.issuer = TokenIssuer(
            issuer=ISSUER, signer=self.signer, storage=self.storage, clock=self.clock, lifetime=HOUR
        )
        self.introspector = self.over(self.policy)
        for client in (APP, OTHER, PEER):
            self.successResultOf(self.storage.write(Create(CLIENTS, client)))

    def over(self, policy: RefreshPolicy) -> TokenIntrospector:
        verifier = TokenVerifier(issuer=ISSUER, signer=self.signer, storage=self.storage, clock=self.clock)
        return TokenIntrospector(
            issuer=ISSUER, storage=self.storage, verifier=verifier, clock=self.clock, policy=policy
        )

    def told(self, token: str, caller: Client | None = APP) -> dict[str, Any]:
        answer: dict[str, Any] = self.successResultOf(self.introspector.introspect(token, caller))
        return answer

    def access_token(self, **how: Any) -> str:
        issued = self.successResultOf(
            self.issuer.issue(attrs.evolve(SUBJECT, **how), access_token_id="jti-1")
        )
        token: str = issued.access_token
        return token

    def refresh_token(self, **how: Any) -> RefreshToken:
        maker = RefreshTokenMaker(storage=self.storage, max_per_client=20)
        making = maker.creation(attrs.evolve(SUBJECT, **how), utc_now(self.clock), b"")
        token, creation = self.successResultOf(making)
        self.successResultOf(self.storage.write(*creation))
        assert isinstance(token, RefreshToken)
        return token

    def be_bound(self, lifetime: str = "session") -> None:
        def bound(client: Client) -> Client:
            return attrs.evolve(client, refresh_token_lifetime=lifetime)

        self.successResultOf(self.storage.write(Update(CLIENTS, "app", bound)))

    def begin_session(self, session_id: str, **how: Any) -> None:
        session = AuthSession(id=session_id, secret="x", user_id="1", connector_id="test", **how)
        self.successResultOf(self.storage.write(Create(AUTH_SESSIONS, session)))


class AccessTokenTests(IntrospectionTestCase):
    def test_31_12_active_access_token(self) -> None:
        expected = {
            "active": True,
            "client_id": "app",
            "sub": "CgExEgR0ZXN0",
            "exp": NOW + 3600,
            "iat": NOW,
            "nbf": NOW,
            "username": "janey",
            "aud": "app",
            "iss": ISSUER,
            "token_type": "Bearer",
            "token_use": "access_token",
            "ext": {
                "email": "jane@example.com",
                "email_verified": True,
                "groups": ["a", "b"],
                "name": "jane",
                "preferred_username": "janey",
            },
        }
        answer = self.told(self.access_token())
        self.assertEqual(answer, expected)
        self.assertEqual(list(answer), list(expected))

    def test_20_nothing_empty_is_said(self) -> None:
        answer = self.told(self.access_token(scopes=("openid",)))
        self.assertNotIn("username", answer)
        self.assertEqual(answer["ext"], {})

    def test_20_federated_claims_and_audiences(self) -> None:
        answer = self.told(self.access_token(scopes=("federated:id", "audience:server:client_id:peer")))
        self.assertEqual((answer["client_id"], answer["aud"]), ("app", ["peer", "app"]))
        self.assertEqual(
            answer["ext"],
            {"azp": "app", "federated_claims": {"connector_id": "test", "user_id": "1"}},
        )

    def test_OA_23_who_may_know(self) -> None:
        token = self.access_token(scopes=("openid", "audience:server:client_id:peer"))
        self.assertTrue(self.told(token, APP)["active"])
        self.assertTrue(self.told(token, PEER)["active"])
        self.assertTrue(self.told(token, None)["active"])
        self.assertEqual(self.told(token, OTHER), INACTIVE)
        self.assertEqual(self.told(self.access_token(), PEER), INACTIVE)

    def test_20_a_client_that_is_no_more(self) -> None:
        token = self.access_token()
        self.successResultOf(self.storage.write(Delete(CLIENTS, "app")))
        self.assertEqual(self.told(token, None), INACTIVE)

    def test_20_tokens_for_nobody(self) -> None:
        for audience in (b"", b'"aud":[],', b'"aud":["a","b"],'):
            payload = b'{"iss":"%s",%s"exp":9999999999}' % (ISSUER.encode(), audience)
            token = self.successResultOf(self.signer.with_signature(partial(_sign, payload)))
            self.assertEqual(self.told(token, None), INACTIVE)

    def test_20_expired_and_revoked(self) -> None:
        token = self.access_token()
        self.successResultOf(self.storage.write(revocation("jti-1", utc_now(self.clock) + HOUR)))
        self.assertEqual(self.told(token), INACTIVE)
        self.setUp()
        token = self.access_token()
        self.clock.advance(3600)
        self.assertEqual(self.told(token), INACTIVE)

    def test_30_53_an_id_token_is_inactive(self) -> None:
        issued = self.successResultOf(self.issuer.issue(SUBJECT))
        self.assertEqual(self.told(issued.id_token), INACTIVE)

    def test_31_12_bound_client(self) -> None:
        self.be_bound()
        token = self.access_token(session_id="sid-1")
        self.assertEqual(self.told(token), INACTIVE, "ended")
        self.begin_session("sid-2")
        self.assertEqual(self.told(token), INACTIVE, "a new session of the same user")
        self.begin_session("sid-1", idle_expires_at=utc_now(self.clock) + timedelta(seconds=60))
        self.assertEqual((self.told(token)["active"], self.told(token)["ext"]["sid"]), (True, "sid-1"))
        self.clock.advance(60)
        self.assertEqual(self.told(token), INACTIVE, "expired")
        self.be_bound("standalone")
        self.assertTrue(self.told(token)["active"], "the client is bound no more")

    def test_31_12_token_without_a_session(self) -> None:
        self.be_bound()
        self.assertTrue(self.told(self.access_token())["active"])


class RefreshTokenTests(IntrospectionTestCase):
    def test_31_12_active_refresh_token(self) -> None:
        self.introspector = self.over(RefreshPolicy(absolute_lifetime=timedelta(hours=24)))
        answer = self.told(refresh_token_string(self.refresh_token(scopes=("openid",))))
        expected = {
            "active": True,
            "client_id": "app",
            "sub": "CgExEgR0ZXN0",
            "exp": NOW + 86400,
            "iat": NOW,
            "nbf": NOW,
            "username": "janey",
            "aud": "app",
            "iss": ISSUER,
            "token_type": "Bearer",
            "token_use": "refresh_token",
            "ext": {
                "email": "jane@example.com",
                "email_verified": True,
                "groups": ["a", "b"],
                "name": "jane",
                "preferred_username": "janey",
                "federated_claims": {"connector_id": "test", "user_id": "1"},
            },
        }
        self.assertEqual(answer, expected)
        self.assertEqual(list(answer), list(expected))

    def test_20_without_a_limit_there_is_no_exp(self) -> None:
        self.assertNotIn("exp", self.told(refresh_token_string(self.refresh_token())))

    def test_20_what_is_not_known_is_left_out_but_for_the_address_being_verified(self) -> None:
        answer = self.told(refresh_token_string(self.refresh_token(claims=Claims(user_id="1"))))
        self.assertNotIn("username", answer)
        self.assertEqual(
            answer["ext"],
            {"email_verified": False, "federated_claims": {"connector_id": "test", "user_id": "1"}},
        )

    def test_OA_23_only_its_client_may_know(self) -> None:
        token = refresh_token_string(self.refresh_token(scopes=("audience:server:client_id:peer",)))
        self.assertTrue(self.told(token, None)["active"])
        for caller in (OTHER, PEER):
            self.assertEqual(self.told(token, caller), INACTIVE)

    def test_20_a_secret_counts_as_long_as_it_could_be_redeemed(self) -> None:
        token = self.refresh_token()

        def rotated(current: RefreshToken) -> RefreshToken:
            now = utc_now(self.clock)
            return redeemed(current, self.policy, now, new_secret="new", claims=current.claims)

        self.successResultOf(self.storage.write(Update(REFRESH_TOKENS, token.id, rotated)))
        old, new = refresh_token_string(token), packed(token.id, "new")
        self.clock.advance(30)
        self.assertEqual((self.told(old)["active"], self.told(new)["active"]), (True, True))
        self.clock.advance(1)
        self.assertEqual((self.told(old), self.told(new)["active"]), (INACTIVE, True))
        self.successResultOf(self.storage.get(REFRESH_TOKENS, token.id))

    def test_31_12_what_is_no_token(self) -> None:
        token = self.refresh_token()
        for text in (
            "fake-token",
            "CgR0ZXN0EgNiYXI",
            "AaAaAaA",
            "a.b.c",
            "",
            token.id,
            packed(token.id, "x"),
        ):
            self.assertEqual(self.told(text), INACTIVE, text)

    def test_31_12_expired(self) -> None:
        token = refresh_token_string(self.refresh_token())
        self.introspector = self.over(RefreshPolicy(valid_if_not_used_for=HOUR))
        self.clock.advance(3600)
        self.assertTrue(self.told(token)["active"])
        self.clock.advance(1)
        self.assertEqual(self.told(token), INACTIVE)

    def test_20_one_that_a_refresh_would_refuse(self) -> None:
        ended, unlisted, kept = (self.refresh_token(), self.refresh_token(), self.refresh_token())
        changes = ending(ended.id, "1", "test", access_tokens_until=utc_now(self.clock))
        self.successResultOf(self.storage.write(*changes))
        self.successResultOf(
            self.storage.write(
                Update(
                    OFFLINE_SESSIONS,
                    ("1", "test"),
                    lambda session: attrs.evolve(session, refresh={kept.id: session.refresh[kept.id]}),
                )
            )
        )
        self.assertEqual(self.told(refresh_token_string(ended)), INACTIVE)
        self.assertEqual(self.told(refresh_token_string(unlisted)), INACTIVE)
        self.assertTrue(self.told(refresh_token_string(kept))["active"])
        self.successResultOf(self.storage.write(Delete(OFFLINE_SESSIONS, ("1", "test"))))
        self.assertEqual(self.told(refresh_token_string(kept)), INACTIVE)

    def test_30_60_bound_token_of_an_ended_session(self) -> None:
        self.be_bound()
        token = refresh_token_string(self.refresh_token(session_id="sid-1"))
        self.assertEqual(self.told(token), INACTIVE)
        self.begin_session("sid-1")
        answer = self.told(token)
        self.assertEqual((answer["active"], answer["ext"]["sid"]), (True, "sid-1"))


class TroubleTests(IntrospectionTestCase):
    def test_RL_05_a_storage_that_does_not_answer_makes_no_token_inactive(self) -> None:
        token = self.access_token()

        class Broken(MemoryStorage):
            async def get(self, kind: Any, key: Any) -> Any:
                raise StorageUnavailable

        self.storage = Broken()
        self.introspector = self.over(self.policy)
        for text in (token, "nonsense"):
            self.failureResultOf(self.introspector.introspect(text, APP), StorageUnavailable)
