"""Rules for the claims of a connector."""

from __future__ import annotations

import re
from typing import Any

from dextwist.config.patterns import MAX_PATTERN, MAX_WAYS
from dextwist.model.claim_rules import ClaimRules, GroupsRule, TextRule
from tests.config.case import MOCK, ConfigCase

PATH = "connectors[0].claims"


class ClaimsTest(ConfigCase):
    def over(self, claims: Any) -> dict[str, Any]:
        return {"connectors": [{**MOCK, "claims": claims}]}

    def rules(self, **claims: Any) -> ClaimRules:
        return self.load(self.over(claims)).claim_rules["mock"]

    def assert_wrong(self, claims: Any, path: str, *words: str) -> None:
        self.assert_refused(self.over(claims), f"{PATH}.{path}" if path else PATH, *words)

    def test_without_the_section_there_are_no_rules(self) -> None:
        self.assertEqual(self.load({"connectors": [MOCK]}).claim_rules, {})
        self.assertEqual(self.load(self.over(None)).claim_rules, {})
        self.assertEqual(self.rules(), ClaimRules())

    def test_all_keys(self) -> None:
        rules = self.rules(
            username={"from": "email", "prefix": "corp:"},
            preferredUsername={"from": "upstream.employee.number"},
            email={"from": ["upstream", "https://example.org/mail"]},
            emailVerified={"from": "upstream.mail_ok"},
            groups={
                "from": "upstream.roles",
                "keepMatching": "team-.*",
                "dropMatching": "team-x",
                "prefix": "c:",
                "add": ["all"],
                "maxCount": 5,
                "maxLength": 20,
            },
        )
        self.assertEqual(
            rules,
            ClaimRules(
                username=TextRule(source=("email",), prefix="corp:"),
                preferred_username=TextRule(source=("upstream", "employee", "number")),
                email=TextRule(source=("upstream", "https://example.org/mail")),
                email_verified=("upstream", "mail_ok"),
                groups=GroupsRule(
                    source=("upstream", "roles"),
                    keep_matching=re.compile("team-.*"),
                    drop_matching=re.compile("team-x"),
                    prefix="c:",
                    add=("all",),
                    max_count=5,
                    max_length=20,
                ),
            ),
        )
        dropped = self.rules(email={"drop": True}, groups={"drop": True, "add": ["all"]})
        self.assertEqual((dropped.email.drop, dropped.groups.drop), (True, True))

    def test_the_user_id_has_no_rule(self) -> None:
        strict = {"DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true"}
        over = self.over({"userID": {"from": "email"}})
        self.assert_refused(over, f"{PATH}.userID", "unknown key", environ=strict)
        self.assert_warned(over, f"{PATH}.userID", "unknown key, ignored")

    def test_paths_that_lead_nowhere_are_refused(self) -> None:
        for wrong in ("mail", "upstream", "email.x", "upstream.", "upstream..x", ".email", ["email", "x"]):
            self.assert_wrong({"username": {"from": wrong}}, "username.from", "upstream.NAME")
        self.assert_wrong({"emailVerified": {"from": "email"}}, "emailVerified.from", "upstream.NAME")
        self.assert_wrong({"username": {"from": 5}}, "username.from", "a text")

    def test_what_would_have_no_effect_beside_drop_is_refused(self) -> None:
        for name, value in (("from", "email"), ("prefix", "x")):
            for claim in ("username", "preferredUsername", "email", "groups"):
                self.assert_wrong({claim: {"drop": True, name: value}}, f"{claim}.{name}", "no effect")
        for name in ("keepMatching", "dropMatching"):
            self.assert_wrong({"groups": {"drop": True, name: "x"}}, f"groups.{name}", "no effect")

    def test_caps_and_what_must_fit_under_them(self) -> None:
        for groups, path in (
            ({"maxLength": 257}, "groups.maxLength"),
            ({"maxLength": 0}, "groups.maxLength"),
            ({"maxCount": -1}, "groups.maxCount"),
            ({"maxCount": 1, "add": ["a", "b"]}, "groups.add"),
            ({"maxLength": 2, "add": ["a", "abc"]}, "groups.add[1]"),
        ):
            self.assert_wrong({"groups": groups}, path)

    def test_sections_are_mappings(self) -> None:
        self.assert_wrong([], "", "a mapping")
        self.assert_wrong({"groups": "x"}, "groups", "a mapping")


class PatternTest(ConfigCase):
    """Patterns that strangers' texts are matched with."""

    def refused(self, pattern: str) -> str:
        over = {"connectors": [{**MOCK, "claims": {"groups": {"keepMatching": pattern}}}]}
        problem = self.problem(over)
        self.assertEqual(problem.path, f"{PATH}.groups.keepMatching")
        return str(problem)

    def taken(self, pattern: str) -> re.Pattern[str]:
        over = {"connectors": [{**MOCK, "claims": {"groups": {"keepMatching": pattern}}}]}
        found = self.load(over).claim_rules["mock"].groups.keep_matching
        assert found is not None
        return found

    def test_ordinary_patterns_are_taken(self) -> None:
        for pattern in (
            "ops",
            "team-.*",
            ".*-(admins|owners)",
            "(dev|ops)?-[a-z0-9]+",
            "cn=[^,]*,ou=groups,.*",
            r"^/corp/\d{4}/.+$",
            "(?i)ops-.*",
            "(?:a,)*b",
        ):
            self.assertEqual(self.taken(pattern).pattern, pattern)

    def test_what_is_no_pattern_is_refused(self) -> None:
        for wrong in ("(", "[", "*", "a{3,2}", r"\1", "(?P<x>", "a" * MAX_PATTERN + "b"):
            self.assertIn("a regular expression", self.refused(wrong))

    def test_what_could_take_for_ever_is_refused(self) -> None:
        for wrong in (
            "(a+)+b",
            "(a|aa)*b",
            "(a*)*b",
            "((a?){9}){9}b",
            "a?" * 30 + "a" * 30,
            "(a|ab)(c|bcd)(d*)" * 10,
            ".*.*.*.*x",
            r"(.*)\1",
            "(?=.*a)(?!.*b).*",
            "(?>a+)+b",
            "a++",
        ):
            self.assertIn("too long to match", self.refused(wrong))

    def test_what_is_taken_is_soon_matched_whatever_the_text(self) -> None:
        self.assertLess(256**3, MAX_WAYS)
        worst = self.taken(".*a.*a.*b")
        self.assertIsNone(worst.fullmatch("a" * 256))
