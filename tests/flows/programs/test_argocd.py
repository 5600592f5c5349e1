"""Argo CD 3 and the clients that it gives dex (its util/dex, util/oidc, pkg/apiclient, cmd/argocd)."""

from __future__ import annotations

import json
from typing import ClassVar

from dextwist.oauth.packed import packed_subject
from tests.flows.browser import Browser
from tests.flows.daemon import Running
from tests.flows.programs.program import CHALLENGE, VERIFIER, Program, ProgramCase
from tests.flows.relying_party import claims_of

WEB = "https://argocd.example.com/auth/callback"
CLI = "http://localhost:8085/auth/callback"
SECRET = "kDmzBn1DlcLkKvbhdMHMIzHVgTnBcWfJ2l0uAg2E"
#: 24 letters, as all its random strings.
STATE = "WPBFZmXXyvcfWQaDtrPNvtvf"


class ArgocdTests(ProgramCase):
    """The clients that it puts before those of the operator; its server answers below /api/dex."""

    CONFIG: ClassVar = {
        "oauth2": {"skipApprovalScreen": True},
        "staticClients": [
            {"id": "argo-cd", "name": "Argo CD", "secret": SECRET, "redirectURIs": [WEB]},
            {
                "id": "argo-cd-cli",
                "name": "Argo CD CLI",
                "public": True,
                "redirectURIs": ["http://localhost", CLI],
            },
        ],
    }

    async def running(self) -> Running:
        return await self.start(self.CONFIG, issuer_path="/api/dex")

    def web(self, running: Running, secret: str = SECRET) -> Program:
        return Program(
            running=running,
            client_id="argo-cd",
            secret=secret,
            redirect_uri=WEB,
            scope="openid profile email groups federated:id",
        )

    async def test_web_login_and_groups_from_userinfo(self) -> None:
        program = self.web(await self.running())
        params = await self.answered(program, program.auth_code_url(STATE))
        self.assertEqual(STATE, params["state"])
        status, tokens = await program.redeem(params["code"])
        self.assertEqual((200, ["header"]), (status, program.credentials_in))
        claims = claims_of(tokens["id_token"])
        self.assertEqual(
            {
                "iss": program.running.issuer,
                "aud": "argo-cd",
                "email": "kilgore@kilgore.trout",
                "groups": ["authors"],
                "federated_claims": {"connector_id": "mock", "user_id": "0-385-28089-0"},
            },
            {name: claims[name] for name in ("iss", "aud", "email", "groups", "federated_claims")},
        )
        self.assertNotIn("refresh_token", tokens)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        page = await Browser().request("GET", program.running.issuer + "/userinfo", headers=bearer)
        told = json.loads(page.body)
        self.assertEqual((claims["sub"], ["authors"]), (told["sub"], told["groups"]))

    async def test_web_login_with_pkce(self) -> None:
        """`enablePKCEAuthentication` is an addition: the secret is still sent."""
        program = self.web(await self.running())
        params = await self.answered(program, program.auth_code_url(STATE, **CHALLENGE))
        self.assertEqual(200, (await program.redeem(params["code"], code_verifier=VERIFIER))[0])

    async def test_wrong_secret_is_tried_in_both_places_and_spends_no_code(self) -> None:
        running = await self.running()
        program = self.web(running)
        code = (await self.answered(program, program.auth_code_url(STATE)))["code"]
        mistaken = self.web(running, secret=SECRET[::-1])
        status, answer = await mistaken.redeem(code)
        self.assertEqual((401, "invalid_client"), (status, answer["error"]))
        self.assertEqual(["header", "form"], mistaken.credentials_in)
        self.assertEqual(200, (await program.redeem(code))[0])

    async def test_cli_login_and_refresh(self) -> None:
        """The command line names itself in a Basic header without a secret."""
        program = Program(
            running=await self.running(),
            client_id="argo-cd-cli",
            secret="",
            redirect_uri=CLI,
            scope="openid profile email groups federated:id offline_access",
        )
        url = program.auth_code_url(
            STATE, access_type="offline", claims='{"id_token":{"groups":{"essential":true}}}', **CHALLENGE
        )
        params = await self.answered(program, url)
        status, tokens = await program.redeem(params["code"], code_verifier=VERIFIER)
        self.assertEqual(200, status, tokens)
        for _ in range(2):
            claims = claims_of(tokens["id_token"])
            self.assertEqual(
                ("argo-cd-cli", packed_subject("0-385-28089-0", "mock"), ["authors"]),
                (claims["aud"], claims["sub"], claims["groups"]),
            )
            status, tokens = await program.refresh(tokens["refresh_token"])
            self.assertEqual(200, status, tokens)
        self.assertEqual(["header"] * 3, program.credentials_in)
