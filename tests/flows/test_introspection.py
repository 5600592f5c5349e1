"""Introspection from outside (server rows 20, 31.12; OA-22, OA-23)."""

from __future__ import annotations

import json
from typing import Any

from tests.flows.browser import Browser, Page
from tests.flows.daemon import CALLBACK, FlowCase
from tests.flows.relying_party import RelyingParty, claims_of
from tests.signing.forgeries import forgeries

PEERS = {
    "staticClients": [
        {"id": "app", "name": "App", "secret": "app-secret", "redirectURIs": [CALLBACK]},
        {"id": "other", "name": "Other", "secret": "other-secret"},
        {"id": "trusting", "name": "Trusting", "secret": "t", "trustedPeers": ["app"]},
        {"id": "cli", "name": "Cli", "public": True},
    ]
}
PATH = "/token/introspect"


class IntrospectionTests(FlowCase):
    async def ask(self, rp: RelyingParty, token: str, **more: str) -> Any:
        page, answer = await rp.post(PATH, {"token": token, **more})
        self.assertEqual((200, "no-store"), (page.status, page.header("cache-control")))
        return answer

    async def rp(self, over: dict[str, Any] | None = None) -> RelyingParty:
        return RelyingParty(running=await self.start({**PEERS, **(over or {})}))

    def other(self, rp: RelyingParty, client_id: str, secret: str) -> RelyingParty:
        return RelyingParty(running=rp.running, client_id=client_id, secret=secret)

    async def test_31_12_active_tokens_of_both_kinds_whatever_the_hint(self) -> None:
        rp = await self.rp()
        tokens = await rp.tokens()
        for hint in ("", "access_token", "refresh_token", "coffee"):
            for kind in ("access_token", "refresh_token"):
                answer = await self.ask(rp, tokens[kind], token_type_hint=hint)
                self.assertEqual(
                    (True, kind, "app"), (answer["active"], answer["token_use"], answer["client_id"])
                )
        claims = claims_of(tokens["access_token"])
        answer = await self.ask(rp, tokens["access_token"])
        self.assertEqual((claims["sub"], claims["exp"]), (answer["sub"], answer["exp"]))

    async def test_31_12_what_is_no_token_ends_with_a_line_end(self) -> None:
        rp = await self.rp()
        for text in ("fake-token", "CgR0ZXN0EgNiYXI", "AaAaAaA", "a.b.c", "x" * 5000, "ünï"):
            page, _ = await rp.post(PATH, {"token": text})
            self.assertEqual((200, b'{"active":false}\n'), (page.status, page.body))

    async def test_OA_22_forged_tokens_are_inactive_and_no_bearer_tokens(self) -> None:
        rp = await self.rp()
        token = (await rp.tokens())["access_token"]
        page = await Browser().request("GET", rp.running.issuer + "/keys")
        for what, forged in forgeries(token, json.loads(page.body)["keys"]):
            self.assertEqual({"active": False}, await self.ask(rp, forged), what)
            if forged.isprintable() and forged.isascii() and forged == forged.strip():
                told = await self.userinfo(rp, forged)
                self.assertEqual(401, told.status, what)

    async def userinfo(self, rp: RelyingParty, token: str) -> Page:
        headers = {"Authorization": f"Bearer {token}"}
        return await Browser().request("GET", rp.running.issuer + "/userinfo", headers=headers)

    async def test_OA_23_callers_that_are_no_client_learn_the_key_that_would_let_them(self) -> None:
        rp = await self.rp()
        token = (await rp.tokens())["access_token"]
        bodies = set()
        for caller, basic in (
            (rp, False),
            (self.other(rp, "app", "wrong"), True),
            (self.other(rp, "nobody", "x"), True),
            (self.other(rp, "cli", ""), True),
        ):
            for text in (token, "nonsense"):
                page, answer = await caller.post(PATH, {"token": text}, basic=basic)
                self.assertEqual((401, "invalid_client"), (page.status, answer["error"]))
                self.assertTrue((page.header("www-authenticate") or "").startswith("Basic"))
                bodies.add(page.body)
        (body,) = bodies
        self.assertIn(b"oauth2.introspection.allowAnonymous", body)

    async def test_OA_23_tokens_of_other_clients(self) -> None:
        rp = await self.rp()
        tokens = await rp.tokens(scope="openid offline_access audience:server:client_id:trusting")
        stranger, trusting = self.other(rp, "other", "other-secret"), self.other(rp, "trusting", "t")
        for kind in ("access_token", "refresh_token"):
            self.assertEqual({"active": False}, await self.ask(stranger, tokens[kind]))
        self.assertTrue((await self.ask(trusting, tokens["access_token"]))["active"])
        self.assertEqual({"active": False}, await self.ask(trusting, tokens["refresh_token"]))

    async def test_OA_23_dexs_openness_can_be_had(self) -> None:
        rp = await self.rp(
            {"oauth2": {"introspection": {"allowAnonymous": True}, "skipApprovalScreen": True}}
        )
        tokens = await rp.tokens()
        for kind in ("access_token", "refresh_token"):
            page, answer = await rp.post(PATH, {"token": tokens[kind]}, basic=False)
            self.assertEqual((200, True), (page.status, answer["active"]))

    async def test_31_12_requests_that_are_none(self) -> None:
        rp, told = await self.rp(), set()
        for data in ({}, {"token": ""}, {"tokens": "x"}):
            page, answer = await rp.post(PATH, data)
            self.assertEqual((400, "invalid_request"), (page.status, answer["error"]))
            told.add(answer["error_description"])
        self.assertEqual(2, len(told))
        page, answer = await rp.post(f"{PATH}?token=x", {})
        self.assertEqual((400, "invalid_request"), (page.status, answer["error"]))
        for method, status in (("GET", 400), ("PUT", 405), ("DELETE", 405)):
            page = await Browser().request(method, rp.running.issuer + PATH)
            self.assertEqual((status, "invalid_request"), (page.status, json.loads(page.body)["error"]))

    async def test_20_used_refresh_tokens(self) -> None:
        rp = await self.rp({"expiry": {"refreshTokens": {"reuseInterval": "0s"}}})
        first = (await rp.tokens())["refresh_token"]
        _, second = await rp.refresh(first)
        self.assertEqual({"active": False}, await self.ask(rp, first))
        self.assertTrue((await self.ask(rp, second["refresh_token"]))["active"])
