"""Grants without a browser, from outside: client credentials, password, token exchange (server row 31.10)."""

from __future__ import annotations

import json
from typing import Any

from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.oauth.packed import packed_subject
from tests.flows.browser import Browser
from tests.flows.daemon import CALLBACK, FlowCase, Running
from tests.flows.relying_party import RelyingParty, claims_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
PERSON = packed_subject("jane-id", "local")
CLIENTS = [
    {
        "id": "app",
        "name": "The App",
        "secret": "app-secret",
        "clientCredentialsClaims": {"groups": ["robots"]},
    },
    {"id": "limited", "name": "Limited", "secret": "x", "allowedConnectors": ["other"]},
    {"id": "cli", "name": "Cli", "public": True},
    {"id": PERSON, "name": "Impostor", "secret": "x"},
]
EVERYTHING = {
    "oauth2": {
        "grantTypes": ["authorization_code", "client_credentials", "password", "refresh_token", EXCHANGE],
        "passwordConnector": "local",
    },
    "connectors": [
        {"type": "mockCallback", "id": "mock", "name": "Mock"},
        {"type": "mockCallback", "id": "browsers", "name": "B", "grantTypes": ["authorization_code"]},
    ],
    "staticClients": CLIENTS,
}


class DirectGrantCase(FlowCase):
    async def with_all(self) -> RelyingParty:
        return RelyingParty(running=await self.start(EVERYTHING))

    def other(self, rp: RelyingParty, client_id: str, secret: str = "x") -> RelyingParty:
        return RelyingParty(running=rp.running, client_id=client_id, secret=secret)

    async def ask(self, rp: RelyingParty, grant_type: str, **params: str) -> tuple[int, dict[str, Any]]:
        page, answer = await rp.post("/token", {"grant_type": grant_type, **params})
        self.assertEqual(
            ("application/json", "no-store"), (page.header("content-type"), page.header("cache-control"))
        )
        return page.status, answer

    async def given(self, rp: RelyingParty, grant_type: str, **params: str) -> dict[str, Any]:
        status, answer = await self.ask(rp, grant_type, **params)
        self.assertEqual(200, status, answer)
        return answer

    async def assert_refused(
        self, error: tuple[int, str], rp: RelyingParty, grant_type: str, **params: str
    ) -> None:
        status, answer = await self.ask(rp, grant_type, **params)
        self.assertEqual(error, (status, answer["error"]), params)


class ClientCredentialsTests(DirectGrantCase):
    async def test_31_10_tokens_about_the_client(self) -> None:
        rp = await self.with_all()
        answer = await self.given(rp, "client_credentials")
        self.assertEqual({"access_token", "token_type", "expires_in"}, set(answer))
        answer = await self.given(rp, "client_credentials", scope="openid profile groups", nonce="n")
        claims = claims_of(answer["id_token"])
        self.assertEqual(
            (packed_subject("app", ""), "n", "The App", ["robots"]),
            tuple(claims[name] for name in ("sub", "nonce", "name", "groups")),
        )
        self.assertNotIn("refresh_token", answer)

    async def test_31_10_who_and_what_is_refused(self) -> None:
        rp = await self.with_all()
        for other in (self.other(rp, "app", "wrong"), self.other(rp, "nobody")):
            await self.assert_refused((401, "invalid_client"), other, "client_credentials")
        await self.assert_refused(
            (400, "unauthorized_client"), self.other(rp, "cli", ""), "client_credentials"
        )
        for scope in ("offline_access", "wings"):
            await self.assert_refused((400, "invalid_scope"), rp, "client_credentials", scope=scope)

    async def test_OA_44_a_client_named_like_a_person(self) -> None:
        rp = await self.with_all()
        person = await self.given(
            rp, "password", username="jane@example.com", password="password", scope="openid"
        )
        self.assertEqual(PERSON, claims_of(person["id_token"])["sub"])
        impostor = await self.given(self.other(rp, PERSON), "client_credentials")
        self.assertNotEqual(PERSON, claims_of(impostor["access_token"])["sub"])


class PasswordTests(DirectGrantCase):
    JANE = {"username": "jane@example.com", "password": "password", "scope": "openid email groups"}

    async def test_31_10_tokens_about_the_person(self) -> None:
        rp = await self.with_all()
        answer = await self.given(rp, "password", **self.JANE)
        claims = claims_of(answer["id_token"])
        self.assertEqual(("jane@example.com", ["readers"]), (claims["email"], claims["groups"]))
        self.assertEqual(set(), {"auth_time", "sid"} & set(claims))
        self.assertNotIn("refresh_token", answer)

    async def test_31_10_refresh_token_that_can_be_redeemed(self) -> None:
        rp = await self.with_all()
        answer = await self.given(rp, "password", **{**self.JANE, "scope": "openid offline_access"})
        session = await rp.running.storage.get(OFFLINE_SESSIONS, ("jane-id", "local"))
        self.assertEqual(1, len(session.refresh))
        status, refreshed = await rp.refresh(answer["refresh_token"])
        self.assertEqual((200, PERSON), (status, claims_of(refreshed["id_token"])["sub"]))

    async def test_31_10_TB_02_wrong_passwords_and_unknown_people_look_alike(self) -> None:
        rp, bodies = await self.with_all(), set()
        for wrong in ({"password": "wrong"}, {"username": "nobody@example.com"}):
            page, answer = await rp.post("/token", {"grant_type": "password", **self.JANE, **wrong})
            self.assertEqual((401, "access_denied"), (page.status, answer["error"]))
            self.assertIsNone(page.header("www-authenticate"), "the client did authenticate")
            bodies.add(page.body)
        self.assertEqual(1, len(bodies))

    async def test_31_10_OA_31_connector_that_the_client_does_not_allow(self) -> None:
        rp = self.other(await self.with_all(), "limited")
        await self.assert_refused((400, "invalid_grant"), rp, "password", **self.JANE)

    async def test_15_2_scopes(self) -> None:
        rp = await self.with_all()
        for scope in ("profile", "openid wings"):
            await self.assert_refused((400, "invalid_scope"), rp, "password", **{**self.JANE, "scope": scope})


class TokenExchangeTests(DirectGrantCase):
    FOOBAR = {
        "connector_id": "mock",
        "subject_token": "foobar",
        "subject_token_type": ID_TOKEN,
        "scope": "openid groups",
    }

    async def test_31_10_types(self) -> None:
        rp = await self.with_all()
        for subject, requested, issued in (
            (ID_TOKEN, ACCESS_TOKEN, ACCESS_TOKEN),
            (ID_TOKEN, ID_TOKEN, ID_TOKEN),
            (ID_TOKEN, "", ACCESS_TOKEN),
            (ACCESS_TOKEN, ACCESS_TOKEN, ACCESS_TOKEN),
        ):
            types = {"subject_token_type": subject, "requested_token_type": requested}
            answer = await self.given(rp, EXCHANGE, **{**self.FOOBAR, **types})
            self.assertEqual(issued, answer["issued_token_type"])
            self.assertEqual(["authors"], claims_of(answer["access_token"])["groups"])

    async def test_31_10_impossible_exchanges(self) -> None:
        rp = await self.with_all()
        for wrong in (
            {"subject_token_type": ""},
            {"subject_token": ""},
            {"connector_id": ""},
            {"connector_id": "absent"},
            {"connector_id": "local"},
            {"connector_id": "browsers"},
            {"requested_token_type": "coffee"},
        ):
            await self.assert_refused((400, "invalid_request"), rp, EXCHANGE, **{**self.FOOBAR, **wrong})
        limited = self.other(rp, "limited")
        await self.assert_refused((400, "invalid_grant"), limited, EXCHANGE, **self.FOOBAR)

    async def test_16_5_scopes(self) -> None:
        rp = await self.with_all()
        answer = await self.given(rp, EXCHANGE, **{**self.FOOBAR, "scope": "openid wings"})
        self.assertEqual("openid", answer["scope"])
        scope = "openid audience:server:client_id:limited"
        await self.assert_refused((400, "invalid_scope"), rp, EXCHANGE, **{**self.FOOBAR, "scope": scope})


class SwitchedOffTests(DirectGrantCase):
    async def discovery(self, running: Running) -> Any:
        page = await Browser().request("GET", running.issuer + "/.well-known/openid-configuration")
        return json.loads(page.body)

    async def test_OA_18_OA_19_what_is_off_is_not_served_and_not_told_of(self) -> None:
        clients = [{"id": "app", "name": "App", "secret": "app-secret", "redirectURIs": [CALLBACK]}]
        running = await self.start(
            {"oauth2": {"grantTypes": ["authorization_code"]}, "staticClients": clients}
        )
        rp, document = RelyingParty(running=running), await self.discovery(running)
        self.assertEqual(["authorization_code"], document["grant_types_supported"])
        for grant_type in ("client_credentials", "password", EXCHANGE):
            await self.assert_refused((400, "unsupported_grant_type"), rp, grant_type, scope="openid")
        self.assertIn("introspection_endpoint", document)
        self.assertIn("revocation_endpoint", document)

    async def test_OA_47_what_is_on_is_told_of(self) -> None:
        rp = await self.with_all()
        document = await self.discovery(rp.running)
        self.assertEqual(
            ["authorization_code", "client_credentials", "password", "refresh_token", EXCHANGE],
            document["grant_types_supported"],
        )
        methods = ["client_secret_basic", "client_secret_post"]
        self.assertEqual([*methods, "none"], document["token_endpoint_auth_methods_supported"])
        self.assertEqual(methods, document["introspection_endpoint_auth_methods_supported"])
        self.assertEqual([*methods, "none"], document["revocation_endpoint_auth_methods_supported"])
        self.assertNotIn("token_endpoint_auth_signing_alg_values_supported", document)
