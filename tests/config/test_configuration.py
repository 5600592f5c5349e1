"""The configuration as a whole."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dextwist.config.addresses import ListenAddress
from dextwist.config.configuration import Configuration
from dextwist.config.errors import InvalidConfiguration
from tests.config.case import CLIENT, MINIMAL, MOCK, USER, ConfigCase
from tests.config.keys import all_keys


class IssuerTest(ConfigCase):
    def test_2_an_issuer_is_needed(self) -> None:
        for issuer in ("", None):
            self.assert_refused({"issuer": issuer}, "issuer", "no issuer specified in config file")

    def test_2_it_is_an_absolute_url(self) -> None:
        for wrong in (
            "://", "login.example.org", "ftp://a", "https://", "https:///dex", "/dex", "https://a b/", "https://a:port/",
            "https://[::1/", "https://a/\n",
        ):  # fmt: skip
            self.assert_refused({"issuer": wrong}, "issuer", "a URL such as")

    def test_it_has_no_query_no_fragment_and_no_credentials(self) -> None:
        for wrong in (
            "https://a/?x=1",
            "https://a/?",
            "https://a/#x",
            "https://a/#",
            "https://user:hunter2@a/",
        ):
            self.assert_refused({"issuer": wrong}, "issuer", "no query, no fragment and no credentials")

    def test_OA_47_it_stays_as_it_is_written(self) -> None:
        for url in ("https://Login.Example.org:443/Dex", "http://[::1]:5556", "http://a/b%2Fc"):
            self.assertEqual(self.load({"issuer": url}).issuer, url)

    def test_3_a_trailing_slash_is_warned_of(self) -> None:
        self.assert_warned({"issuer": "https://a/dex/"}, "issuer", "slash")


class FlagsTest(ConfigCase):
    def test_17_they_win_over_the_file(self) -> None:
        config = self.load(overrides={"web.http": ":1", "telemetry.http": ":2", "grpc.addr": ":3"})
        self.assertEqual(config.web.http, ListenAddress(port=1))
        self.assertEqual(config.telemetry.http, ListenAddress(port=2))
        self.assertEqual(config.grpc.addr, ListenAddress(port=3))

    def test_17_they_stand_in_for_what_the_file_must_say(self) -> None:
        for web in (None, {}, {"HTTP": ":9"}, {"http": None}):
            config = self.load({"web": web}, overrides={"web.http": ":1"})
            self.assertEqual(config.web.http, ListenAddress(port=1))

    def test_17_an_empty_one_says_nothing(self) -> None:
        self.assertEqual(self.load(overrides={"web.http": ""}), self.load())

    def test_17_they_are_checked(self) -> None:
        self.assert_refused(
            {}, "web.http", "no port number", '"nonsense"', overrides={"web.http": "nonsense"}
        )
        refusal = self.refusal({"web": None}, overrides={"web.https": ":1"})
        self.assertIn("no cert specified for HTTPS", str(refusal))


class ProblemsTest(ConfigCase):
    def test_2_a_whole_table_at_once(self) -> None:
        text = """\
issuer: ""
staticPasswords:
  - {email: a@b.c, userID: "1", hash: x}
web: {https: "127.0.0.1:1", tlsMinVersion: "1.0", tlsMaxVersion: "9"}
grpc: {tlsCert: /x.pem, tlsMinVersion: "1.1"}
"""
        said = str(self.refusal(text))
        for message in (
            "no issuer specified in config file",
            "cannot specify static passwords without enabling password db",
            "no storage supplied in config file",
            "no cert specified for HTTPS",
            "no private key specified for HTTPS",
            "supported TLS versions are: 1.2, 1.3",
            "no address specified for gRPC",
            "must specific both a gRPC TLS cert and key",
            "malformed bcrypt hash",
        ):
            self.assertIn(message, said)
        self.assertEqual(said.count("supported TLS versions"), 3)

    def test_2_problems_of_all_stages_at_once(self) -> None:
        over = {
            "expiry": {"idTokens": "1d"},
            "signer": {"type": "goldpen"},
            "connectors": [{**MOCK, "grantTypes": ["barter"]}, MOCK],
            "staticClients": [{**CLIENT, "name": None}, CLIENT],
            "mfa": {"defaultMFAChain": ["x"]},
            "oauth2": {"passwordConnector": "absent"},
        }
        self.assertEqual(
            {each.path for each in self.refusal(over).problems},
            {
                "expiry.idTokens",
                "signer.type",
                "connectors[0].grantTypes[0]",
                "connectors[1]",
                "staticClients[0].name",
                "staticClients[1]",
                "mfa.defaultMFAChain",
                "mfa.defaultMFAChain[0]",
                "oauth2.passwordConnector",
            },
        )

    def test_a_problem_is_said_once(self) -> None:
        refusal = self.refusal({"web": 5, "oauth2": 5, "storage": 5, "staticPasswords": 5, "connectors": 5})
        self.assertEqual(
            sorted(each.path for each in refusal.problems),
            ["connectors", "oauth2", "staticPasswords", "storage", "web"],
        )

    def test_what_can_start_has_no_problems(self) -> None:
        config = self.load(
            {
                "connectors": [MOCK],
                "staticClients": [CLIENT],
                "enablePasswordDB": True,
                "staticPasswords": [USER],
            }
        )
        self.assertEqual([each.id for each in config.static_clients], ["app"])
        self.assertEqual(config.issuer, MINIMAL["issuer"])


#: Pieces of what configurations are made of, and of what YAML trips over.
_WORDS = [
    "issuer", "storage", "web", "http", "staticClients", "connectors", "config", "type", "id", "logger",
    "level", "expiry", "idTokens", "oauth2", "responseTypes", "staticPasswords", "hash", "mfa", "sessions",
    "frontend", "dir", "memory", "sqlite3", "mockCallback", ":", "{", "}", "[", "]", "'", '"', "#", "~",
    "yes", "1.2", "0x", "0b_", ".inf", "1e400", "\\U0011FFFF", "é", "5556", "$X", "1h", "/", "-",
]  # fmt: skip
_WITH_SPACES = [
    ": ", "\n", "\n  ", "\n- ", "- ", ", ", "&a ", "*a", "<<: ", "!!str ", "!!int ", "? ", "| \n", "> ",
    "%YAML 1.1\n", "---\n", "...\n", "\t", "\x85", "\ufeff",
]  # fmt: skip
_PIECES = st.sampled_from([*_WORDS, *_WITH_SPACES])


_KEYS = all_keys()
_SECTIONS = sorted(field.metadata["key"].name for field in attrs.fields(Configuration) if field.metadata)

#: Values of every kind, in mappings whose keys are mostly known somewhere.
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_KEYS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


class AnyValueTest(ConfigCase):
    @settings(max_examples=150, deadline=None)
    @given(st.dictionaries(st.sampled_from(_SECTIONS), _VALUES, max_size=3))
    @example({"connectors": [{"type": ["ldap"], "id": {"a": 1}, "name": 5}]})
    @example({"staticClients": [{"mfaChain": "x", "id": ["app"]}]})
    def test_any_value_at_any_key_is_refused_in_words_or_read(self, over: dict[str, Any]) -> None:
        try:
            self.load(over)
        except InvalidConfiguration as refusal:
            for problem in refusal.problems:
                self.assertTrue(problem.path or problem.problem)
                self.assertTrue(problem.problem or problem.wanted)


class AnyTextTest(ConfigCase):
    def check(self, text: str | bytes) -> None:
        try:
            config = self.load_text(text)
        except InvalidConfiguration as refusal:
            self.assertTrue(refusal.problems)
            self.assertTrue(all(str(problem) for problem in refusal.problems))
        else:
            self.assertTrue(config.issuer)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(_PIECES, max_size=30).map("".join))
    @example('a: "\\U0011FFFF"')
    @example("%YAML " + "9" * 5000 + ".1\n---\na: 1")
    def test_any_text_is_refused_in_words_or_read(self, text: str) -> None:
        self.check(text)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(_PIECES, max_size=12).map("".join))
    def test_any_text_inside_a_good_file_too(self, text: str) -> None:
        self.check(f"issuer: http://a.test\nstorage: {{type: memory}}\nweb: {{http: ':1'}}\n{text}")

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=40))
    def test_any_bytes_too(self, content: bytes) -> None:
        self.check(content)
