"""kubectl 1.32 with `auth-provider: oidc` (client-go's plugin/pkg/client/auth/oidc), which only refreshes."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.defer import Deferred, gatherResults

from tests.flows.daemon import CALLBACK
from tests.flows.programs.program import Program, ProgramCase
from tests.flows.relying_party import claims_of


class KubectlTests(ProgramCase):
    """Processes know nothing of each other: each has what the kubeconfig said when it started."""

    CONFIG: ClassVar = {
        "staticClients": [
            {"id": "kubernetes", "name": "Kubernetes", "secret": "k8s-secret", "redirectURIs": [CALLBACK]}
        ],
    }

    async def logged_in(self) -> tuple[Program, str]:
        """A process, and the refresh token in its kubeconfig."""
        program = Program(
            running=await self.start(self.CONFIG),
            client_id="kubernetes",
            secret="k8s-secret",
            scope="openid email groups offline_access",
        )
        params = await self.answered(program, program.auth_code_url("state"))
        status, tokens = await program.redeem(params["code"])
        self.assertEqual(200, status, tokens)
        return program, tokens["refresh_token"]

    def assert_let_in(self, program: Program, tokens: dict[str, Any]) -> None:
        """The API server takes the ID token: its issuer, its audience as text, the groups as a list."""
        claims = claims_of(tokens["id_token"])
        self.assertEqual(
            (program.running.issuer, "kubernetes", ["authors"]),
            (claims["iss"], claims["aud"], claims["groups"]),
        )
        self.assertIs(True, claims["email_verified"])
        self.assertGreater(claims["exp"], claims["iat"])

    async def test_OA_25_processes_that_refresh_at_once_all_get_in(self) -> None:
        program, token = await self.logged_in()
        for _ in range(3):
            answers = await gatherResults([Deferred.fromCoroutine(program.refresh(token)) for _ in range(8)])
            for status, tokens in answers:
                self.assertEqual(200, status, tokens)
                self.assert_let_in(program, tokens)
            # Whichever of them writes the kubeconfig last.
            (token,) = {tokens["refresh_token"] for _, tokens in answers}
        self.assertEqual({"header"}, set(program.credentials_in))

    async def test_OA_25_process_that_comes_late_gets_in_too(self) -> None:
        program, token = await self.logged_in()
        _, first = await program.refresh(token)
        status, late = await program.refresh(token)
        self.assertEqual((200, first["refresh_token"]), (status, late["refresh_token"]))
        self.assert_let_in(program, late)
        self.assertEqual(200, (await program.refresh(first["refresh_token"]))[0])
