"""What happens in whole flows is logged without the secrets in it, at any level (WB-15)."""

from __future__ import annotations

from pathlib import Path

import bcrypt

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import FlowCase
from tests.flows.relying_party import RelyingParty
from tests.secrecy import WATCH, every_event

LOGIN, PASSWORD, WRONG = "hush@example.com", "hush-hush 1", "hush-hash 2"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = "IdFsue1MJJJtybEPX0invmHHuW1I7Ai5LXVlXpENjsk"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class SecrecyTests(FlowCase):
    """Every grant, good and bad."""

    async def test_wb15_no_secret_is_logged(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        with every_event(folder) as logs:
            rp = await self.party()
            await self.browser_flows(rp)
            await self.direct_grants(rp)
        said = logs[0].read_text()
        for event in ("login failed", "login successful", "code_replay", "refresh_replay"):
            self.assertIn(event, said, "the flows were logged")
        self.assertEqual([], [str(leak) for leak in WATCH.leaks(logs)])

    async def party(self) -> RelyingParty:
        password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
        running = await self.start(
            {
                "oauth2": {
                    "skipApprovalScreen": False,
                    "passwordConnector": "local",
                    "grantTypes": [
                        "authorization_code",
                        "client_credentials",
                        "password",
                        "refresh_token",
                        DEVICE_CODE,
                    ],
                },
                "staticPasswords": [
                    {"email": LOGIN, "hash": password_hash, "username": "hush", "userID": "hush-id"}
                ],
            }
        )
        return RelyingParty(running=running)

    async def browser_flows(self, rp: RelyingParty) -> None:
        browser = Browser()
        url = rp.authorize_url("/auth/local", code_challenge=CHALLENGE, code_challenge_method="S256")
        page = await browser.visit(url)
        for password in (WRONG, PASSWORD):
            assert isinstance(page, Page)
            page = await browser.submit(page, page.form("password"), login=LOGIN, password=password)
        assert isinstance(page, Page)
        end = await browser.submit(page, page.form("approval", "approve"))
        assert isinstance(end, AtClient)
        code = end.params["code"]
        await rp.redeem(code, code_verifier=VERIFIER[::-1])
        status, tokens = await rp.redeem(code, code_verifier=VERIFIER)
        self.assertEqual(200, status)
        token = tokens["refresh_token"]
        for _ in range(3):
            status, answer = await rp.refresh(token)
            token = answer["refresh_token"]
        await rp.refresh(tokens["refresh_token"])
        await rp.redeem(code, code_verifier=VERIFIER)
        for access_token in (tokens["access_token"], tokens["access_token"][:-4] + "AAAA"):
            await rp.post("/token/introspect", {"token": access_token})
            asked = {"token": access_token, "client_id": rp.client_id, "client_secret": rp.secret}
            await browser.request("POST", rp.running.issuer + "/token/revoke", data=asked)
            fields = {"Authorization": f"Bearer {access_token}"}
            await browser.request("POST", rp.running.issuer + "/userinfo", headers=fields)

    async def direct_grants(self, rp: RelyingParty) -> None:
        for password in (WRONG, PASSWORD):
            asked = {"grant_type": "password", "username": LOGIN, "password": password, "scope": "openid"}
            page, _ = await rp.post("/token", asked)
        self.assertEqual(200, page.status)
        page, _ = await rp.post(
            "/token", {"grant_type": "client_credentials", "client_secret": "a-wrong-one-1"}
        )
        _, codes = await rp.post("/device/code", {"client_id": "cli", "scope": "openid"}, basic=False)
        for _ in range(2):
            polled = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": codes["device_code"]}
            page, _ = await rp.post("/token", polled, basic=False)
        self.assertEqual(400, page.status)
