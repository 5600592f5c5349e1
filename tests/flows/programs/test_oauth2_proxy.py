"""oauth2-proxy 7.15 (its oauthproxy.go, providers/oidc.go and provider_default.go) before an application."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.defer import Deferred, gatherResults

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.programs.program import CHALLENGE, VERIFIER, Program, ProgramCase
from tests.flows.relying_party import claims_of

REDIRECT = "https://app.example.com/oauth2/callback"
#: The hash of a random string, and the page that the person wanted.
STATE = "lYgGpDbEPNBLkYx5rTyyTrlCg2YqhBSSLTCfvvy3xtY:/reports?of=2026&by=team"
NONCE = "6d7Cbi1lKMBUSyMMGtVYW8MTJ9CZvnbVmHJtzkbpGeA"


class Oauth2ProxyTests(ProgramCase):
    """With sessions that are refreshed (`cookie_refresh`) and limited to groups (`allowed_groups`)."""

    CONFIG: ClassVar = {
        "staticClients": [
            {"id": "proxy", "name": "Proxy", "secret": "proxy secret+%&", "redirectURIs": [REDIRECT]}
        ],
    }

    async def program(self, *, tries_header: bool = True) -> Program:
        return Program(
            running=await self.start(self.CONFIG),
            client_id="proxy",
            secret="proxy secret+%&",
            redirect_uri=REDIRECT,
            scope="openid email profile groups offline_access",
            tries_header=tries_header,
        )

    async def session(self, program: Program) -> dict[str, Any]:
        """Log in with its default parameters, which force the question for consent; the tokens."""
        url = program.auth_code_url(STATE, approval_prompt="force", nonce=NONCE, **CHALLENGE)
        params = await self.answered(program, url)
        self.assertEqual(STATE, params["state"])
        status, tokens = await program.redeem(params["code"], code_verifier=VERIFIER)
        self.assertEqual(200, status, tokens)
        self.assertEqual(NONCE, claims_of(tokens["id_token"])["nonce"])
        self.assert_session(tokens)
        return tokens

    def assert_session(self, tokens: dict[str, Any]) -> None:
        """It finds all that it looks for in an ID token."""
        claims = claims_of(tokens["id_token"])
        self.assertEqual("proxy", claims["aud"])
        self.assertIs(True, claims["email_verified"])
        self.assertEqual(("kilgore@kilgore.trout", ["authors"]), (claims["email"], claims["groups"]))
        self.assertGreater(tokens["expires_in"], 0)

    async def test_login_and_refresh(self) -> None:
        """By default with the secret in the header; its older way to redeem a code has it in the form."""
        for tries_header in (True, False):
            program = await self.program(tries_header=tries_header)
            tokens = await self.session(program)
            for _ in range(2):
                status, tokens = await program.refresh(tokens["refresh_token"])
                self.assertEqual(200, status, tokens)
                self.assert_session(tokens)
            self.assertEqual(["header" if tries_header else "form"] * 3, program.credentials_in)

    async def test_requests_of_one_page_that_find_the_session_old_all_refresh_it(self) -> None:
        program = await self.program()
        token = (await self.session(program))["refresh_token"]
        answers = await gatherResults([Deferred.fromCoroutine(program.refresh(token)) for _ in range(6)])
        self.assertEqual({200}, {status for status, _ in answers})
        for _, tokens in answers:
            self.assert_session(tokens)
        self.assertEqual(200, (await program.refresh(answers[0][1]["refresh_token"]))[0])

    async def test_prompt_in_place_of_approval_prompt(self) -> None:
        program, browser = await self.program(), Browser()
        for prompt in ("login", "consent", "select_account"):
            url = program.auth_code_url(STATE, prompt=prompt, nonce=NONCE)
            self.assertIn("code", await self.answered(program, url))
        end = await browser.visit(program.auth_code_url(STATE, prompt="none", nonce=NONCE))
        assert isinstance(end, AtClient), end
        self.assertEqual(("login_required", STATE), (end.params["error"], end.params["state"]))

    async def test_refused_consent_comes_back_with_its_state(self) -> None:
        program, browser = await self.program(), Browser()
        choice = await browser.visit(program.auth_code_url(STATE, approval_prompt="force", nonce=NONCE))
        assert isinstance(choice, Page)
        page = await browser.visit(choice.link("/auth/mock"))
        assert isinstance(page, Page)
        end = await browser.submit(page, page.form("approval", "rejected"))
        assert isinstance(end, AtClient), end
        self.assertEqual(("access_denied", STATE), (end.params["error"], end.params["state"]))
