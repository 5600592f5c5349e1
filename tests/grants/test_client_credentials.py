"""The client_credentials grant (server rows 16.4, 31.10)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.client_credentials import ClientCredentialsGrant
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.client import CLIENTS, Client
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.packed import packed, packed_subject
from dextwist.oauth.parameters import Form
from dextwist.storage.interface import Create
from dextwist.storage.memory import MemoryStorage
from tests.grants.fakes import clock_at_the_beginning, new_issuer
from tests.signing.fakes import FakeSigner

MACHINE = Client(id="cli", secret="s", name="The Machine", client_credentials_groups=("robots",))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


class ClientCredentialsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.storage, self.signer = MemoryStorage(), FakeSigner()
        issuer = new_issuer(self.storage, clock_at_the_beginning(), self.signer)
        self.grant = ClientCredentialsGrant(storage=self.storage, issuer=issuer)

    async def _answer(self, client: Client, scope: str, nonce: str) -> TokenResponse:
        form = Form((("scope", scope), ("nonce", nonce)))
        return await self.grant.redeem(await self.grant.examine(TokenRequest(client=client, form=form)), None)

    def answer(self, scope: str = "", client: Client = MACHINE, nonce: str = "") -> TokenResponse:
        response: TokenResponse = self.successResultOf(self._answer(client, scope, nonce))
        return response

    def claims(self, token: str) -> dict[str, Any]:
        return dict(self.successResultOf(self.signer.verify(token)).claims)

    def test_31_10_access_token_alone(self) -> None:
        response = self.answer()
        self.assertEqual((response.id_token, response.refresh_token, response.scope), ("", "", ""))
        claims = self.claims(response.access_token)
        self.assertEqual((claims["sub"], claims["aud"]), ("CgNjbGk", "cli"))
        self.assertEqual(
            set(claims) & {"name", "preferred_username", "groups", "email", "email_verified", "auth_time"},
            set(),
        )

    def test_31_10_openid_brings_an_id_token(self) -> None:
        claims = self.claims(self.answer("openid", nonce="n-1").id_token)
        self.assertEqual((claims["sub"], claims["nonce"]), (packed_subject("cli", ""), "n-1"))

    def test_31_10_claims_of_a_machine(self) -> None:
        for scope, client, expected in (
            ("profile", MACHINE, {"name": "The Machine", "preferred_username": "The Machine"}),
            ("groups", MACHINE, {"groups": ["robots"]}),
            ("groups", Client(id="cli"), {}),
            ("email", MACHINE, {"email_verified": False}),
        ):
            claims = self.claims(self.answer(scope, client).access_token)
            found = {
                name: value
                for name, value in claims.items()
                if name in ("name", "preferred_username", "groups", "email", "email_verified")
            }
            self.assertEqual(found, expected)

    def test_31_10_scopes_that_a_machine_cannot_have(self) -> None:
        for scope in (
            "offline_access",
            "openid offline_access",
            "federated:id",
            "wings",
            "audience:server:client_id:peer",
        ):
            error = self.failureResultOf(self._answer(MACHINE, scope, ""), OAuthError).value
            self.assertEqual((error.error, error.status), ("invalid_scope", 400), scope)

    def test_16_4_audience_of_a_peer_that_trusts(self) -> None:
        self.successResultOf(self.storage.write(Create(CLIENTS, Client(id="peer", trusted_peers=("cli",)))))
        claims = self.claims(self.answer("audience:server:client_id:peer").access_token)
        self.assertEqual((claims["aud"], claims["azp"]), (["peer", "cli"], "cli"))

    def test_OA_44_client_named_like_a_persons_subject(self) -> None:
        person = packed_subject("08a8684b", "local")
        impostor = self.claims(self.answer(client=Client(id=person, secret="x")).access_token)
        self.assertNotEqual(impostor["sub"], person)

    @settings(deadline=None)
    @given(NAMES, st.text(st.characters(exclude_categories=["Cs"])), NAMES)
    def test_OA_44_no_machine_is_a_person(self, client_id: str, user_id: str, connector_id: str) -> None:
        person = packed(user_id, connector_id)
        self.assertNotEqual(packed_subject(client_id, ""), person)
        self.assertNotEqual(packed_subject(person, ""), person)
