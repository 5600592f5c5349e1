"""The settings of the `oidc` connector: what opens, and what the operator is told."""

from __future__ import annotations

from twisted.logger import LogLevel
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    ClosableConnector,
    LogoutConnector,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.oidc.config import OIDCSettings, takes_body_only
from dextwist.connectors.upstream.oauth2 import ClientAuthentication
from tests.connectors.oidc.case import OIDCTestCase
from tests.upstreams.oidc_provider import DISCOVERY
from tests.upstreams.served import Answer

MINIMAL = {
    "issuer": "https://op.test",
    "clientID": "us",
    "clientSecret": "s",
    "redirectURI": "https://rp.test/cb",
}


class OktaTests(SynchronousTestCase):
    def test_7_its_domains_take_the_secret_in_the_body(self) -> None:
        for issuer in ("https://dev.oktapreview.com", "https://dev.okta.com", "https://okta.com"):
            self.assertTrue(takes_body_only(issuer), issuer)
        for issuer in (
            "https://dev.oktaaccounts.com",
            "https://accounts.google.com",
            "https://okta.com.evil.test",
        ):
            self.assertFalse(takes_body_only(issuer), issuer)

    def test_what_is_written_goes_first(self) -> None:
        okta = "https://dev.okta.com"
        for config, expected in (
            ({"issuer": okta}, ClientAuthentication.BODY),
            ({}, ClientAuthentication.AUTOMATIC),
            ({"issuer": okta, "basicAuthUnsupported": False}, ClientAuthentication.AUTOMATIC),
            ({"basicAuthUnsupported": True}, ClientAuthentication.BODY),
            ({"issuer": okta, "tokenAuthMethod": "client_secret_basic"}, ClientAuthentication.BASIC),
            ({"tokenAuthMethod": "client_secret_post"}, ClientAuthentication.BODY),
        ):
            self.assertIs(OIDCSettings.of({**MINIMAL, **config}).authentication, expected, config)


class OpeningTests(OIDCTestCase):
    def test_it_can_do_all_that_is_promised(self) -> None:
        connector = self.opened()
        for contract in (RefreshConnector, TokenIdentityConnector, LogoutConnector, ClosableConnector):
            self.assertIsInstance(connector, contract)

    def test_settings_that_cannot_work_are_named(self) -> None:
        for key, value in (
            ("issuer", None),
            ("issuer", "ftp://op.test"),
            ("clientID", None),
            ("clientID", ""),
            ("clientSecret", None),
            ("redirectURI", None),
            ("hostedDomains", ["example.org"]),
            ("rootCAs", ["no certificate"]),
            ("pkceChallenge", "S512"),
            ("tokenAuthMethod", "private_key_jwt"),
            ("scopes", "email"),
            ("getUserInfo", "yes"),
        ):
            self.assertIn(key, self.unopened(**{key: value}), (key, value))
        self.assertIn("google", self.unopened(hostedDomains=["example.org"]))
        for url in ("javascript:alert(1)", "//op.test", "op.test/logout"):
            self.assertIn("endSessionURL", self.unopened(providerDiscoveryOverrides={"endSessionURL": url}))

    def test_FU_03_limits_that_would_not_be_enforced_do_not_open(self) -> None:
        self.assertIn("allowedGroups", self.unopened(allowedGroups=["staff"]))
        for pattern in ("(", "[", r"\pL"):
            changes = {"filterGroupClaims": {"groupsFilter": pattern}}
            said = self.unopened(insecureEnableGroups=True, claimModifications=changes)
            self.assertIn("claimModifications.filterGroupClaims.groupsFilter", said)

    def test_client_secret_may_come_from_a_file(self) -> None:
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(f"{self.upstream.client_secret}\n")
        self.login(self.opened(clientSecret=None, clientSecretFile=path))

    def test_provider_that_is_not_there_is_told_at_once_and_opens_all_the_same(self) -> None:
        self.upstream.scripted[DISCOVERY] = Answer.json({}, 503)
        with captured_logs() as events:
            self.opened()
        (event,) = [each for each in events if each["log_level"] is LogLevel.error]
        self.assertEqual(event["connector_id"], "up")
        self.assertIn(self.upstream.url, event["err"])

    def test_method_that_the_provider_does_not_name_is_a_warning(self) -> None:
        for method, warned in (("plain", 1), ("S256", 0)):
            self.upstream.document["code_challenge_methods_supported"] = ["S256"]
            with captured_logs() as events:
                self.opened(pkceChallenge=method)
            self.assertEqual(sum(each["log_level"] is LogLevel.warn for each in events), warned)


class DocumentationTests(OIDCTestCase):
    def test_page_shows_a_configuration_that_opens(self) -> None:
        self.opened(**self.documented())

    def test_page_names_every_key(self) -> None:
        self.assert_documented()
