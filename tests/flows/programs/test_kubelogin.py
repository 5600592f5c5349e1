"""kubelogin 1.36 (its pkg/oidc/client, oauth2cli 1.18, oauth2dev 1.1): each way to a token for kubectl."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tests.flows.browser import Browser, Page
from tests.flows.daemon import Running
from tests.flows.device import DeviceCase
from tests.flows.programs.program import CHALLENGE, VERIFIER, Program, ProgramCase
from tests.flows.relying_party import claims_of

#: Its own scope comes after those of the operator.
SCOPE = "email groups offline_access openid"
STATE = "1ksu5IEsyo3lDrzJdBdYSqFx_WWdTULmxbBBZ1Wz2Qc"
NONCE = "2vOw4E5FXCiKw35mwXGTT0kDYPDEmXTEBrlFqTnaQ0k"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class KubeloginCase(ProgramCase, DeviceCase):
    """A confidential client with the two addresses of its documentation, and a public one."""

    CONFIG: ClassVar = {
        "oauth2": {"passwordConnector": "local"},
        "staticClients": [
            {
                "id": "kubernetes",
                "name": "Kubernetes",
                "secret": "kubernetes-secret",
                "redirectURIs": [
                    "http://localhost:8000",
                    "http://localhost:18000",
                    "/dex/device/callback",
                ],
            },
            {"id": "laptops", "name": "Laptops", "public": True},
        ],
    }

    def confidential(self, running: Running, redirect_uri: str = "http://localhost:8000") -> Program:
        return Program(
            running=running,
            client_id="kubernetes",
            secret="kubernetes-secret",
            redirect_uri=redirect_uri,
            scope=SCOPE,
        )

    def public(self, running: Running, redirect_uri: str = "", tries_header: bool = False) -> Program:
        """Without a secret, releases since 1.35 name themselves in the form."""
        return Program(
            running=running,
            client_id="laptops",
            secret="",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            tries_header=tries_header,
        )

    async def assert_good_for_kubectl(self, program: Program, tokens: dict[str, Any], person: str) -> None:
        """The ID token is about the person, and so is the next one, after a refresh."""
        for _ in range(2):
            claims = claims_of(tokens["id_token"])
            self.assertEqual((program.client_id, person), (claims["aud"], claims["email"]))
            self.assertIsInstance(claims["groups"], list)
            status, tokens = await program.refresh(tokens["refresh_token"])
            self.assertEqual(200, status, tokens)


class BrowserTests(KubeloginCase):
    """`--grant-type=authcode`, the default, and `authcode-keyboard`."""

    async def log_in(self, program: Program) -> None:
        url = program.auth_code_url(STATE, access_type="offline", nonce=NONCE, **CHALLENGE)
        params = await self.answered(program, url)
        self.assertEqual(STATE, params["state"])
        status, tokens = await program.redeem(params["code"], code_verifier=VERIFIER)
        self.assertEqual(200, status, tokens)
        self.assertEqual(NONCE, claims_of(tokens["id_token"])["nonce"])
        await self.assert_good_for_kubectl(program, tokens, "kilgore@kilgore.trout")

    async def test_either_port_without_a_path(self) -> None:
        running = await self.start(self.CONFIG)
        for port in (8000, 18000):
            uri = f"http://localhost:{port}"
            await self.log_in(self.confidential(running, uri))
            for tries_header in (False, True):
                program = self.public(running, uri, tries_header)
                await self.log_in(program)
                self.assertEqual(["header" if tries_header else "form"] * 3, program.credentials_in)

    async def test_OA_01_another_port_is_refused_unless_the_client_is_public_without_addresses(self) -> None:
        running = await self.start(self.CONFIG)
        program = self.confidential(running, "http://localhost:8001")
        page = await Browser().request("GET", program.auth_code_url(STATE, nonce=NONCE, **CHALLENGE))
        self.assertEqual((400, ""), (page.status, page.location))
        await self.log_in(self.public(running, "http://localhost:8001"))

    async def test_keyboard(self) -> None:
        program = self.public(await self.start(self.CONFIG), OUT_OF_BAND)
        browser = Browser()
        url = program.auth_code_url(STATE, access_type="offline", nonce=NONCE, **CHALLENGE)
        choice = await browser.visit(url)
        assert isinstance(choice, Page)
        page = await browser.visit(choice.link("/auth/mock"))
        assert isinstance(page, Page)
        (code,) = re.findall(r"<code[^>]*>(.+)</code>", page.body.decode())
        status, tokens = await program.redeem(code, code_verifier=VERIFIER)
        self.assertEqual(200, status, tokens)
        await self.assert_good_for_kubectl(program, tokens, "kilgore@kilgore.trout")


class DeviceCodeTests(KubeloginCase):
    """`--grant-type=device-code`: a secret is in the form, also where there is one; no PKCE."""

    async def test_device(self) -> None:
        running = await self.start(self.CONFIG)
        for program in (self.confidential(running), self.public(running)):
            secret = {"client_secret": program.secret} if program.secret else {}
            device = await self.device(running, client_id=program.client_id, scope=SCOPE, **secret)
            self.assertEqual(5, device.codes["interval"])
            self.assertEqual((400, {"error": "authorization_pending"}), await device.poll())
            await self.approve(device, Browser())
            status, tokens = await device.poll()
            self.assertEqual(200, status, tokens)
            await self.assert_good_for_kubectl(program, tokens, "kilgore@kilgore.trout")


class PasswordTests(KubeloginCase):
    """`--grant-type=password`."""

    async def test_password(self) -> None:
        running = await self.start(self.CONFIG)
        for program in (self.confidential(running), self.public(running)):
            page, tokens = await program.post(
                "/token",
                {
                    "grant_type": "password",
                    "username": "jane@example.com",
                    "password": "password",
                    "scope": SCOPE,
                },
            )
            self.assertEqual(200, page.status, tokens)
            await self.assert_good_for_kubectl(program, tokens, "jane@example.com")
