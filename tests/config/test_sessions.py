"""Sessions and second factors: read whole, though they are not built."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from dextwist.config.sessions import Sessions
from tests.config.case import CLIENT, ConfigCase

OFF = {"DEX_SESSIONS_ENABLED": "false"}


class SessionsTest(ConfigCase):
    def test_15_defaults(self) -> None:
        self.assertIsNone(self.load().sessions)
        sessions = self.load({"sessions": {}}).sessions
        self.assertEqual(sessions, Sessions())
        assert sessions is not None
        self.assertEqual(sessions.cookie_name, "dex_session")
        self.assertEqual(sessions.absolute_lifetime, timedelta(hours=24))
        self.assertEqual(sessions.valid_if_not_used_for, timedelta(hours=1))
        self.assertTrue(sessions.remember_me_checked_by_default)
        self.assertEqual((sessions.cookie_encryption_key, sessions.sso_shared_with_default), ("", "none"))

    def test_2_a_section_is_wrong_only_where_sessions_are_switched_off(self) -> None:
        message = "sessions config requires sessions to be enabled (DEX_SESSIONS_ENABLED=true)"
        self.assert_refused({"sessions": {}}, "sessions", message, environ=OFF)
        self.load({"sessions": {}}, environ={"DEX_SESSIONS_ENABLED": "true"})

    def test_15_lifetimes(self) -> None:
        for name in ("absoluteLifetime", "validIfNotUsedFor"):
            for wrong, got in (("0s", "0s"), ("-5m", "-5m0s")):
                refusal = self.refusal({"sessions": {name: wrong}})
                self.assertIn(f"invalid session config: {name} must be positive, got {got}", str(refusal))
            self.assert_refused({"sessions": {name: "1d"}}, f"sessions.{name}", "invalid session config: ")
        self.assert_refused(
            {"sessions": {"absoluteLifetime": "30m"}},
            "sessions.validIfNotUsedFor",
            "invalid session config: validIfNotUsedFor (1h0m0s) must not exceed absoluteLifetime (30m0s)",
        )

    def test_15_lengths_of_the_cookie_key(self) -> None:
        for key in ("k" * 16, "k" * 24, "k" * 32, "é" * 8):
            self.load({"sessions": {"cookieEncryptionKey": key}})
        for key in ("k", "k" * 17, "k" * 33, "é" * 16 + "k"):
            self.assert_refused(
                {"sessions": {"cookieEncryptionKey": key}},
                "sessions.cookieEncryptionKey",
                "must be 16, 24, or 32 bytes (AES-128/192/256), got " + str(len(key.encode())),
            )

    def test_the_cookie_key_may_come_from_a_file(self) -> None:
        path = str(Path(self.file("k" * 32 + "\n")).absolute())
        sessions = self.load({"sessions": {"cookieEncryptionKeyFile": path}}).sessions
        assert sessions is not None
        self.assertEqual(sessions.cookie_encryption_key, "k" * 32)

    def test_15_sharing(self) -> None:
        self.load({"sessions": {"ssoSharedWithDefault": "all"}})
        self.assert_refused(
            {"sessions": {"ssoSharedWithDefault": "some"}},
            "sessions.ssoSharedWithDefault",
            'invalid session config: ssoSharedWithDefault must be "none" or "all", got "some"',
        )


class MFATest(ConfigCase):
    """All of these are refused already since second factors are not built; here the other reason counts."""

    def assert_said(self, over: dict[str, Any], path: str, message: str, **more: Any) -> None:
        problems = [(each.path, each.problem) for each in self.refusal(over, **more).problems]
        self.assertTrue(any(at == path and message in said for at, said in problems), problems)

    def test_2_rules_of_the_section(self) -> None:
        app = {"id": "app", "type": "TOTP"}
        key = {"id": "key", "type": "WebAuthn", "config": {"timeout": "not-a-duration"}}
        for mfa, path, message in (
            (
                {"authenticators": [{"type": "TOTP"}]},
                "mfa.authenticators[0].id",
                "mfa.authenticators: authenticator must have an id",
            ),
            (
                {"authenticators": [app, app]},
                "mfa.authenticators[1]",
                'mfa.authenticators: duplicate authenticator id "app"',
            ),
            (
                {"authenticators": [{"id": "x", "type": "totp"}]},
                "mfa.authenticators[0].type",
                'mfa.authenticators: unknown type "totp" for authenticator "x"',
            ),
            (
                {"authenticators": [app], "defaultMFAChain": ["app", "key"]},
                "mfa.defaultMFAChain[1]",
                'mfa.defaultMFAChain: references unknown authenticator "key"',
            ),
            (
                {"authenticators": [key]},
                "mfa.authenticators[0].config.timeout",
                "not-a-duration",
            ),
        ):
            problems = [(each.path, str(each)) for each in self.refusal({"mfa": mfa}).problems]
            self.assertTrue(any(at == path and message in said for at, said in problems), problems)

    def test_2_second_factors_need_sessions(self) -> None:
        message = "mfa requires sessions to be enabled (DEX_SESSIONS_ENABLED=true)"
        self.assert_said({"mfa": {"defaultMFAChain": ["x"]}}, "mfa", message, environ=OFF)

    def test_2_chains_of_clients_name_known_factors(self) -> None:
        over = {"staticClients": [{**CLIENT, "mfaChain": ["key"]}]}
        self.assert_said(
            over,
            "staticClients[0].mfaChain",
            'staticClients: client "app" references unknown MFA authenticator "key"',
        )
