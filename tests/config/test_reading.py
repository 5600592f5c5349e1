"""What holds for every section."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.config.case import CLIENT, MINIMAL, ConfigCase

STRICT = {"DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true"}


class KeysTest(ConfigCase):
    def test_1_keys_are_found_in_any_letter_case_without_noise(self) -> None:
        config = self.load({"OAUTH2": {"SKIPAPPROVALSCREEN": True, "PKCE": {"Enforce": True}}})
        self.assertTrue(config.oauth2.skip_approval_screen)
        self.assertTrue(config.oauth2.pkce.enforce)
        self.assertEqual(config.warnings, ())

    def test_the_exact_spelling_wins_and_the_other_is_warned_of(self) -> None:
        for first, second in (("HTTP", "http"), ("http", "HTTP")):
            config = self.load({"web": {first: f":{len(first)}", second: ":5"} | {"http": ":7777"}})
            assert config.web.http is not None
            self.assertEqual(config.web.http.port, 7777)
            self.assertEqual(len([w for w in config.warnings if "HTTP" in w and w.startswith("web")]), 1)

    def test_of_two_other_spellings_the_last_counts_and_is_warned_of(self) -> None:
        config = self.load({"OAuth2": {"SkipApprovalScreen": False, "SKIPAPPROVALSCREEN": True}})
        self.assertTrue(config.oauth2.skip_approval_screen)
        self.assertEqual(len(config.warnings), 1)

    def test_1_unknown_keys_are_warned_of_with_the_nearest_known_one(self) -> None:
        self.assert_warned(
            {"oauth2": {"skipAprovalScreen": True}},
            "oauth2.skipAprovalScreen",
            "line",
            "did you mean skipApprovalScreen?",
        )
        config = self.load({"isuer": "x", "additionalFeatures": ["x"]})
        self.assertEqual(len(config.warnings), 2)

    def test_1_unknown_keys_are_errors_in_strict_mode_everywhere(self) -> None:
        for over, path in (
            ({"isuer": "x"}, "isuer"),
            ({"additionalFeatures": []}, "additionalFeatures"),
            ({"web": {"http": ":1", "htttp": "x"}}, "web.htttp"),
            ({"web": {"http": ":1", "headers": {"X-Other": "x"}}}, "web.headers.X-Other"),
            ({"oauth2": {"pkce": {"x": 1}}}, "oauth2.pkce.x"),
            ({"storage": {"type": "memory", "config": {"x": 1}}}, "storage.config.x"),
            (
                {"signer": {"type": "local", "config": {"keysRotationPeriod": "1h", "x": 1}}},
                "signer.config.x",
            ),
            ({"staticClients": [{**CLIENT, "x": 1}]}, "staticClients[0].x"),
            ({"expiry": {"refreshTokens": {"x": 1}}}, "expiry.refreshTokens.x"),
        ):
            self.assert_refused(over, path, "unknown key", environ=STRICT)

    def test_strict_mode_reaches_second_factors(self) -> None:
        over = {"mfa": {"authenticators": [{"id": "app", "type": "TOTP", "config": {"isuer": "x"}}]}}
        self.assertIn("mfa.authenticators[0].config.isuer", str(self.refusal(over, environ=STRICT)))

    def test_null_leaves_the_default(self) -> None:
        over = dict.fromkeys(("telemetry", "grpc", "oauth2", "expiry", "logger", "frontend", "mfa"))
        lists = dict.fromkeys(("connectors", "staticClients", "staticPasswords", "sessions"))
        self.assertEqual(self.load({**over, **lists, "enablePasswordDB": None}), self.load())
        self.assertEqual(self.load({"expiry": {"idTokens": None, "refreshTokens": None}}), self.load())

    def test_1_null_is_an_error_for_storage_signer_and_log_level(self) -> None:
        self.assert_refused({"storage": None}, "storage.type", 'unknown storage type ""')
        self.assert_refused({"signer": None}, "signer.type", 'unknown signer type ""')
        self.assert_refused({"logger": {"level": None}}, "logger.level", "found nothing")

    def test_an_empty_text_leaves_the_default(self) -> None:
        over = {"expiry": {"idTokens": ""}, "logger": {"format": ""}, "frontend": {"theme": "", "dir": ""}}
        self.assertEqual(self.load(over), self.load())

    def test_an_empty_list_leaves_the_default_of_lists_that_must_have_something(self) -> None:
        over = {
            "oauth2": {"responseTypes": [], "grantTypes": [], "pkce": {"codeChallengeMethodsSupported": []}},
            "web": {**MINIMAL["web"], "allowedHeaders": []},
        }
        self.assertEqual(self.load(over), self.load())


def oauth2(name: str, value: Any) -> dict[str, Any]:
    return {"oauth2": {name: value}}


def max_per_client(value: Any) -> dict[str, Any]:
    return {"expiry": {"refreshTokens": {"maxPerClient": value}}}


class TypesTest(ConfigCase):
    def test_found_and_wanted_types_are_said(self) -> None:
        limit = "expiry.refreshTokens.maxPerClient"
        for over, path, found, wanted in (
            ({"issuer": 5}, "issuer", "the number 5", "a text; put it in quotes"),
            ({"issuer": ["x"]}, "issuer", "a list", "a text"),
            (
                oauth2("skipApprovalScreen", "perhaps"),
                "oauth2.skipApprovalScreen",
                '"perhaps"',
                "true or false",
            ),
            (oauth2("skipApprovalScreen", 1), "oauth2.skipApprovalScreen", "the number 1", "true or false"),
            ({"oauth2": ["x"]}, "oauth2", "a list", "a mapping"),
            (oauth2("responseTypes", "code"), "oauth2.responseTypes", '"code"', "a list"),
            (oauth2("responseTypes", [None]), "oauth2.responseTypes[0]", "nothing", "a text"),
            ({"staticClients": {"id": "x"}}, "staticClients", "a mapping", "a list"),
            ({"staticClients": ["x"]}, "staticClients[0]", '"x"', "a mapping"),
            (max_per_client("many"), limit, '"many"', "a whole number"),
            (max_per_client(0), limit, "the number 0", "1 or more"),
            (max_per_client(1.5), limit, "the number 1.5", "a whole number"),
            (max_per_client(True), limit, "the boolean true", "a whole number"),
            ({"frontend": {"extra": {"Key": 5}}}, "frontend.extra.Key", "the number 5", "a text"),
            ({"web": {"http": ":1", "headers": "none"}}, "web.headers", '"none"', "a mapping"),
        ):
            problem = self.problem(over)
            self.assertEqual((problem.path, problem.found), (path, found))
            self.assertIn(wanted, problem.wanted)
            self.assertIn(f"found {found}, wanted {problem.wanted}", str(problem))

    def test_an_empty_text_in_a_list_is_refused(self) -> None:
        self.assert_refused({"oauth2": {"grantTypes": [""]}}, "oauth2.grantTypes[0]")

    def test_long_values_are_cut(self) -> None:
        problem = self.problem({"logger": {"format": "x" * 500}})
        self.assertLess(len(str(problem)), 250)


class SecretsTest(ConfigCase):
    def secret_file(self, content: bytes) -> str:
        return str(Path(self.file(content)).absolute())

    def test_a_secret_may_come_from_a_file_without_its_last_line_break(self) -> None:
        for content, secret in (
            (b"hunter2\n", "hunter2"),
            (b"hunter2\r\n", "hunter2"),
            (b"hunter2", "hunter2"),
            (b" two\nlines\n\n", " two\nlines\n"),
        ):
            client = {"id": "app", "name": "App", "secretFile": self.secret_file(content)}
            self.assertEqual(self.load({"staticClients": [client]}).static_clients[0].secret, secret)

    def test_a_file_that_cannot_be_read_is_refused(self) -> None:
        for path, words in (
            ("/nonexistent/secret", "cannot read /nonexistent/secret"),
            ("/", "cannot read /"),
            ("a\0b", "cannot read"),
            (self.secret_file(b""), "is empty"),
            (self.secret_file(b"\n"), "is empty"),
            (self.secret_file(b"\xff"), "not UTF-8"),
            (5, "the path of a file"),
        ):
            client = {"id": "app", "name": "App", "secretFile": path}
            self.assert_refused({"staticClients": [client]}, "staticClients[0].secretFile", words)

    def test_a_secret_and_its_file_exclude_each_other(self) -> None:
        client = {**CLIENT, "secretFile": self.secret_file(b"x")}
        self.assert_refused({"staticClients": [client]}, "staticClients[0].secretFile", "exclude each other")

    def test_secrets_are_never_said(self) -> None:
        for over in (
            {"staticClients": [{**CLIENT, "secret": 271828}]},
            {"staticClients": [{**CLIENT, "secret": ["271828"]}]},
            {
                "staticPasswords": [{"email": "a@b.c", "userID": "1", "hash": "271828"}],
                "enablePasswordDB": True,
            },
            {
                "staticPasswords": [{"email": "a@b.c", "userID": "1", "hash": 271828}],
                "enablePasswordDB": True,
            },
            {"sessions": {"cookieEncryptionKey": "271828"}},
            {"storage": {"type": "postgres", "config": {"password": 271828}}},
            {"storage": {"type": "redis", "config": {"password": {"a": "271828"}}}},
            {"signer": {"type": "vault", "config": {"token": 271828, "keyName": "x"}}},
            {"connectors": [{"type": "ldap", "id": "", "name": "L", "config": {"bindPW": 271828}}]},
        ):
            refusal = self.refusal(over)
            self.assertNotIn("271828", str(refusal))
            self.assertNotIn("271828", repr(refusal))

    def test_secrets_are_not_in_the_repr_of_the_configuration(self) -> None:
        config = self.load(
            {
                "staticClients": [{**CLIENT, "secret": "hunter2"}],
                "connectors": [{"type": "ldap", "id": "l", "name": "L", "config": {"bindPW": "hunter2"}}],
                "sessions": {"cookieEncryptionKey": "hunter2-hunter2-"},
            }
        )
        self.assertNotIn("hunter2", repr(config))


class ReportTest(ConfigCase):
    TEXT = """\
issuer: http://127.0.0.1:5556/dex
expiry:
  idTokens: 1d
  deviceRequests: soon
oauth2:
  responseTypes: [nonsense]
storage:
  type: memory
web:
  http: 127.0.0.1:5556
logger: {format: xml}
staticClients:
  - id: app
    secret: x
connectors:
  - type: mockCallback
    id: mock
    name: Mock
    grantTypes:
      - barter
"""

    def test_2_everything_wrong_is_said_at_once_in_the_order_of_the_document(self) -> None:
        refusal = self.refusal(self.TEXT)
        self.assertEqual(
            [(problem.path, problem.line) for problem in refusal.problems],
            [
                ("expiry.idTokens", 3),
                ("expiry.deviceRequests", 4),
                ("oauth2.responseTypes[0]", 6),
                ("logger.format", 11),
                ("staticClients[0].name", 13),
                ("connectors[0].grantTypes[0]", 20),
            ],
        )
        lines = str(refusal).splitlines()
        self.assertEqual(len(lines), 7)
        self.assertIn(refusal.file, lines[0])
        self.assertEqual(
            lines[1],
            '  - expiry.idTokens, line 3: invalid config value "1d" for id token expiry;'
            " wanted a duration such as 90m, 1.5h or 1h30m5s",
        )
