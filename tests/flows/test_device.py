"""Devices sign in (server rows 21 and 31.11), seen from the device and from the browsers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.logger import capturedLogs as captured_logs

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.model.times import EPOCH
from dextwist.storage.interface import Create, every
from tests.flows.browser import Browser, Page
from tests.flows.daemon import CALLBACK, free_port
from tests.flows.device import DEVICE_CODE, Device, DeviceCase
from tests.flows.relying_party import RelyingParty, claims_of

CLIENTS = {
    "staticClients": [
        {"id": "tv", "name": "Smart <TV>", "public": True},
        {
            "id": "app",
            "name": "The App",
            "secret": "app-secret",
            "redirectURIs": [CALLBACK, "/dex/device/callback"],
        },
        {"id": "web", "name": "No devices", "secret": "web-secret", "redirectURIs": [CALLBACK]},
    ]
}


class WholeFlowTests(DeviceCase):
    """From the codes to the tokens."""

    async def test_21_public_client_in_the_whole_flow(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        self.assertEqual((400, {"error": "authorization_pending"}), await device.poll())
        end = await self.approve(device, browser)
        self.assertEqual(200, end.status)
        self.assertIn("Smart <TV>", end.text)
        self.assertNotIn(b"<TV>", end.body)
        status, answer = await device.poll()
        self.assertEqual(200, status)
        claims = claims_of(answer["id_token"])
        self.assertEqual(("tv", "kilgore@kilgore.trout"), (claims["aud"], claims["email"]))
        refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], **device.client}
        refreshed = await Browser().request("POST", running.issuer + "/token", data=refresh)
        self.assertEqual(200, refreshed.status)

    async def test_OA_41_tokens_are_given_once_and_not_cached(self) -> None:
        running = await self.start(CLIENTS)
        device = await self.device(running)
        await self.approve(device, Browser())
        fields = {**device.client, "grant_type": DEVICE_CODE, "device_code": device.codes["device_code"]}
        page = await Browser().request("POST", running.issuer + "/token", data=fields)
        self.assertEqual((200, "no-store"), (page.status, page.header("cache-control")))
        self.assertEqual((400, "invalid_grant"), _error(await device.poll()))

    async def test_21_confidential_client_authenticates_either_way(self) -> None:
        running = await self.start(CLIENTS)
        page, codes = await RelyingParty(running=running).post("/device/code", {"scope": "openid"})
        self.assertEqual((200, "no-store"), (page.status, page.header("cache-control")))
        client = {"client_id": "app", "client_secret": "app-secret"}
        for device in (
            Device(running=running, client=client, codes=codes),
            await self.device(running, **client),
        ):
            self.assertEqual(200, (await self.approve(device, Browser())).status)
            self.assertEqual("app", claims_of((await device.poll())[1]["id_token"])["aud"])

    async def test_21_3_30_63_issuer_without_a_path(self) -> None:
        running = await self.start(CLIENTS, issuer_path="")
        device = await self.device(running)
        self.assertEqual(200, (await self.approve(device, Browser())).status)
        self.assertEqual(200, (await device.poll())[0])

    async def test_31_8_pkce_enforcement_leaves_the_browser_part_alone(self) -> None:
        running = await self.start({**CLIENTS, "oauth2": {"pkce": {"enforce": True}}})
        device = await self.device(running)
        self.assertEqual(200, (await self.approve(device, Browser())).status)
        self.assertEqual(200, (await device.poll())[0])

    async def test_OA_41_refusal_reaches_the_device(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        page = await self.consent_page(device, browser)
        self.assert_refused(await browser.submit(page, page.form("approval", "rejected")))
        self.assertEqual((400, "access_denied"), _error(await device.poll()))
        self.assert_refused(await self.enter(device, Browser()))


class DeviceRequestTests(DeviceCase):
    """`POST /device/code`."""

    async def test_30_62_clients_that_get_no_code(self) -> None:
        running = await self.start(CLIENTS)
        for client, status, error in (
            ({}, 401, "invalid_client"),
            ({"client_id": "nobody"}, 401, "invalid_client"),
            ({"client_id": "app"}, 401, "invalid_client"),
            ({"client_id": "app", "client_secret": "wrong"}, 401, "invalid_client"),
            ({"client_id": "web", "client_secret": "web-secret"}, 400, "unauthorized_client"),
        ):
            page = await Browser().request("POST", running.issuer + "/device/code", data=client)
            self.assertEqual((status, error), (page.status, json.loads(page.body)["error"]), client)
        self.assertEqual([], await every(running.storage, DEVICE_REQUESTS))

    async def test_31_11_GET_is_answered_in_json(self) -> None:
        running = await self.start(CLIENTS)
        page = await Browser().request("GET", running.issuer + "/device/code?client_id=tv")
        self.assertEqual((400, "invalid_request"), (page.status, json.loads(page.body)["error"]))
        page = await Browser().request("PUT", running.issuer + "/device/code")
        self.assertEqual((405, "invalid_request"), (page.status, json.loads(page.body)["error"]))

    async def test_parameters_in_the_query_do_not_count(self) -> None:
        running = await self.start(CLIENTS)
        page = await Browser().request("POST", running.issuer + "/device/code?client_id=tv", data={})
        self.assertEqual(401, page.status)


class FormTests(DeviceCase):
    """`/device` and what is typed there."""

    async def test_21_2_complete_address_fills_in_and_approves_nothing(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        page = await browser.visit(device.codes["verification_uri_complete"])
        assert isinstance(page, Page)
        self.assertEqual(200, page.status)
        self.assertEqual(device.codes["user_code"], page.form("user_code").fields["user_code"])
        await self.assert_pending(device)

    async def test_21_2_invalid_parameter(self) -> None:
        running = await self.start(CLIENTS)
        for value, status in (
            ("true", 400),
            ("1", 400),
            ("T", 400),
            ("false", 200),
            ("maybe", 200),
            ("", 200),
        ):
            query = urlencode({"user_code": '"><i>', "invalid": value})
            page = await Browser().request("GET", f"{running.issuer}/device?{query}")
            self.assertEqual(status, page.status, value)
            self.assertNotIn(b"<i>", page.body)

    async def test_31_11_valid_code_leads_to_auth(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        form_page = await browser.request("GET", running.issuer + "/device")
        form = form_page.form("user_code")
        typed = {"user_code": device.codes["user_code"].lower().replace("-", " ")}
        page = await browser.request("POST", form.action, data=typed)
        self.assertEqual((302, running.issuer + "/auth"), (page.status, page.location.partition("?")[0]))
        self.assertIn("redirect_uri=%2Fdex%2Fdevice%2Fcallback", page.location)
        self.assertEqual(
            {
                "client_id": ["tv"],
                "redirect_uri": ["/dex/device/callback"],
                "response_type": ["code"],
                "scope": ["openid email offline_access"],
                "state": [device.codes["user_code"]],
            },
            parse_qs(urlsplit(page.location).query),
        )

    async def test_31_11_unknown_expired_and_empty_codes(self) -> None:
        running = await self.start(CLIENTS)
        expired = DeviceRequest(user_code="BBBB-BBBB", device_code="d", client_id="tv", expires_at=EPOCH)
        await running.storage.write(Create(DEVICE_REQUESTS, expired))
        device = await self.device(running)
        for typed in ("CCCC-CCCC", "BBBB-BBBB", "", "<script>alert(1)</script>"):
            page = await self.enter(device, Browser(), typed)
            self.assert_refused(page)
            self.assertEqual(typed, page.form("user_code").fields["user_code"])
            self.assertNotIn(b"<script>alert", page.body)

    async def test_wrong_code_can_be_corrected_at_once(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        page = await self.enter(device, browser, "BBBB-BBBB")
        form = page.form("user_code")
        again = await browser.submit(page, form, user_code=device.codes["user_code"])
        assert isinstance(again, Page)
        self.assertTrue(again.link("/auth/mock"))

    async def test_WB_01_form_of_another_site_is_refused(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        bare = running.issuer + "/device/auth/verify_code"
        typed = {"user_code": device.codes["user_code"]}
        form_page = await browser.request("GET", running.issuer + "/device")
        action = form_page.form("user_code").action
        for who, url in (
            (Browser(), bare),
            (Browser(), action),
            (browser, bare),
            (browser, bare + "?hmac="),
            (browser, action[:-1] + ("A" if action[-1] != "A" else "Q")),
        ):
            self.assert_refused(await who.request("POST", url, data=typed))
        self.assertEqual((), (await every(running.storage, DEVICE_REQUESTS))[0].browser_digests)

    async def test_OA_43_guessing_is_throttled(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        with captured_logs() as logs:
            statuses = [(await self.enter(device, browser, "BBBB-BBBB")).status for _ in range(11)]
        self.assertEqual([400] * 10 + [429], statuses)
        self.assertTrue(any("user_codes_throttled" in str(each.get("log_format")) for each in logs))
        page = await self.enter(device, Browser())
        self.assertEqual(429, page.status, "the right code is not looked at either")
        self.assertTrue(0 < int(page.header("retry-after") or "") <= 300)

    async def test_OA_43_throttling_is_counted(self) -> None:
        over = {"telemetry": {"http": "127.0.0.1:1"}, "oauth2": {"deviceFlow": {"maxWrongUserCodes": 1}}}
        running, browser = await self.start({**CLIENTS, **over}), Browser()
        telemetry = running.daemon.telemetry_site
        assert telemetry is not None
        port = free_port()
        listening = await serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1").listen(telemetry)
        self.addCleanup(listening.stopListening)
        device = await self.device(running)
        for _ in range(3):
            await self.enter(device, browser, "BBBB-BBBB")
        metrics = await Browser().request("GET", f"http://127.0.0.1:{port}/metrics")
        self.assertIn(b'dextwist_limits_hit_total{limit="maxWrongUserCodes"} 2.0', metrics.body)

    async def test_OA_43_posts_without_the_form_are_guesses_too(self) -> None:
        running = await self.start({**CLIENTS, "oauth2": {"deviceFlow": {"maxWrongUserCodes": 2}}})
        url = running.issuer + "/device/auth/verify_code"
        pages = [await Browser().request("POST", url, data={"user_code": "BBBB-BBBB"}) for _ in range(3)]
        self.assertEqual([400, 400, 429], [page.status for page in pages])

    async def test_right_codes_are_not_counted(self) -> None:
        running, browser = (
            await self.start({**CLIENTS, "oauth2": {"deviceFlow": {"maxWrongUserCodes": 1}}}),
            Browser(),
        )
        device = await self.device(running)
        for _ in range(3):
            self.assertEqual(200, (await self.enter(device, browser)).status)

    async def test_methods(self) -> None:
        running = await self.start(CLIENTS)
        for method, path in (
            ("POST", "/device"),
            ("GET", "/device/auth/verify_code"),
            ("POST", "/device/callback"),
            ("PUT", "/device/callback"),
            ("HEAD", "/device/callback"),
        ):
            page = await Browser().request(method, running.issuer + path)
            self.assert_refused(page, 405)
            self.assertNotIn(b"PUT", page.body)


class BindingTests(DeviceCase):
    """A login for a device belongs to the browser in which its code was typed (RFC 8628 §5.4)."""

    def crafted(self, device: Device, path: str = "/auth/mock") -> str:
        query = {
            "client_id": "tv",
            "redirect_uri": "/dex/device/callback",
            "response_type": "code",
            "scope": "openid",
            "state": device.codes["user_code"],
        }
        return f"{device.running.issuer}{path}?{urlencode(query)}"

    async def test_OA_H22_address_with_a_strangers_code_begins_nothing(self) -> None:
        running, victim = await self.start(CLIENTS), Browser()
        device, own = await self.device(running), await self.device(running)
        await self.enter(own, victim)
        for path in ("/auth", "/auth/mock", "/auth/local"):
            for browser in (Browser(), victim):
                self.assert_refused(await browser.request("GET", self.crafted(device, path)))
        self.assertEqual([], await every(running.storage, AUTH_REQUESTS))

    async def test_consent_is_asked_even_where_it_is_skipped(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        self.assertTrue(running.daemon.config.oauth2.skip_approval_screen)
        device = await self.device(running)
        page = await self.consent_page(device, browser)
        self.assertIn("Smart <TV>", page.text)
        self.assertIn(device.codes["user_code"], page.text)

    async def test_browser_that_typed_the_code_may_use_a_shorter_address(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        await self.enter(device, browser)
        page = await browser.visit(self.crafted(device))
        assert isinstance(page, Page)
        page.form("approval")

    async def test_OA_32_end_of_the_login_belongs_to_its_browser(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        page = await self.consent_page(device, browser)
        form = page.form("approval", "approve")
        to_auth = await browser.request("POST", form.action, data=form.fields)
        to_callback = await browser.request("GET", to_auth.location)
        self.assertIn("/device/callback?", to_callback.location)
        stranger = Browser()
        await self.enter(await self.device(running), stranger)
        for other in (Browser(), stranger):
            self.assert_refused(await other.request("GET", to_callback.location))
        self.assertEqual(200, (await browser.request("GET", to_callback.location)).status)

    async def test_OA_H22_code_goes_to_no_other_device_of_the_same_browser(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        one, two = await self.device(running), await self.device(running)
        await self.enter(two, browser)
        page = await self.consent_page(one, browser)
        form = page.form("approval", "approve")
        to_auth = await browser.request("POST", form.action, data=form.fields)
        to_callback = await browser.request("GET", to_auth.location)
        self.assertIn(one.codes["user_code"], to_callback.location)
        swapped = to_callback.location.replace(one.codes["user_code"], two.codes["user_code"])
        self.assert_refused(await browser.request("GET", swapped))
        await self.assert_pending(two)

    async def test_OA_H22_codes_of_the_other_flow_stay_apart(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        rp = RelyingParty(running=running)
        device = await self.device(running, client_id="app", client_secret="app-secret")
        await self.enter(device, browser)
        code = (await rp.log_in(browser)).params["code"]
        query = urlencode({"code": code, "state": device.codes["user_code"]})
        self.assert_refused(await browser.request("GET", f"{running.issuer}/device/callback?{query}"))
        await self.assert_pending(device)
        self.assertEqual(200, (await rp.redeem(code))[0])

    async def test_code_of_a_device_is_worth_nothing_at_the_token_endpoint(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running, client_id="app", client_secret="app-secret")
        page = await self.consent_page(device, browser)
        form = page.form("approval", "approve")
        to_auth = await browser.request("POST", form.action, data=form.fields)
        to_callback = await browser.request("GET", to_auth.location)
        code = parse_qs(urlsplit(to_callback.location).query)["code"][0]
        rp = RelyingParty(running=running, redirect_uri="/dex/device/callback")
        self.assertEqual((400, "invalid_grant"), _error(await rp.redeem(code)))
        self.assertEqual(200, (await browser.request("GET", to_callback.location)).status)


class CallbackTests(DeviceCase):
    """`GET /device/callback`."""

    async def test_31_11_callbacks_out_of_nowhere(self) -> None:
        running, entered = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        await self.enter(device, entered)
        state = device.codes["user_code"]
        for params in (
            {},
            {"state": state},
            {"code": "x"},
            {"code": "x", "state": state},
            {"code": "x", "state": "BBBB-BBBB"},
            {"error": "<script>alert(1)</script>", "error_description": "secret words", "state": state},
        ):
            for browser in (Browser(), entered):
                page = await browser.request("GET", f"{running.issuer}/device/callback?{urlencode(params)}")
                self.assert_refused(page)
                self.assertNotIn(b"<script>alert", page.body)
                self.assertNotIn(b"secret words", page.body)
        await self.assert_pending(device)

    async def test_refusal_that_a_stranger_made_up_does_not_count(self) -> None:
        running = await self.start(CLIENTS)
        device = await self.device(running)
        query = urlencode({"error": "access_denied", "state": device.codes["user_code"]})
        self.assert_refused(await Browser().request("GET", f"{running.issuer}/device/callback?{query}"))
        await self.assert_pending(device)

    async def test_21_4_end_cannot_be_repeated(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        end = await self.approve(device, browser)
        self.assertEqual(200, end.status)
        self.assert_refused(await browser.request("GET", end.url))
        self.assertEqual(200, (await device.poll())[0])

    async def test_21_of_two_people_the_first_wins(self) -> None:
        running, one, two = await self.start(CLIENTS), Browser(), Browser()
        device = await self.device(running)
        first = await self.consent_page(device, one, "local")
        second = await self.consent_page(device, two)
        end = await one.submit(first, first.form("approval", "approve"))
        assert isinstance(end, Page)
        self.assertEqual(200, end.status)
        self.assert_refused(await two.submit(second, second.form("approval", "approve")))
        self.assertEqual("jane@example.com", claims_of((await device.poll())[1]["id_token"])["email"])

    async def test_RL_23_double_click_on_the_end_has_one_result(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        device = await self.device(running)
        page = await self.consent_page(device, browser)
        form = page.form("approval", "approve")
        ends = await gatherResults([Deferred.fromCoroutine(browser.submit(page, form)) for _ in range(2)])
        self.assertEqual([200, 400], sorted(end.status for end in ends if isinstance(end, Page)))
        self.assertEqual(200, (await device.poll())[0])
        self.assertEqual([], await every(running.storage, AUTH_CODES))

    async def test_WB_15_codes_and_tokens_are_not_logged(self) -> None:
        with captured_logs() as logs:
            running, browser = await self.start(CLIENTS), Browser()
            device = await self.device(running)
            await self.enter(device, Browser(), "BBBB-BBBB")
            await self.approve(device, browser)
            _, answer = await device.poll()
        text = str(logs)
        for secret in (*device.codes.values(), *answer.values(), *browser.cookies.values(), "BBBB-BBBB"):
            if isinstance(secret, str) and len(secret) > 8 and not secret.startswith("http"):
                self.assertNotIn(secret, text)
        self.assertIn("device_approved", text)


class SwitchedOffTests(DeviceCase):
    """`oauth2.grantTypes` without the device grant."""

    async def test_7_grant_that_is_off_has_no_endpoints(self) -> None:
        running = await self.start({**CLIENTS, "oauth2": {"grantTypes": ["authorization_code"]}})
        for method, path in (
            ("GET", "/device"),
            ("POST", "/device/code"),
            ("POST", "/device/auth/verify_code"),
            ("GET", "/device/callback"),
        ):
            page = await Browser().request(method, running.issuer + path)
            self.assertEqual(404, page.status, path)
        metadata = await Browser().request("GET", running.issuer + "/.well-known/openid-configuration")
        self.assertNotIn(b"device", metadata.body)

    async def test_3_1_discovery_names_the_endpoint_where_it_is_on(self) -> None:
        running = await self.start(CLIENTS)
        metadata = await Browser().request("GET", running.issuer + "/.well-known/openid-configuration")
        found = json.loads(metadata.body)
        self.assertEqual(running.issuer + "/device/code", found["device_authorization_endpoint"])
        self.assertIn(DEVICE_CODE, found["grant_types_supported"])


class AdoptionTests(DeviceCase):
    """What dex had stored goes on."""

    async def test_pending_device_of_dex_can_be_signed_in(self) -> None:
        running, browser = await self.start(CLIENTS), Browser()
        until = EPOCH.replace(year=2100)
        request = DeviceRequest(
            user_code="BCDF-GHJK",
            device_code="dex",
            client_id="tv",
            scopes=("openid", "openid", "email"),
            expires_at=until,
        )
        token = DeviceToken(device_code="dex", status=DeviceTokenStatus.PENDING, expires_at=until)
        await running.storage.write(Create(DEVICE_REQUESTS, request), Create(DEVICE_TOKENS, token))
        uri = f"{running.issuer}/device"
        codes = {
            "user_code": "BCDF-GHJK",
            "device_code": "dex",
            "verification_uri_complete": f"{uri}?user_code=BCDF-GHJK",
        }
        device = Device(running=running, client={"client_id": "tv"}, codes=codes)
        await self.assert_pending(device)
        self.assertEqual(200, (await self.approve(device, browser)).status)
        self.assertEqual("tv", claims_of((await device.poll())[1]["id_token"])["aud"])


def _error(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]
