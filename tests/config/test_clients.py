"""Applications that the file declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dextwist.model.client import Client
from tests.config.case import CLIENT, ConfigCase


class ClientsTest(ConfigCase):
    def clients(self, *clients: dict[str, Any], environ: dict[str, str] | None = None) -> tuple[Client, ...]:
        return self.load({"staticClients": list(clients)}, environ=environ or {}).static_clients

    def without(self, left_out: str, **more: Any) -> dict[str, Any]:
        return {"staticClients": [{**{k: v for k, v in CLIENT.items() if k != left_out}, **more}]}

    def test_4_1_all_keys(self) -> None:
        written = {
            "id": "app",
            "secret": "s",
            "name": "App",
            "redirectURIs": ["http://a/"],
            "postLogoutRedirectURIs": ["http://b/"],
            "backchannelLogoutURI": "http://c/",
            "refreshTokenLifetime": "session",
            "trustedPeers": ["peer"],
            "public": True,
            "logoURL": "http://d/",
            "allowedConnectors": ["mock"],
            "ssoSharedWith": ["*"],
            "clientCredentialsClaims": {"groups": ["g"]},
        }
        self.assertEqual(
            self.clients(written),
            (
                Client(
                    id="app",
                    secret="s",
                    name="App",
                    redirect_uris=("http://a/",),
                    post_logout_redirect_uris=("http://b/",),
                    backchannel_logout_uri="http://c/",
                    refresh_token_lifetime="session",
                    trusted_peers=("peer",),
                    public=True,
                    logo_url="http://d/",
                    allowed_connectors=("mock",),
                    sso_shared_with=("*",),
                    client_credentials_groups=("g",),
                ),
            ),
        )

    def test_4_1_absent_and_empty_lists_differ(self) -> None:
        (absent,) = self.clients({**CLIENT})
        self.assertEqual(
            (absent.mfa_chain, absent.sso_shared_with, absent.client_credentials_groups), (None,) * 3
        )
        (empty,) = self.clients(
            {**CLIENT, "mfaChain": [], "ssoSharedWith": [], "clientCredentialsClaims": {"groups": []}}
        )
        self.assertEqual((empty.mfa_chain, empty.sso_shared_with, empty.client_credentials_groups), ((),) * 3)

    def test_4_1_required_keys(self) -> None:
        for name, message in (
            ("name", "Name field is required for a client"),
            ("id", "ID or IDEnv field is required for a client"),
            ("secret", 'Secret or SecretEnv field is required for client "app"'),
        ):
            self.assert_refused(self.without(name), f"staticClients[0].{name}", message)
            for nothing in ("", None):
                over = self.without(name, **{name: nothing})
                self.assert_refused(over, f"staticClients[0].{name}", message)

    def test_4_1_exclusive_keys(self) -> None:
        environ = {"VAR": "value"}
        self.assert_refused(
            self.without("", idEnv="VAR"),
            "staticClients[0].idEnv",
            'ID and IDEnv fields are exclusive for client "app"',
            environ=environ,
        )
        self.assert_refused(
            self.without("", secretEnv="VAR"),
            "staticClients[0].secretEnv",
            'Secret and SecretEnv fields are exclusive for client "app"',
            environ=environ,
        )

    def test_a_secret_file_and_a_variable_exclude_each_other(self) -> None:
        path = str(Path(self.file("x")).absolute())
        over = self.without("secret", secretEnv="VAR", secretFile=path)
        self.assert_refused(over, "staticClients[0].secretEnv", "exclusive", environ={"VAR": "value"})

    def test_1_2_id_and_secret_from_the_environment(self) -> None:
        (client,) = self.clients(
            {"idEnv": "ID", "secretEnv": "SECRET", "name": "Env"},
            environ={"ID": "from-env", "SECRET": "$ecret ${HOME}", "HOME": "/"},
        )
        self.assertEqual((client.id, client.secret), ("from-env", "$ecret ${HOME}"))

    def test_1_1_nothing_else_is_expanded(self) -> None:
        (client,) = self.clients({**CLIENT, "secret": "$HOME"}, environ={"HOME": "/"})
        self.assertEqual(client.secret, "$HOME")

    def test_OA_17_unset_and_empty_variables_are_refused(self) -> None:
        for environ in ({}, {"KIT_NOT_SET": ""}):
            for name in ("id", "secret"):
                over = self.without(name, **{f"{name}Env": "KIT_NOT_SET"})
                self.assert_refused(over, f"staticClients[0].{name}Env", "KIT_NOT_SET", environ=environ)

    def test_OA_17_blank_secrets_are_refused(self) -> None:
        self.assert_refused(self.without("", secret="  "), "staticClients[0].secret", "blank")
        over = self.without("secret", secretEnv="BLANK")
        self.assert_refused(over, "staticClients[0].secretEnv", "blank", environ={"BLANK": "\t"})

    def test_a_public_client_needs_no_secret(self) -> None:
        (client,) = self.clients({"id": "cli", "name": "Cli", "public": True})
        self.assertEqual((client.public, client.secret), (True, ""))

    def test_4_1_an_id_that_is_taken_is_refused(self) -> None:
        over = {"staticClients": [CLIENT, {"idEnv": "ID", "name": "Other", "secret": "x"}]}
        self.assert_refused(over, "staticClients[1]", '"app"', "staticClients[0]", environ={"ID": "app"})

    def test_2_refresh_token_lifetimes(self) -> None:
        self.clients({**CLIENT, "refreshTokenLifetime": "standalone"}, {**CLIENT, "id": "b"})
        self.assert_refused(
            self.without("", refreshTokenLifetime="eternal"),
            "staticClients[0].refreshTokenLifetime",
            'staticClients: client "app": invalid refresh token lifetime "eternal":'
            ' want "standalone" or "session"',
        )
