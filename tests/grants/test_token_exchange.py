"""The token exchange grant (server rows 16.5, 31.10; interface 4.7)."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    ConnectorError,
    Identity,
    LoginRefused,
    TokenIdentityConnector,
)
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.token_exchange import ACCESS_TOKEN, ID_TOKEN, TokenExchangeGrant
from dextwist.model.client import CLIENTS, Client
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.parameters import Form
from dextwist.storage.interface import Create
from dextwist.storage.memory import MemoryStorage
from dextwist.telemetry.logins import LoginAudit
from tests.grants.fakes import (
    KILGORE,
    CountedMetrics,
    FakeUpstream,
    clock_at_the_beginning,
    new_issuer,
    opened,
)
from tests.signing.fakes import FakeSigner

APP = Client(id="app", secret="s")
OTHER_TYPE = "urn:ietf:params:oauth:token-type:saml2"


@attrs.define(eq=False)
class KnowsTokens(TokenIdentityConnector):
    """Knows whose every token is, unless it is told to fail; remembers what it was asked."""

    failure: Exception | None = None
    asked: list[tuple[str, str]] = attrs.field(factory=list)

    async def token_identity(self, subject_token_type: str, subject_token: str) -> Identity:
        self.asked.append((subject_token_type, subject_token))
        if self.failure is not None:
            raise self.failure
        return Identity(claims=KILGORE)


class TokenExchangeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.storage, self.signer = MemoryStorage(), FakeSigner()
        issuer = new_issuer(self.storage, clock_at_the_beginning(), self.signer)
        asker = ConnectorAsker(audit=LoginAudit(metrics=CountedMetrics()))
        self.grant = TokenExchangeGrant(issuer=issuer, asker=asker)
        self.connector: Any = KnowsTokens()

    async def _answer(self, params: dict[str, str]) -> TokenResponse:
        asked = {
            "connector_id": "mock",
            "subject_token": "foobar",
            "subject_token_type": ID_TOKEN,
            "scope": "openid",
            **params,
        }
        form = Form(tuple((name, value) for name, value in asked.items() if value))
        examined = await self.grant.examine(TokenRequest(client=APP, form=form))
        self.assertEqual(examined.connector_id, "mock")
        return await self.grant.redeem(examined, opened(self.connector))

    def answer(self, **params: str) -> TokenResponse:
        response: TokenResponse = self.successResultOf(self._answer(params))
        return response

    def refused(self, **params: str) -> tuple[str, int]:
        error = self.failureResultOf(self._answer(params), OAuthError).value
        return error.error, error.status

    def test_31_10_types(self) -> None:
        for subject, requested, issued, typ in (
            (ID_TOKEN, ACCESS_TOKEN, ACCESS_TOKEN, "at+jwt"),
            (ID_TOKEN, ID_TOKEN, ID_TOKEN, "JWT"),
            (ID_TOKEN, "", ACCESS_TOKEN, "at+jwt"),
            (ACCESS_TOKEN, ACCESS_TOKEN, ACCESS_TOKEN, "at+jwt"),
        ):
            response = self.answer(subject_token_type=subject, requested_token_type=requested)
            members = response.as_dict()
            self.assertEqual(set(members), {"access_token", "issued_token_type", "token_type", "expires_in"})
            self.assertEqual((members["issued_token_type"], members["token_type"]), (issued, "bearer"))
            token = self.successResultOf(self.signer.verify(response.access_token))
            self.assertEqual(
                (token.header["typ"], token.claims["sub"]), (typ, "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr")
            )
            self.assertEqual(self.connector.asked[-1], (subject, "foobar"))

    def test_16_5_no_login_is_told_of(self) -> None:
        token = self.answer(nonce="n", scope="openid email groups", requested_token_type=ID_TOKEN)
        claims = self.successResultOf(self.signer.verify(token.access_token)).claims
        self.assertEqual(set(claims) & {"auth_time", "sid", "nonce"}, set())
        self.assertEqual((claims["email"], claims["groups"]), (KILGORE.email, ["authors"]))

    def test_31_10_incomplete_or_impossible_requests_ask_nobody(self) -> None:
        for params in (
            {"subject_token_type": ""},
            {"subject_token": ""},
            {"connector_id": ""},
            {"subject_token_type": OTHER_TYPE},
            {"subject_token_type": "id_token"},
            {"requested_token_type": OTHER_TYPE},
            {"requested_token_type": "coffee"},
        ):
            self.assertEqual(self.refused(**params), ("invalid_request", 400), params)
        self.assertEqual(self.connector.asked, [])

    def test_16_5_untrusted_audience_asks_nobody(self) -> None:
        self.assertEqual(self.refused(scope="openid audience:server:client_id:peer"), ("invalid_scope", 400))
        self.assertEqual(self.connector.asked, [])

    def test_16_5_audience_of_a_peer_that_trusts(self) -> None:
        self.successResultOf(self.storage.write(Create(CLIENTS, Client(id="peer", trusted_peers=("app",)))))
        response = self.answer(scope="audience:server:client_id:peer")
        claims = self.successResultOf(self.signer.verify(response.access_token)).claims
        self.assertEqual((claims["aud"], claims["azp"]), (["peer", "app"], "app"))

    def test_16_5_unknown_scopes_are_ignored_and_that_is_said(self) -> None:
        self.assertEqual(self.answer(scope="openid wings email tail").scope, "openid email")
        self.assertEqual(self.answer(scope="email").scope, "")

    def test_OA_45_what_connectors_raise(self) -> None:
        for failure, error in (
            (ConnectorError("token: wrong audience"), ("invalid_request", 400)),
            (ConnectorError("upstream.internal", timed_out=True), ("temporarily_unavailable", 503)),
            (ConnectorError("upstream.internal", unreachable=True), ("temporarily_unavailable", 503)),
            (LoginRefused("u", ("admins",)), ("access_denied", 400)),
        ):
            self.connector = KnowsTokens(failure)
            refusal = self.failureResultOf(self._answer({}), OAuthError).value
            self.assertEqual((refusal.error, refusal.status), error)
            self.assertNotIn("internal", refusal.description)

    def test_4_7_connector_that_exchanges_nothing(self) -> None:
        self.connector = FakeUpstream()
        self.assertEqual(self.refused(), ("invalid_request", 400))

    def test_16_5_the_audit_record(self) -> None:
        with captured_logs() as events:
            self.answer(subject_token="the-token", requested_token_type=ID_TOKEN)
        (event,) = events
        self.assertEqual(event["log_format"], "token exchange successful")
        names = (
            "connector_id",
            "client_id",
            "user_id",
            "username",
            "email",
            "groups",
            "subject_token_type",
            "requested_token_type",
        )
        self.assertEqual(
            [event[name] for name in names],
            ["mock", "app", KILGORE.user_id, "Kilgore Trout", KILGORE.email, ["authors"], ID_TOKEN, ID_TOKEN],
        )
        self.assertNotIn("the-token", repr(event))
