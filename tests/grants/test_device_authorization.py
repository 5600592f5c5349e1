"""Devices that ask for codes."""

from __future__ import annotations

from datetime import timedelta

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.device_authorization import DeviceAuthorization, DeviceAuthorizer
from dextwist.model.claims import ProofKey
from dextwist.model.client import CLIENTS, Client
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import ProofKeyPolicy
from dextwist.oauth.issuer import Issuer
from dextwist.oauth.parameters import Form
from dextwist.storage.interface import Create, every
from tests.grants.fakes import BEGAN, ISSUER, SteppedStorage, clock_at_the_beginning

TV = Client(id="tv", public=True)
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
DEFAULT = ProofKeyPolicy(methods=("S256",), required_for_all=False, required_for_public_clients=True)


@attrs.define
class KnownClient:
    """Takes every request for the client's, or none."""

    known: Client | None = TV

    async def client(self, form: Form, authorization: str | None) -> Client:
        if self.known is None:
            raise OAuthError("invalid_client", status=401)
        return self.known


class AuthorizationCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock_at_the_beginning()
        self.storage = SteppedStorage()
        self.authenticator = KnownClient()
        self.authorizer = DeviceAuthorizer(
            storage=self.storage,
            authenticator=self.authenticator,  # type: ignore[arg-type]  # its own tests are elsewhere
            issuer=Issuer(ISSUER),
            clock=self.clock,
            lifetime=timedelta(minutes=5),
            proof_keys=DEFAULT,
        )

    def ask(self, *fields: tuple[str, str]) -> Deferred[DeviceAuthorization]:
        return Deferred.fromCoroutine(self.authorizer.answer(Form(fields), None))

    def given(self, *fields: tuple[str, str]) -> DeviceAuthorization:
        authorization: DeviceAuthorization = self.successResultOf(self.ask(*fields))
        return authorization

    def refused(self, *fields: tuple[str, str]) -> tuple[int, str]:
        error = self.failureResultOf(self.ask(*fields), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual(self.successResultOf(every(self.storage, DEVICE_REQUESTS)), [])
        return error.status, error.error

    def stored(self) -> tuple[DeviceRequest, DeviceToken]:
        (request,) = self.successResultOf(every(self.storage, DEVICE_REQUESTS))
        (token,) = self.successResultOf(every(self.storage, DEVICE_TOKENS))
        return request, token


class AnswerTests(AuthorizationCase):
    def test_21_1_what_the_device_is_told(self) -> None:
        given = self.given()
        self.assertEqual(
            given.as_dict(),
            {
                "device_code": given.device_code,
                "user_code": given.user_code,
                "verification_uri": "https://idp.test/dex/device",
                "verification_uri_complete": f"https://idp.test/dex/device?user_code={given.user_code}",
                "expires_in": 300,
                "interval": 5,
            },
        )
        self.assertRegex(given.device_code, "^[a-z][a-z2-7]{50}$")
        self.assertRegex(given.user_code, "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$")

    def test_31_11_what_is_stored(self) -> None:
        given = self.given(("scope", "openid  email openid"), ("client_secret", "not stored"))
        request, token = self.stored()
        until = BEGAN + timedelta(minutes=5)
        self.assertEqual(
            request,
            DeviceRequest(
                user_code=given.user_code,
                device_code=given.device_code,
                client_id="tv",
                scopes=("openid", "email"),
                expires_at=until,
            ),
        )
        self.assertEqual(
            token,
            DeviceToken(
                device_code=given.device_code,
                client_id="tv",
                status=DeviceTokenStatus.PENDING,
                expires_at=until,
                last_polled_at=BEGAN,
                poll_interval=0,
            ),
        )

    def test_31_11_scope_is_openid_where_none_is_named(self) -> None:
        for fields in ((), (("scope", ""),), (("scope", "  "),)):
            self.setUp()
            self.given(*fields)
            self.assertEqual(self.stored()[0].scopes, ("openid",))

    def test_31_11_s256(self) -> None:
        self.given(("code_challenge", CHALLENGE), ("code_challenge_method", "S256"))
        self.assertEqual(
            self.stored()[1].proof_key, ProofKey(code_challenge=CHALLENGE, code_challenge_method="S256")
        )

    def test_30_61_methods_are_the_configured_ones(self) -> None:
        plain = (("code_challenge", CHALLENGE),)
        for fields in (plain, (*plain, ("code_challenge_method", "plain"))):
            self.assertEqual(self.refused(*fields), (400, "invalid_request"))
        self.authorizer = attrs.evolve(
            self.authorizer, proof_keys=attrs.evolve(DEFAULT, methods=("plain",), required_for_all=True)
        )
        self.given(*plain)
        self.assertEqual(self.stored()[1].proof_key.code_challenge_method, "plain")

    def test_31_11_unknown_method_with_and_without_challenge(self) -> None:
        unknown = ("code_challenge_method", "invalid")
        self.assertEqual(self.refused(unknown), (400, "invalid_request"))
        self.assertEqual(self.refused(("code_challenge", CHALLENGE), unknown), (400, "invalid_request"))

    def test_user_code_that_is_taken_is_drawn_again(self) -> None:
        codes = iter(["BBBB-BBBB", "BBBB-BBBB", "CCCC-CCCC"])
        self.authorizer = attrs.evolve(self.authorizer, new_user_code=lambda: next(codes))
        self.assertEqual([self.given().user_code, self.given().user_code], ["BBBB-BBBB", "CCCC-CCCC"])

    def test_nothing_is_half_stored_where_no_code_is_free(self) -> None:
        self.authorizer = attrs.evolve(self.authorizer, new_user_code=lambda: "BBBB-BBBB")
        self.given()
        error = self.failureResultOf(self.ask(), OAuthError).value
        assert isinstance(error, OAuthError)
        self.assertEqual((error.status, error.error), (503, "temporarily_unavailable"))
        self.assertEqual(len(self.successResultOf(every(self.storage, DEVICE_TOKENS))), 1)


class RefusalTests(AuthorizationCase):
    def test_30_62_client_must_be_known(self) -> None:
        self.authenticator.known = None
        self.assertEqual(self.refused(), (401, "invalid_client"))

    def test_OA_18_client_that_cannot_sign_in_devices(self) -> None:
        self.authenticator.known = Client(id="web", secret="s", redirect_uris=("https://app.test/cb",))
        self.assertEqual(self.refused(), (400, "unauthorized_client"))

    def test_scopes_go_through_the_gate(self) -> None:
        peer = "audience:server:client_id:app"
        for scope in ("email", "openid unknown", f"openid {peer}"):
            self.assertEqual(self.refused(("scope", scope)), (400, "invalid_scope"))
        trusting = Client(id="app", secret="s", trusted_peers=("tv",))
        self.successResultOf(self.storage.write(Create(CLIENTS, trusting)))
        self.given(("scope", f"openid {peer}"))

    def test_repeated_parameters(self) -> None:
        self.assertEqual(
            self.refused(("scope", "openid"), ("scope", "openid email")), (400, "invalid_request")
        )
