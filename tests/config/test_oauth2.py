"""Grants, response types and proof keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dextwist.oauth.response_types import RESPONSE_TYPES
from tests.config.case import MOCK, ConfigCase

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CLIENT_CREDENTIALS = {"DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT": "true"}


class OAuth2Test(ConfigCase):
    def grants(self, environ: dict[str, str] | None = None, **oauth2: Any) -> tuple[str, ...]:
        return self.load({"oauth2": oauth2, "connectors": [MOCK]}, environ=environ or {}).grant_types

    def test_31_1_defaults(self) -> None:
        oauth2 = self.load().oauth2
        self.assertEqual(oauth2.response_types, ("code",))
        self.assertEqual(oauth2.pkce.code_challenge_methods_supported, ("S256",))
        self.assertFalse(oauth2.pkce.enforce)
        self.assertTrue(oauth2.pkce.required_for_public_clients)
        self.assertFalse(oauth2.introspection.allow_anonymous)
        self.assertFalse(oauth2.skip_approval_screen or oauth2.always_show_login_screen)

    def test_31_1_grants(self) -> None:
        default = ("authorization_code", "refresh_token", DEVICE, EXCHANGE)
        self.assertEqual(self.grants(), default)
        self.assertEqual(self.grants(CLIENT_CREDENTIALS), (default[0], "client_credentials", *default[1:]))
        self.assertEqual(
            self.grants(CLIENT_CREDENTIALS, responseTypes=["code", "token"]),
            ("authorization_code", "client_credentials", "implicit", "refresh_token", DEVICE, EXCHANGE),
        )
        self.assertEqual(
            self.grants(passwordConnector="mock"),
            ("authorization_code", "password", "refresh_token", DEVICE, EXCHANGE),
        )
        self.assertEqual(self.grants(grantTypes=["refresh_token", "not-a-grant"]), ("refresh_token",))
        self.assertEqual(self.grants(grantTypes=[EXCHANGE]), (EXCHANGE,))
        self.assertEqual(self.grants(grantTypes=["client_credentials"]), ("client_credentials",))

    def test_OA_19_implicit_needs_a_response_type_with_the_word_token(self) -> None:
        for words in RESPONSE_TYPES:
            self.assertEqual(
                "implicit" in self.grants(responseTypes=[words]), "token" in words.split(), words
            )

    def test_OA_19_a_list_of_grants_alone_enables_neither_implicit_nor_password(self) -> None:
        over = {"oauth2": {"grantTypes": ["authorization_code", "implicit", "password"]}}
        config = self.load(over)
        self.assertEqual(config.grant_types, ("authorization_code",))
        self.assert_warned(over, "oauth2.grantTypes[1]", "response type")
        self.assert_warned(over, "oauth2.grantTypes[2]", "passwordConnector")

    def test_9_an_unknown_grant_is_warned_of(self) -> None:
        self.assert_warned({"oauth2": {"grantTypes": ["barter"]}}, "oauth2.grantTypes[0]", "barter")

    def test_9_response_types(self) -> None:
        self.assertEqual(
            self.load({"oauth2": {"responseTypes": list(RESPONSE_TYPES)}}).oauth2.response_types,
            RESPONSE_TYPES,
        )
        for wrong in ("nonsense", "id_token code", "Code", " code"):
            self.assert_refused(
                {"oauth2": {"responseTypes": ["code", wrong]}},
                "oauth2.responseTypes[1]",
                f'unsupported response_type "{wrong}"',
            )

    def test_response_types_without_their_grant_are_warned_of(self) -> None:
        over = {"oauth2": {"grantTypes": ["authorization_code"], "responseTypes": ["code", "id_token token"]}}
        self.assert_warned(over, "oauth2.responseTypes[1]", "implicit")
        over = {"oauth2": {"grantTypes": ["implicit"], "responseTypes": ["code id_token", "id_token"]}}
        self.assert_warned(over, "oauth2.responseTypes[0]", "authorization_code")
        for grant, words in (("authorization_code", ["code", "id_token"]), ("implicit", ["id_token"])):
            config = self.load({"oauth2": {"grantTypes": [grant], "responseTypes": words}})
            self.assertNotIn("no effect", " ".join(config.warnings))

    def test_9_proof_key_methods(self) -> None:
        pkce = self.load(
            {"oauth2": {"pkce": {"codeChallengeMethodsSupported": ["plain", "S256"]}}}
        ).oauth2.pkce
        self.assertEqual(pkce.code_challenge_methods_supported, ("plain", "S256"))
        for wrong in ("S512", "s256", "PLAIN"):
            self.assert_refused(
                {"oauth2": {"pkce": {"codeChallengeMethodsSupported": [wrong]}}},
                "oauth2.pkce.codeChallengeMethodsSupported[0]",
                f'unsupported PKCE challenge method "{wrong}"',
            )

    def test_OA_43_wrong_user_codes_are_few_and_never_without_limit(self) -> None:
        flow = self.load({}).oauth2.device_flow
        self.assertEqual(
            (flow.max_wrong_user_codes, flow.wrong_user_codes_within), (10, timedelta(minutes=5))
        )
        over = {"oauth2": {"deviceFlow": {"maxWrongUserCodes": 3, "wrongUserCodesWithin": "1h"}}}
        flow = self.load(over).oauth2.device_flow
        self.assertEqual((flow.max_wrong_user_codes, flow.wrong_user_codes_within), (3, timedelta(hours=1)))
        for key, wrong in (("maxWrongUserCodes", 0), ("wrongUserCodesWithin", "0s")):
            self.assert_refused({"oauth2": {"deviceFlow": {key: wrong}}}, f"oauth2.deviceFlow.{key}")

    def test_9_the_password_connector_must_exist(self) -> None:
        over = {"oauth2": {"passwordConnector": "absent"}, "connectors": [MOCK]}
        self.assert_refused(over, "oauth2.passwordConnector", 'no connector "absent"')
        self.assert_refused({"oauth2": {"passwordConnector": "local"}}, "oauth2.passwordConnector")
        config = self.load({"oauth2": {"passwordConnector": "local"}, "enablePasswordDB": True})
        self.assertEqual(config.oauth2.password_connector, "local")
