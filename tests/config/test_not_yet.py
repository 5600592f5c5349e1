"""What is accepted but not built, and what is less safe than the default."""

from __future__ import annotations

from typing import Any

from dextwist.config.connector_types import TYPES
from dextwist.connectors.registry import NOT_BUILT_YET
from tests.config.case import CLIENT, MOCK, ConfigCase


class NotYetTest(ConfigCase):
    def test_what_only_adds_something_is_a_warning(self) -> None:
        for over, path in (
            ({"grpc": {"addr": ":5557"}}, "grpc.addr"),
            ({"telemetry": {"http": ":1", "enableProfiling": True}}, "telemetry.enableProfiling"),
            ({"sessions": {"cookieName": "x"}}, "sessions"),
        ):
            self.assert_warned(over, path + ",", "not built yet")
        self.assert_warned({}, "DEX_SESSIONS_ENABLED", environ={"DEX_SESSIONS_ENABLED": "true"})

    def test_what_is_off_is_not_spoken_of(self) -> None:
        over = {
            "grpc": {"addr": "", "reflection": True},
            "telemetry": {"http": ":1", "enableProfiling": False},
            "mfa": {"authenticators": [], "defaultMFAChain": []},
            "staticClients": [{**CLIENT, "mfaChain": []}],
        }
        self.assertEqual(self.load(over).warnings, ())

    def test_what_cannot_work_without_is_a_problem(self) -> None:
        for storage in (
            {"type": "redis"},
            {"type": "postgres"},
            {"type": "mysql"},
            {"type": "etcd", "config": {"endpoints": ["http://a:1"]}},
            {"type": "kubernetes", "config": {"inCluster": True}},
        ):
            self.assert_refused(
                {"storage": storage}, "storage.type", f"storage type {storage['type']} is not built yet"
            )
        self.assert_refused(
            {"signer": {"type": "vault", "config": {"keyName": "k"}}}, "signer.type", "not built yet"
        )

    def test_what_protects_somebody_is_a_problem(self) -> None:
        app = {"id": "app", "type": "TOTP"}
        self.assert_refused({"mfa": {"authenticators": [app]}}, "mfa.authenticators", "not built yet")
        for over, path in (
            ({"mfa": {"authenticators": [app], "defaultMFAChain": ["app"]}}, "mfa.defaultMFAChain"),
            ({"staticClients": [{**CLIENT, "mfaChain": ["app"]}]}, "staticClients[0].mfaChain"),
            ({"authPolicy": [{"expression": "true"}]}, "authPolicy"),
            ({"tokenPolicy": "x"}, "tokenPolicy"),
            ({"staticClients": [{**CLIENT, "authPolicy": "x"}]}, "staticClients[0].authPolicy"),
            ({"staticClients": [{**CLIENT, "AUTHPOLICY": "x"}]}, "staticClients[0].AUTHPOLICY"),
            (
                {"connectors": [{**MOCK, "type": "oidc", "config": {"claimMappingExpressions": {"a": "b"}}}]},
                "connectors[0].config.claimMappingExpressions",
            ),
        ):
            problems = [(each.path, each.problem) for each in self.refusal(over).problems]
            self.assertTrue(any(at == path and "not built yet" in said for at, said in problems), problems)

    def test_a_connector_that_is_not_built_is_a_warning(self) -> None:
        for kind in TYPES:
            over = {"connectors": [{**MOCK, "type": kind}]}
            if kind in NOT_BUILT_YET:
                self.assert_warned(over, "connectors[0].type", f"connector type {kind} is not built yet")
            else:
                self.assertNotIn("not built", str(self.load(over).warnings))

    def test_dexs_other_storage_engine_is_refused(self) -> None:
        self.assert_refused({}, "DEX_ENT_ENABLED", environ={"DEX_ENT_ENABLED": "true"})


class WeakeningsTest(ConfigCase):
    def weak(self, over: dict[str, Any]) -> list[str]:
        return [warning for warning in self.load(over).warnings if "less safe" in warning]

    def test_each_is_named_by_its_key(self) -> None:
        for over, path in (
            (
                {"oauth2": {"pkce": {"codeChallengeMethodsSupported": ["S256", "plain"]}}},
                "oauth2.pkce.codeChallengeMethodsSupported[1]",
            ),
            (
                {"oauth2": {"pkce": {"requiredForPublicClients": False}}},
                "oauth2.pkce.requiredForPublicClients",
            ),
            ({"oauth2": {"introspection": {"allowAnonymous": True}}}, "oauth2.introspection.allowAnonymous"),
            ({"oauth2": {"responseTypes": ["code", "id_token"]}}, "oauth2.responseTypes[1]"),
            ({"oauth2": {"responseTypes": ["code token"]}}, "oauth2.responseTypes[0]"),
            (
                {"oauth2": {"passwordConnector": "local"}, "enablePasswordDB": True},
                "oauth2.passwordConnector",
            ),
            ({"connectors": [MOCK]}, "connectors[0].type"),
            ({"connectors": [{**MOCK, "type": "mockPassword"}]}, "connectors[0].type"),
        ):
            (warning,) = self.weak(over)
            self.assertTrue(warning.startswith(f"{path}, line "), warning)

    def test_the_defaults_written_out_are_no_weakening(self) -> None:
        pkce = {"requiredForPublicClients": True, "codeChallengeMethodsSupported": ["S256"]}
        oauth2 = {"pkce": pkce, "introspection": {"allowAnonymous": False}, "responseTypes": ["code"]}
        self.assertEqual(self.weak({"oauth2": oauth2, "enablePasswordDB": True}), [])
