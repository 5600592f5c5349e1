"""Authorization requests, from outside: what is refused and where that is told (server rows 31.3 to 31.5)."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol

from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.oauth.packed import packed_subject
from dextwist.storage.interface import every
from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import CALLBACK, FlowCase, Running
from tests.flows.relying_party import RelyingParty, claims_of

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
HYBRID = {"oauth2": {"responseTypes": ["code", "id_token", "token"]}}
TWO_MOCKS = [
    {"type": "mockCallback", "id": "mock", "name": "One"},
    {"type": "mockCallback", "id": "mock2", "name": "Two"},
]


class AuthorizationRequestTests(FlowCase):
    """What `/auth` and `/auth/{connector}` make of a request."""

    async def ask(self, running: Running, path: str = "/auth/mock", /, **params: str | None) -> Page:
        rp = RelyingParty(running=running)
        return await Browser().request("GET", rp.authorize_url(path, **params))

    async def told(self, running: Running, /, **params: str | None) -> dict[str, str]:
        """What the client is told."""
        page = await self.ask(running, **params)
        self.assertEqual(303, page.status, page.text)
        self.assertTrue(page.location.startswith(CALLBACK), page.location)
        parts = urlsplit(page.location)
        return dict(parse_qsl(parts.fragment or parts.query))

    async def assert_page(self, page: Page, status: int) -> None:
        self.assertEqual(status, page.status)
        self.assertEqual("text/html; charset=utf-8", page.header("content-type"))
        self.assertIsNone(page.header("location"))

    async def test_code_flow_by_get_and_by_post(self) -> None:
        running = await self.start()
        self.assertEqual(302, (await self.ask(running)).status)
        url = RelyingParty(running=running).authorize_url(connector_id="mock")
        params = dict(parse_qsl(urlsplit(url).query))
        page = await Browser().request("POST", running.issuer + "/auth", data=params)
        self.assertEqual(302, page.status)
        self.assertEqual("/dex/auth/mock", urlsplit(page.location).path)

    async def test_oa03_unknown_and_missing_clients_get_the_same_page(self) -> None:
        running = await self.start()
        unknown = await self.ask(running, client_id="<b>nobody</b>")
        missing = await self.ask(running, client_id=None)
        for page in (unknown, missing):
            await self.assert_page(page, 400)
        self.assertNotIn(b"<b>nobody", unknown.body)
        cut = unknown.text.index("Request ID") if "Request ID" in unknown.text else None
        self.assertEqual(unknown.text[:cut], missing.text[:cut])

    async def test_oa01_unregistered_redirect_target_is_a_page_and_stores_nothing(self) -> None:
        running = await self.start()
        for path in ("/auth", "/auth/mock"):
            await self.assert_page(await self.ask(running, path, redirect_uri=CALLBACK + "x"), 400)
        self.assertEqual([], await every(running.storage, AUTH_REQUESTS))

    async def test_oa05_errors_go_to_a_valid_target_with_state_and_issuer(self) -> None:
        running = await self.start()
        for params, error in (
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "nonsense"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"scope": "profile"}, "invalid_scope"),
            ({"scope": "openid made-up"}, "invalid_scope"),
            ({"scope": "openid audience:server:client_id:other"}, "invalid_scope"),
            ({"scope": "openid audience:server:client_id:"}, "invalid_scope"),
            ({"connector_id": "bogus"}, "invalid_request"),
            ({"code_challenge": "x" * 43, "code_challenge_method": "invalid_method"}, "invalid_request"),
            ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": "x" * 43}, "invalid_request"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "bogus"}, "invalid_request"),
            ({"prompt": "none"}, "login_required"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"id_token_hint": "garbage"}, "invalid_request"),
            ({"response_mode": "pigeon"}, "invalid_request"),
        ):
            told = await self.told(running, **params)
            self.assertEqual(error, told["error"], params)
            self.assertEqual(("the state", running.issuer), (told["state"], told["iss"]))

    async def test_oa06_every_response_names_the_issuer(self) -> None:
        running = await self.start(HYBRID)
        rp = RelyingParty(running=running)
        for params in (
            {},
            {"response_mode": "fragment"},
            {"response_type": "code id_token token", "nonce": "n"},
            {"scope": "openid made-up"},
            {"response_type": "id_token", "nonce": "n", "prompt": "none"},
        ):
            self.assertEqual(running.issuer, (await rp.log_in(**params)).params["iss"], params)
        posted = await Browser().visit(rp.authorize_url("/auth/mock", response_mode="form_post"))
        assert isinstance(posted, Page)
        self.assertEqual(running.issuer, posted.form("code").fields["iss"])
        discovery = running.issuer + "/.well-known/openid-configuration"
        document = json.loads((await Browser().request("GET", discovery)).body)
        self.assertIs(True, document["authorization_response_iss_parameter_supported"])
        self.assertEqual(running.issuer, document["issuer"])

    async def test_oa46_request_objects_are_refused_and_not_fetched(self) -> None:
        running, fetched = await self.start(), []

        class Fetched(Protocol):
            def connectionMade(self) -> None:
                fetched.append(self)

        listening = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
            Factory.forProtocol(Fetched)
        )
        self.addCleanup(listening.stopListening)
        uri = f"http://127.0.0.1:{listening.getHost().port}/request.jwt"
        for params, error in (
            ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
            ({"request_uri": uri}, "request_uri_not_supported"),
            ({"request_uri": uri, "request": "anything"}, "request_not_supported"),
        ):
            told = await self.told(running, **params)
            self.assertEqual((error, "the state"), (told["error"], told["state"]))
            self.assertNotIn("code", told)
        self.assertEqual([], fetched)

    async def test_prompt_none_never_shows_a_page(self) -> None:
        running = await self.start()
        page = await self.ask(running, "/auth", prompt="none")
        self.assertEqual("login_required", dict(parse_qsl(urlsplit(page.location).query))["error"])

    async def test_state_is_absent_where_none_was_sent(self) -> None:
        running = await self.start()
        self.assertNotIn("state", await self.told(running, state=None, scope="openid made-up"))

    async def test_the_query_of_the_target_is_kept(self) -> None:
        uri = CALLBACK + "?existing=param&another=value"
        client = {"id": "app", "name": "App", "secret": "app-secret", "redirectURIs": [uri]}
        running = await self.start({"staticClients": [client]})
        told = await self.told(running, redirect_uri=uri, scope="openid made-up")
        self.assertEqual(("param", "value"), (told["existing"], told["another"]))
        self.assertEqual("invalid_scope", told["error"])

    async def test_token_alone_and_hybrid_rules(self) -> None:
        running = await self.start(HYBRID)
        self.assertEqual("invalid_request", (await self.told(running, response_type="token"))["error"])
        told = await self.told(running, response_type="code id_token")
        self.assertIn("nonce", told["error_description"])
        page = await self.ask(running, response_type="code id_token", nonce="n")
        self.assertEqual(302, page.status)

    async def test_errors_of_fragment_flows_come_in_the_fragment(self) -> None:
        running = await self.start(HYBRID)
        page = await self.ask(running, response_type="id_token token", nonce="n", scope="openid made-up")
        self.assertIn("error=invalid_scope", urlsplit(page.location).fragment)
        self.assertEqual("", urlsplit(page.location).query)

    async def test_a_composite_response_type_enables_its_combination_alone(self) -> None:
        running = await self.start({"oauth2": {"responseTypes": ["code", "code id_token"]}})
        page = await self.ask(running, response_type="id_token code", nonce="n")
        self.assertEqual(302, page.status)
        told = await self.told(running, response_type="id_token", nonce="n")
        self.assertEqual("unsupported_response_type", told["error"])

    async def test_oa13_public_clients_need_a_challenge(self) -> None:
        running = await self.start()
        uri = "http://127.0.0.1:49152/cb"
        rp = RelyingParty(running=running, client_id="cli", redirect_uri=uri)
        refused = await Browser().request("GET", rp.authorize_url("/auth/mock"))
        self.assertIn("error=invalid_request", refused.location)
        url = rp.authorize_url("/auth/mock", code_challenge=CHALLENGE, code_challenge_method="S256")
        accepted = await Browser().request("GET", url)
        self.assertEqual("/dex/callback", urlsplit(accepted.location).path)

    async def test_enforced_challenge(self) -> None:
        running = await self.start({"oauth2": {"pkce": {"enforce": True}}})
        self.assertEqual("invalid_request", (await self.told(running))["error"])
        page = await self.ask(running, code_challenge=CHALLENGE, code_challenge_method="S256")
        self.assertEqual(302, page.status)

    async def test_without_a_code_there_is_no_challenge_to_meet(self) -> None:
        running = await self.start(
            {"oauth2": {"responseTypes": ["code", "id_token"], "pkce": {"enforce": True}}}
        )
        rp = RelyingParty(running=running, client_id="cli", redirect_uri="http://127.0.0.1:49152/cb")
        end = await rp.log_in(response_type="id_token", nonce="n")
        self.assertEqual("cli", claims_of(end.params["id_token"])["aud"])
        page = await Browser().request(
            "GET", rp.authorize_url("/auth/mock", response_type="code id_token", nonce="n")
        )
        self.assertIn("error=invalid_request", page.location)

    async def test_hint_of_another_person_is_refused_after_the_login(self) -> None:
        running = await self.start()
        rp = RelyingParty(running=running)
        hint = (await rp.tokens())["id_token"]
        self.assertEqual(packed_subject("0-385-28089-0", "mock"), claims_of(hint)["sub"])
        self.assertIn("code", (await rp.log_in(id_token_hint=hint)).params)
        browser = Browser()
        form = await browser.visit(rp.authorize_url("/auth/local", id_token_hint=hint))
        assert isinstance(form, Page)
        end = await browser.submit(form, form.form("password"), login="jane@example.com", password="password")
        assert isinstance(end, AtClient), end
        self.assertEqual("login_required", end.params["error"])

    async def test_oa22_access_tokens_and_foreign_tokens_are_no_hints(self) -> None:
        running, stranger = await self.start(), await self.start()
        tokens = await RelyingParty(running=running).tokens()
        foreign = await RelyingParty(running=stranger).tokens()
        for hint in (tokens["access_token"], foreign["id_token"], tokens["id_token"][:-4] + "AAAA"):
            self.assertEqual("invalid_request", (await self.told(running, id_token_hint=hint))["error"])

    async def test_repeated_parameters_are_refused(self) -> None:
        running = await self.start()
        url = RelyingParty(running=running).authorize_url("/auth/mock") + "&scope=openid"
        await self.assert_page(await Browser().request("GET", url), 400)

    async def test_malformed_body_is_a_safe_page(self) -> None:
        running = await self.start()
        page = await Browser().request("POST", running.issuer + "/auth", data=b"invalid%body")
        await self.assert_page(page, 400)


class ConnectorChoiceTests(FlowCase):
    """Which connectors are offered (server row 31.5)."""

    async def ask(self, over: dict[str, object], path: str = "/auth", **params: str | None) -> Page:
        running = await self.start({"enablePasswordDB": False, "staticPasswords": None, **over})
        return await Browser().request("GET", RelyingParty(running=running).authorize_url(path, **params))

    @staticmethod
    def mocks(*grant_types: list[str]) -> dict[str, object]:
        return {
            "connectors": [
                {**mock, "grantTypes": grants} for mock, grants in zip(TWO_MOCKS, grant_types, strict=True)
            ]
        }

    async def assert_entrance(self, page: Page, connector_id: str) -> None:
        self.assertEqual(302, page.status, page.text)
        self.assertEqual(f"/dex/auth/{connector_id}", urlsplit(page.location).path)

    async def test_limited_to_another_grant_it_is_not_offered(self) -> None:
        device = ["urn:ietf:params:oauth:grant-type:device_code"]
        await self.assert_entrance(await self.ask(self.mocks(device, [])), "mock2")
        self.assertEqual(400, (await self.ask(self.mocks(device, device))).status)
        self.assertEqual(400, (await self.ask(self.mocks(device, []), "/auth/mock")).status)

    async def test_two_that_serve_are_a_choice(self) -> None:
        page = await self.ask(self.mocks([], []))
        self.assertEqual(200, page.status)
        self.assertTrue(page.link("/auth/mock") and page.link("/auth/mock2"))

    async def test_hybrid_requests_count_as_implicit(self) -> None:
        over = {**self.mocks(["authorization_code"], []), **HYBRID}
        page = await self.ask(over, response_type="code id_token", nonce="n")
        await self.assert_entrance(page, "mock2")

    async def test_oa31_allowed_connectors_of_the_client(self) -> None:
        client = {"id": "app", "name": "App", "secret": "s", "redirectURIs": [CALLBACK]}
        both: dict[str, object] = {"connectors": TWO_MOCKS}
        only = {**both, "staticClients": [{**client, "allowedConnectors": ["mock"]}]}
        await self.assert_entrance(await self.ask(only), "mock")
        self.assertEqual(403, (await self.ask(only, "/auth/mock2")).status)
        self.assertEqual(400, (await self.ask(only, connector_id="mock2")).status)
        absent = {**both, "staticClients": [{**client, "allowedConnectors": ["nonexistent"]}]}
        self.assertEqual(400, (await self.ask(absent)).status)

    async def test_connector_id_goes_straight_there(self) -> None:
        both: dict[str, object] = {"connectors": TWO_MOCKS}
        await self.assert_entrance(await self.ask(both, connector_id="mock2"), "mock2")
        self.assertEqual(400, (await self.ask(both, connector_id="bogus")).status)
        self.assertEqual(400, (await self.ask(both, "/auth/mock", connector_id="mock2")).status)

    async def test_a_single_one_can_be_offered_all_the_same(self) -> None:
        single: dict[str, object] = {"connectors": TWO_MOCKS[:1]}
        await self.assert_entrance(await self.ask(single), "mock")
        page = await self.ask({**single, "oauth2": {"alwaysShowLoginScreen": True}})
        self.assertEqual((200, True), (page.status, bool(page.link("/auth/mock"))))

    async def test_unknown_connectors_are_a_page(self) -> None:
        page = await self.ask({"connectors": TWO_MOCKS}, "/auth/absent")
        self.assertEqual((400, None), (page.status, page.header("location")))
