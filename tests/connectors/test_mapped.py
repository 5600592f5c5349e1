"""Claims rules at work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_type_hints

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    CallbackRequest,
    ConnectorScopes,
    Identity,
    PasswordConnector,
    RefreshConnector,
)
from dextwist.connectors.mapped import CONTRACTS, ClaimsMapping, mapped_connector
from dextwist.connectors.mock import MockCallbackConnector, MockPasswordConnector
from dextwist.model.claim_rules import ClaimRules, GroupsRule, TextRule
from dextwist.model.claims import Claims
from tests.connectors.fakes import FakeConnector, FakeUpstream, started
from tests.connectors.test_opened import GITHUB

ANN = Claims(
    user_id="1", username="Ann", email="ann@example.org", email_verified=True, groups=("ops", "dev", "ops-x")
)
UPSTREAM: Mapping[str, Any] = {
    "mail": "ann@corp.example",
    "mail_ok": True,
    "said": "true",
    "realm": {"roles": ["boss", 7, None, "", ["x"], True], "one": "boss"},
    "number": 12345678901234567890,
    "a.b": "dotted",
}

NAMES = st.text(max_size=6)
CLAIMS = st.builds(
    Claims,
    user_id=NAMES,
    username=NAMES,
    preferred_username=NAMES,
    email=NAMES,
    email_verified=st.booleans(),
    groups=st.lists(NAMES, max_size=8).map(tuple),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [(), ("userID",), ("email",), ("groups",), ("upstream", "a"), ("upstream", "a", "b"), ("upstream", "c")]
)
PATTERNS = st.sampled_from([None, re.compile("[a-m0-9]*"), re.compile(".*a.*")])
TEXT_RULES = st.builds(TextRule, source=PATHS, drop=st.booleans(), prefix=NAMES)
RULES = st.builds(
    ClaimRules,
    username=TEXT_RULES,
    preferred_username=TEXT_RULES,
    email=TEXT_RULES,
    email_verified=PATHS,
    groups=st.builds(
        GroupsRule,
        source=PATHS,
        drop=st.booleans(),
        max_length=st.integers(1, 8),
        keep_matching=PATTERNS,
        drop_matching=PATTERNS,
        prefix=NAMES,
        add=st.lists(st.just("s"), max_size=1).map(tuple),
        max_count=st.integers(1, 5),
    ),
)


def mapped(rules: ClaimRules, claims: Claims = ANN, upstream: Mapping[str, Any] = UPSTREAM) -> Claims:
    mapping = ClaimsMapping(connector_id="corp", rules=rules)
    identity = Identity(claims=claims, upstream_claims=upstream)
    return mapping.applied(identity, refreshable=False).claims


def texts_in(value: Any) -> set[str]:
    """Every text and number somewhere in a JSON value."""
    if isinstance(value, dict):
        return set().union(*map(texts_in, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(texts_in, value))
    return {str(value)}


class PropertyTests(SynchronousTestCase):
    """What holds for all rules and whatever an upstream says."""

    @given(RULES, CLAIMS, JSON)
    def test_user_id_is_never_changed(self, rules: ClaimRules, claims: Claims, said: Any) -> None:
        self.assertEqual(mapped(rules, claims, {"a": said}).user_id, claims.user_id)

    @given(RULES, CLAIMS, JSON)
    def test_no_group_is_invented(self, rules: ClaimRules, claims: Claims, said: Any) -> None:
        rule = rules.groups
        heard = {*texts_in(attrs.astuple(claims)), *texts_in(said)}
        allowed = {rule.prefix + name for name in heard} | {*rule.add}
        self.assertLessEqual({*mapped(rules, claims, {"a": said}).groups}, allowed)

    @given(RULES, CLAIMS, JSON)
    def test_caps_hold_and_static_groups_are_there(
        self, rules: ClaimRules, claims: Claims, said: Any
    ) -> None:
        rule, groups = rules.groups, mapped(rules, claims, {"a": said}).groups
        self.assertLessEqual(len(groups), rule.max_count)
        self.assertTrue(all(len(group) <= rule.max_length for group in groups))
        self.assertEqual(len(groups), len({*groups}))
        self.assertLessEqual({*rule.add}, {*groups})

    @given(RULES, CLAIMS, JSON)
    def test_FU_02_nothing_but_true_verifies_an_address(
        self, rules: ClaimRules, claims: Claims, said: Any
    ) -> None:
        result = mapped(rules, claims, {"a": said})
        if result.email_verified and not rules.email_verified:
            self.assertEqual((result.email, True), (claims.email, claims.email_verified))
        if result.email_verified and rules.email_verified:
            self.assertIn("True", texts_in(said))

    @given(CLAIMS, JSON)
    def test_no_rules_change_nothing_but_doubled_and_empty_groups(self, claims: Claims, said: Any) -> None:
        plain = attrs.evolve(claims, groups=tuple(dict.fromkeys(filter(None, claims.groups))))
        self.assertEqual(mapped(ClaimRules(), claims, {"a": said}), plain)


class RuleTests(SynchronousTestCase):
    """Single rules."""

    def groups(self, **how: Any) -> tuple[str, ...]:
        return mapped(ClaimRules(groups=GroupsRule(**how))).groups

    def username(self, **how: Any) -> str:
        return mapped(ClaimRules(username=TextRule(**how))).username

    def test_texts_are_taken_from_claims_and_from_anywhere_in_what_the_upstream_said(self) -> None:
        for path, value in (
            (("email",), "ann@example.org"),
            (("userID",), "1"),
            (("upstream", "mail"), "ann@corp.example"),
            (("upstream", "realm", "one"), "boss"),
            (("upstream", "a.b"), "dotted"),
            (("upstream", "number"), "12345678901234567890"),
        ):
            self.assertEqual(self.username(source=path), value)

    def test_what_is_no_text_or_not_there_is_empty(self) -> None:
        for path in (("mail_ok",), ("realm",), ("nothing",), ("mail", "deeper"), ("realm", "roles", "0")):
            self.assertEqual(self.username(source=("upstream", *path), prefix="p:"), "")

    def test_prefix_and_drop(self) -> None:
        self.assertEqual(self.username(prefix="corp:"), "corp:Ann")
        self.assertEqual(self.username(drop=True), "")
        self.assertEqual(mapped(ClaimRules(preferred_username=TextRule(prefix="x"))).preferred_username, "")

    def test_rules_read_what_the_connector_said_and_not_each_other(self) -> None:
        rules = ClaimRules(
            username=TextRule(source=("email",)), email=TextRule(source=("username",)), groups=GroupsRule()
        )
        result = mapped(rules)
        self.assertEqual((result.username, result.email), ("ann@example.org", "Ann"))

    def test_groups_step_by_step(self) -> None:
        self.assertEqual(self.groups(keep_matching=re.compile("ops.*")), ("ops", "ops-x"))
        self.assertEqual(self.groups(keep_matching=re.compile("ops")), ("ops",))
        self.assertEqual(self.groups(drop_matching=re.compile("ops.*")), ("dev",))
        self.assertEqual(self.groups(prefix="c:", keep_matching=re.compile("dev")), ("c:dev",))
        self.assertEqual(self.groups(add=("all", "dev")), ("all", "dev", "ops", "ops-x"))
        self.assertEqual(self.groups(drop=True, add=("all",)), ("all",))
        self.assertEqual(self.groups(prefix="c:", max_length=5), ("c:ops", "c:dev"))

    def test_groups_from_the_upstream(self) -> None:
        self.assertEqual(self.groups(source=("upstream", "realm", "roles")), ("boss", "7"))
        self.assertEqual(self.groups(source=("upstream", "realm", "one")), ("boss",))
        self.assertEqual(self.groups(source=("upstream", "nothing")), ())

    def test_too_many_groups_are_cut_from_the_end(self) -> None:
        self.assertEqual(self.groups(max_count=2, add=("all",)), ("all", "ops"))

    def test_FU_02_verification_belongs_to_the_address_it_was_said_of(self) -> None:
        other = TextRule(source=("upstream", "mail"))
        self.assertFalse(mapped(ClaimRules(email=other)).email_verified)
        self.assertTrue(mapped(ClaimRules(email=TextRule(source=("email",)))).email_verified)
        for path, verified in (("mail_ok", True), ("said", False), ("nothing", False)):
            rules = ClaimRules(email=other, email_verified=("upstream", path))
            self.assertEqual(mapped(rules).email_verified, verified)


class MappedConnectorTests(SynchronousTestCase):
    """A connector with rules around it."""

    RULES = ClaimRules(groups=GroupsRule(prefix="c:"), username=TextRule(prefix="c:"))
    MAPPING = ClaimsMapping(connector_id="corp", rules=RULES)
    SCOPES = ConnectorScopes()

    def test_it_can_do_what_the_connector_can_and_nothing_else(self) -> None:
        upstream = FakeUpstream()
        for connector in (
            MockCallbackConnector(),
            MockPasswordConnector(username="u", password="p"),
            FakeConnector(record=GITHUB, upstream=upstream),
        ):
            around = mapped_connector(connector, self.MAPPING)
            for contract in CONTRACTS:
                self.assertEqual(isinstance(around, contract), isinstance(connector, contract), contract)

    def test_every_identity_is_mapped_once(self) -> None:
        connector = MockCallbackConnector()
        around: Any = mapped_connector(connector, self.MAPPING)
        request = CallbackRequest(query={}, headers={})
        for call in (
            around.handle_callback(self.SCOPES, b"", request),
            around.token_identity("t", "x"),
            around.refresh(self.SCOPES, connector.identity),
        ):
            identity = self.successResultOf(started(call))
            self.assertEqual(identity.claims.groups, ("c:authors",))
            self.assertEqual(identity.claims.unmapped, connector.identity.claims)
            self.assertEqual(identity.connector_data, connector.identity.connector_data)

    def test_refresh_of_what_a_connector_hands_back_is_mapped_once(self) -> None:
        connector = MockPasswordConnector(username="u", password="p")
        around: Any = mapped_connector(connector, self.MAPPING)
        first = self.successResultOf(started(around.login(self.SCOPES, "u", "p")))
        self.assertEqual(first.claims.username, "c:Kilgore Trout")
        known = attrs.evolve(first, claims=first.claims.unmapped)
        again = self.successResultOf(started(around.refresh(self.SCOPES, known)))
        self.assertEqual(again, first)

    def test_everything_else_passes_through(self) -> None:
        around: Any = mapped_connector(MockPasswordConnector(username="u", password="p"), self.MAPPING)
        self.assertEqual(around.prompt, "")
        self.assertIsNone(self.successResultOf(started(around.login(self.SCOPES, "u", "wrong"))))
        callback: Any = mapped_connector(MockCallbackConnector(), self.MAPPING)
        start = self.successResultOf(started(callback.login_url(self.SCOPES, "http://a/cb", "s")))
        self.assertEqual(start.url, "http://a/cb?state=s")

    def test_it_closes_what_it_stands_around(self) -> None:
        upstream = FakeUpstream()
        around: Any = mapped_connector(FakeConnector(record=GITHUB, upstream=upstream), self.MAPPING)
        self.successResultOf(started(around.close()))
        self.assertEqual(upstream.closed, [GITHUB])

    def test_what_only_a_login_needs_is_not_kept(self) -> None:
        class OnlyPassword(PasswordConnector):
            @property
            def prompt(self) -> str:
                return ""

            async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity:
                return Identity(claims=ANN)

        around: Any = mapped_connector(OnlyPassword(), self.MAPPING)
        self.assertNotIsInstance(around, RefreshConnector)
        identity = self.successResultOf(started(around.login(self.SCOPES, "u", "p")))
        self.assertIsNone(identity.claims.unmapped)

    def test_contracts_give_identities_bare(self) -> None:
        """One inside something else would come out unmapped."""
        for contract in CONTRACTS:
            for name, member in vars(contract).items():
                if name.startswith("_") or isinstance(member, property):
                    continue
                given_back = get_type_hints(member)["return"]
                self.assertIn(
                    given_back if "Identity" in str(given_back) else Identity,
                    (Identity, Identity | None),
                    f"{contract.__name__}.{name}",
                )
