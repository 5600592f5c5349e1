"""What every token request goes through."""

from __future__ import annotations

import base64
from typing import ClassVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorUnavailable, OpenedConnector
from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.token_endpoint import TokenEndpoint
from dextwist.model.client import CLIENTS, Client
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.parameters import Form
from dextwist.signing.client_assertions import ClientAssertions
from dextwist.storage.interface import Create, StorageUnavailable
from tests.grants.fakes import CountedMetrics, FakeConnectors, FakeUpstream, SteppedStorage, opened

APP = Client(id="app", secret="app-secret")
GRANT = "urn:test:grant"


@attrs.frozen
class Examined:
    connector_id: str
    client: Client


@attrs.define(eq=False)
class FakeGrant:
    """Presents the connector that the form names, and remembers what was redeemed."""

    grant_type: ClassVar[str] = GRANT

    redeemed: list[tuple[Examined, OpenedConnector | None]] = attrs.field(factory=list)
    refusal: OAuthError | None = None

    async def examine(self, request: TokenRequest) -> Examined:
        if self.refusal is not None:
            raise self.refusal
        return Examined(request.form.get("connector"), request.client)

    async def redeem(self, examined: Examined, opened: OpenedConnector | None) -> TokenResponse:
        self.redeemed.append((examined, opened))
        return TokenResponse(access_token="at", expires_in=1)


class TokenEndpointTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.storage = SteppedStorage()
        self.grant, self.metrics = FakeGrant(), CountedMetrics()
        self.connectors = FakeConnectors(connector=opened(FakeUpstream()))
        self.endpoint = TokenEndpoint(
            grants={GRANT: self.grant},
            authenticator=ClientAuthenticator(
                storage=self.storage, clock=Clock(), assertions=ClientAssertions(), audiences=()
            ),
            connectors=self.connectors,
            metrics=self.metrics,
        )
        self.store(APP)

    def store(self, client: Client) -> None:
        self.successResultOf(self.storage.write(Create(CLIENTS, client)))

    def answer(
        self, *fields: tuple[str, str], basic: str | None = "app:app-secret"
    ) -> Deferred[TokenResponse]:
        header = None if basic is None else "Basic " + base64.b64encode(basic.encode()).decode()
        return Deferred.fromCoroutine(self.endpoint.answer(Form(fields), header))

    def refused(self, *fields: tuple[str, str], basic: str | None = "app:app-secret") -> OAuthError:
        self.grant.redeemed.clear()
        self.metrics.issued.clear()
        error = self.failureResultOf(self.answer(*fields, basic=basic), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual(self.grant.redeemed, [])
        self.assertEqual(self.metrics.issued, [])
        return error


class FrameTests(TokenEndpointTestCase):
    def test_grant_is_redeemed_for_the_client(self) -> None:
        response = self.successResultOf(self.answer(("grant_type", GRANT)))
        self.assertEqual(response.access_token, "at")
        self.assertEqual(self.grant.redeemed, [(Examined("", APP), None)])
        self.assertEqual(self.metrics.issued, [GRANT])

    def test_31_8_unsupported_grant_types(self) -> None:
        for grant_type in ("", "implicit", "coffee", GRANT.upper(), GRANT + " "):
            error = self.refused(("grant_type", grant_type))
            self.assertEqual(
                (error.error, error.status, error.description), ("unsupported_grant_type", 400, "")
            )
        self.assertEqual(self.refused().error, "unsupported_grant_type")

    def test_15_grant_type_is_looked_at_before_the_client(self) -> None:
        self.assertEqual(self.refused(("grant_type", "x"), basic=None).error, "unsupported_grant_type")

    def test_repeated_parameters_are_invalid_requests(self) -> None:
        for name in ("grant_type", "client_id", "code", "something"):
            error = self.refused(("grant_type", GRANT), (name, "x"), (name, "x"))
            self.assertEqual((error.error, error.status), ("invalid_request", 400))

    def test_there_may_be_several_audiences_and_resources(self) -> None:
        fields = [(name, value) for name in ("audience", "resource") for value in ("x", "y")]
        self.successResultOf(self.answer(("grant_type", GRANT), *fields))

    def test_what_the_grant_refuses_is_refused(self) -> None:
        self.grant.refusal = OAuthError("invalid_grant")
        self.assertIs(self.refused(("grant_type", GRANT)), self.grant.refusal)


class ConnectorTests(TokenEndpointTestCase):
    REQUEST = (("grant_type", GRANT), ("connector", "mock"))

    def test_connector_is_handed_to_the_grant(self) -> None:
        self.successResultOf(self.answer(*self.REQUEST))
        self.assertIs(self.grant.redeemed[0][1], self.connectors.connector)

    def test_OA_31_interface_9_allowed_connectors(self) -> None:
        for number, (allowed, accepted) in enumerate(
            [(("mock",), True), (("other", "mock"), True), ((), True), (("other",), False)]
        ):
            name = f"limited{number}"
            self.store(Client(id=name, secret="s", allowed_connectors=allowed))
            if accepted:
                self.successResultOf(self.answer(*self.REQUEST, basic=f"{name}:s"))
            else:
                error = self.refused(*self.REQUEST, basic=f"{name}:s")
                self.assertEqual((error.error, error.status), ("invalid_grant", 400))

    def test_15_3_connector_that_does_not_serve_the_grant(self) -> None:
        self.connectors.connector = opened(FakeUpstream(), "authorization_code")
        error = self.refused(*self.REQUEST)
        self.assertEqual((error.error, error.status), ("invalid_request", 400))
        self.connectors.connector = opened(FakeUpstream(), "authorization_code", GRANT)
        self.successResultOf(self.answer(*self.REQUEST))

    def test_OA_29_connector_that_is_gone(self) -> None:
        error = self.refused(("grant_type", GRANT), ("connector", "removed"))
        self.assertEqual((error.error, error.status), ("invalid_grant", 400))

    def test_OA_31_the_policy_holds_for_connectors_that_cannot_be_opened(self) -> None:
        record = ConnectorRecord(id="mock", type="mock", name="Mock", grant_types=("password",))
        self.connectors.failure = ConnectorUnavailable("mock", "down", record)
        self.assertEqual(self.refused(*self.REQUEST).error, "invalid_request")
        self.store(Client(id="limited", secret="s", allowed_connectors=("other",)))
        self.assertEqual(self.refused(*self.REQUEST, basic="limited:s").error, "invalid_grant")

    def test_RL_11_connector_that_cannot_be_opened_now(self) -> None:
        self.connectors.failure = ConnectorUnavailable(
            "mock", "secret details of the upstream", ConnectorRecord(id="mock", type="mock", name="Mock")
        )
        error = self.refused(*self.REQUEST)
        self.assertEqual((error.error, error.status), ("temporarily_unavailable", 503))
        self.assertIsNotNone(error.retry_after)
        self.assertNotIn("details", error.description)


class AuthenticationTests(TokenEndpointTestCase):
    def authenticated(self, *fields: tuple[str, str], basic: str | None = None) -> Client:
        self.grant.redeemed.clear()
        self.successResultOf(self.answer(("grant_type", GRANT), *fields, basic=basic))
        return self.grant.redeemed[0][0].client

    def not_authenticated(self, *fields: tuple[str, str], basic: str | None = None) -> OAuthError:
        error = self.refused(("grant_type", GRANT), *fields, basic=basic)
        self.assertEqual((error.error, error.status), ("invalid_client", 401))
        return error

    def test_15_1_both_ways(self) -> None:
        self.assertEqual(self.authenticated(basic="app:app-secret"), APP)
        self.assertEqual(self.authenticated(("client_id", "app"), ("client_secret", "app-secret")), APP)

    def test_OA_15_wrong_credentials_look_alike(self) -> None:
        descriptions = {
            self.not_authenticated(basic=basic).description
            for basic in (
                "app:wrong",
                "nobody:wrong",
                "app:",
                "app:app-secret ",
                "app:app-secre",
                ":",
                ":app-secret",
            )
        }
        descriptions |= {
            self.not_authenticated(*fields).description
            for fields in (
                (),
                (("client_id", "app"),),
                (("client_secret", "app-secret"),),
                (("client_id", "app"), ("client_secret", "wrong")),
                (("client_id", "nobody"), ("client_secret", "wrong")),
            )
        }
        self.assertEqual(len(descriptions), 1)

    def test_15_1_wrong_basic_is_not_healed_by_the_body(self) -> None:
        self.not_authenticated(("client_id", "app"), ("client_secret", "app-secret"), basic="app:wrong")

    def test_15_1_public_clients(self) -> None:
        cli = Client(id="cli", public=True)
        locked = Client(id="locked", public=True, secret="public-secret")
        self.store(cli)
        self.store(locked)
        self.assertEqual(self.authenticated(("client_id", "cli")), cli)
        self.assertEqual(self.authenticated(basic="cli:"), cli)
        self.not_authenticated(basic="cli:surprise")
        self.assertEqual(self.authenticated(basic="locked:public-secret"), locked)
        self.not_authenticated(("client_id", "locked"))

    def test_OA_17_blank_secret_of_a_confidential_client(self) -> None:
        self.store(Client(id="blank"))
        self.not_authenticated(("client_id", "blank"))
        self.not_authenticated(basic="blank:")

    def test_15_1_bad_escape_in_basic(self) -> None:
        error = self.refused(("grant_type", GRANT), basic="app:100%")
        self.assertEqual((error.error, error.status), ("invalid_request", 400))

    def test_OA_16_header_that_is_no_usable_basic_authenticates_nobody(self) -> None:
        form = Form((("grant_type", GRANT),))
        for header in ("Basic ???", "Basic", "Basic YXBw", "Bearer x"):
            refused = self.failureResultOf(self.endpoint.answer(form, header), OAuthError).value
            self.assertEqual((refused.error, refused.status), ("invalid_client", 401))

    def test_RL_05_storage_that_does_not_answer_is_no_wrong_secret(self) -> None:
        self.storage.read_failure = StorageUnavailable()
        self.failureResultOf(self.answer(("grant_type", GRANT)), StorageUnavailable)

    def test_WB_15_secrets_are_not_logged(self) -> None:
        with captured_logs() as events:
            self.not_authenticated(basic="app:hunter2")
            self.not_authenticated(basic="nobody:hunter2")
        self.assertEqual([event.get("client_id") for event in events], ["app", "nobody"])
        self.assertNotIn("hunter2", repr(events))
