"""Rules for claims, seen from outside: the same in every way to a token."""

from __future__ import annotations

from typing import Any

from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.interface import every
from tests.flows.daemon import FlowCase
from tests.flows.relying_party import RelyingParty, claims_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CLAIMS = {
    "username": {"prefix": "c:"},
    "email": {"drop": True},
    "preferredUsername": {"from": "email"},
    "groups": {"prefix": "corp:", "add": ["everybody"]},
}
CONFIG = {
    "oauth2": {
        "grantTypes": ["authorization_code", "refresh_token", "password", EXCHANGE],
        "passwordConnector": "pw",
    },
    "connectors": [
        {"type": "mockCallback", "id": "mock", "name": "Mock", "claims": CLAIMS},
        {
            "type": "mockPassword",
            "id": "pw",
            "name": "Pw",
            "config": {"username": "u", "password": "p"},
            "claims": CLAIMS,
        },
    ],
}
SCOPE = "openid profile email groups offline_access"


class ClaimRulesTests(FlowCase):
    def assert_mapped(self, token: str, *groups: str) -> None:
        claims = claims_of(token)
        self.assertEqual(claims["groups"], ["everybody", *groups])
        self.assertEqual(claims["name"], "c:Kilgore Trout")
        self.assertEqual(claims["preferred_username"], "kilgore@kilgore.trout")
        self.assertNotIn("email", claims)
        self.assertIs(claims["email_verified"], False)
        self.assertNotIn("unmapped", claims)

    async def password(self, rp: RelyingParty) -> Any:
        params = {"grant_type": "password", "username": "u", "password": "p", "scope": SCOPE}
        page, answer = await rp.post("/token", params)
        self.assertEqual(page.status, 200, answer)
        return answer

    async def test_login_exchange_and_refresh_say_the_same(self) -> None:
        rp = RelyingParty(running=await self.start(CONFIG))
        tokens = await rp.tokens(scope=SCOPE)
        self.assert_mapped(tokens["id_token"], "corp:authors")
        self.assert_mapped(tokens["access_token"], "corp:authors")
        for _ in range(2):
            status, tokens = await rp.refresh(tokens["refresh_token"])
            self.assertEqual(status, 200)
            self.assert_mapped(tokens["id_token"], "corp:authors")
        exchange = {
            "grant_type": EXCHANGE,
            "connector_id": "mock",
            "subject_token": "x",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "scope": SCOPE,
        }
        page, answer = await rp.post("/token", exchange)
        self.assertEqual(page.status, 200)
        self.assert_mapped(answer["access_token"], "corp:authors")

    async def test_password_grant_and_its_refresh_say_the_same(self) -> None:
        """This connector's refresh hands back what it is given: that must be its own words."""
        rp = RelyingParty(running=await self.start(CONFIG))
        tokens = await self.password(rp)
        self.assert_mapped(tokens["id_token"])
        for _ in range(2):
            status, tokens = await rp.refresh(tokens["refresh_token"])
            self.assertEqual(status, 200)
            self.assert_mapped(tokens["id_token"])

    async def test_what_the_connector_said_is_stored_beside_alone(self) -> None:
        running = await self.start(CONFIG)
        await self.password(RelyingParty(running=running))
        (token,) = await every(running.storage, REFRESH_TOKENS)
        self.assertEqual((token.claims.username, token.claims.email), ("c:Kilgore Trout", ""))
        assert token.claims.unmapped is not None
        self.assertEqual(token.claims.unmapped.username, "Kilgore Trout")

    async def test_rules_that_come_or_go_count_from_the_next_refresh(self) -> None:
        running = await self.start(CONFIG)
        tokens = await self.password(RelyingParty(running=running))
        plain = [{name: each[name] for name in each if name != "claims"} for each in CONFIG["connectors"]]  # type: ignore[index]  # they are mappings
        without = await self.start({**CONFIG, "connectors": plain}, storage=running.storage)
        status, tokens = await RelyingParty(running=without).refresh(tokens["refresh_token"])
        self.assertEqual((status, claims_of(tokens["id_token"])["name"]), (200, "Kilgore Trout"))
        status, tokens = await RelyingParty(running=running).refresh(tokens["refresh_token"])
        self.assertEqual((status, claims_of(tokens["id_token"])["name"]), (200, "c:Kilgore Trout"))
