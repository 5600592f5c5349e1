"""The password grant (server rows 16.3, 31.10)."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    LoginRefused,
    Overloaded,
    PasswordConnector,
)
from dextwist.connectors.mock import MockPasswordConnector
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.password import PasswordGrant
from dextwist.model.client import Client
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.revoked_token import REVOKED_TOKENS
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.parameters import Form
from dextwist.storage.interface import NotFound, StorageUnavailable
from dextwist.telemetry.logins import LoginAudit
from dextwist.tokens.families import revocable_ids
from dextwist.tokens.refresh_tokens import parse_refresh_token
from tests.grants.fakes import (
    KILGORE,
    CountedMetrics,
    FakeUpstream,
    SteppedStorage,
    clock_at_the_beginning,
    new_login_tokens,
    opened,
)
from tests.signing.fakes import FakeSigner

APP = Client(id="app", secret="s")
SESSION_KEY = (KILGORE.user_id, "mock")


@attrs.define(eq=False)
class FailingConnector(PasswordConnector):
    """Raises what it is told to."""

    failure: Exception
    prompt: str = ""

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        raise self.failure


class PasswordTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.storage, self.signer, self.metrics = SteppedStorage(), FakeSigner(), CountedMetrics()
        clock = clock_at_the_beginning()
        self.grant = PasswordGrant(
            storage=self.storage,
            tokens=new_login_tokens(self.storage, clock, self.signer),
            asker=ConnectorAsker(audit=LoginAudit(metrics=self.metrics)),
            connector_id="mock",
        )
        self.connector: object = MockPasswordConnector(username="kilgore", password="pass")
        self.connector_grants: tuple[str, ...] = ()

    async def _answer(self, params: dict[str, str]) -> TokenResponse:
        asked = {"username": "kilgore", "password": "pass", "scope": "openid email", **params}
        request = TokenRequest(client=APP, form=Form(tuple(asked.items())))
        examined = await self.grant.examine(request)
        self.assertEqual(examined.connector_id, "mock")
        return await self.grant.redeem(examined, opened(self.connector, *self.connector_grants))

    def answer(self, **params: str) -> TokenResponse:
        response: TokenResponse = self.successResultOf(self._answer(params))
        return response

    def refused(self, **params: str) -> tuple[str, int]:
        error = self.failureResultOf(self._answer(params), OAuthError).value
        return error.error, error.status

    def claims(self, token: str) -> dict[str, Any]:
        return dict(self.successResultOf(self.signer.verify(token)).claims)


class TokenTests(PasswordTestCase):
    def test_31_10_tokens_of_a_person_without_a_browser(self) -> None:
        response = self.answer(nonce="n-1")
        self.assertEqual(response.refresh_token, "")
        claims = self.claims(response.id_token)
        self.assertEqual(
            (claims["sub"], claims["email"], claims["nonce"]),
            ("Cg0wLTM4NS0yODA4OS0wEgRtb2Nr", "kilgore@kilgore.trout", "n-1"),
        )
        self.assertEqual(set(claims) & {"auth_time", "sid", "c_hash"}, set())
        self.failureResultOf(self.storage.get(OFFLINE_SESSIONS, SESSION_KEY), NotFound)

    def test_31_10_refresh_token_and_connector_data_when_asked_for(self) -> None:
        response = self.answer(scope="openid offline_access")
        token_id, secret = parse_refresh_token(response.refresh_token)
        token = self.successResultOf(self.storage.get(REFRESH_TOKENS, token_id))
        self.assertEqual((token.token, token.client_id, token.connector_id), (secret, "app", "mock"))
        session = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, SESSION_KEY))
        self.assertEqual((list(session.refresh), session.connector_data), ([token_id], b'{"test": "true"}'))

    def test_RL_03_access_token_belongs_to_the_refresh_tokens_family(self) -> None:
        with_refresh = self.claims(self.answer(scope="openid offline_access").access_token)
        alone = self.claims(self.answer().access_token)
        self.assertEqual([len(revocable_ids(claims["jti"])) for claims in (with_refresh, alone)], [2, 1])

    def test_15_4_no_refresh_token_where_the_connector_gives_none(self) -> None:
        self.connector_grants = ("password",)
        self.assertEqual(self.answer(scope="openid offline_access").refresh_token, "")

    def test_a_refresh_token_that_was_not_stored_is_not_given(self) -> None:
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self._answer({"scope": "openid offline_access"}), StorageUnavailable)


class RefusalTests(PasswordTestCase):
    def test_31_10_wrong_passwords(self) -> None:
        for params in ({"password": "wrong"}, {"username": "nobody"}):
            self.assertEqual(self.refused(**params), ("access_denied", 401))

    def test_16_3_missing_parameters(self) -> None:
        for params in ({"password": ""}, {"username": ""}):
            self.assertEqual(self.refused(**params), ("invalid_request", 400))

    def test_15_2_scopes(self) -> None:
        for scope in ("", "profile", "openid wings", "openid audience:server:client_id:other"):
            self.assertEqual(self.refused(scope=scope), ("invalid_scope", 400), scope)

    def test_16_3_connector_that_takes_no_password(self) -> None:
        self.connector = FakeUpstream()
        self.assertEqual(self.refused(), ("invalid_request", 400))

    def test_interface_3_1_what_connectors_raise(self) -> None:
        for failure, error in (
            (LoginRefused("u", ("admins",)), ("access_denied", 400)),
            (ConnectorError("ldap.internal: bad hash"), ("server_error", 500)),
            (ConnectorError("ldap.internal", timed_out=True), ("temporarily_unavailable", 503)),
            (ConnectorError("ldap.internal", unreachable=True), ("temporarily_unavailable", 503)),
        ):
            self.connector = FailingConnector(failure)
            refusal = self.failureResultOf(self._answer({}), OAuthError).value
            self.assertEqual((refusal.error, refusal.status), error)
            self.assertNotIn("ldap.internal", refusal.description)

    def test_overload_names_when_to_come_back(self) -> None:
        self.connector = FailingConnector(Overloaded(7))
        refusal = self.failureResultOf(self._answer({}), OAuthError).value
        self.assertEqual((refusal.status, refusal.retry_after), (503, 7))


class AuditTests(PasswordTestCase):
    def test_every_login_is_recorded_and_counted(self) -> None:
        with captured_logs() as events:
            self.answer()
            self.refused(password="wrong-password")
            self.connector = FailingConnector(LoginRefused("u"))
            self.refused()
        self.assertEqual(
            [event["log_format"] for event in events],
            ["login successful", "login failed: invalid credentials", "login failed: {err}"],
        )
        self.assertEqual({(e["connector_id"], e["client_id"]) for e in events}, {("mock", "app")})
        self.assertEqual(self.metrics.logins, [("mock", "success"), ("mock", "invalid"), ("mock", "refused")])

    def test_WB_15_passwords_are_not_logged(self) -> None:
        with captured_logs() as events:
            self.answer()
            self.refused(password="wrong-password")
        self.assertNotIn("wrong-password", repr(events))
        self.assertNotIn("'pass'", repr(events))

    def test_nothing_else_is_stored(self) -> None:
        self.answer()
        self.assertEqual(self.successResultOf(self.storage.page(REVOKED_TOKENS)).values, ())
        self.assertEqual(self.successResultOf(self.storage.page(REFRESH_TOKENS)).values, ())
