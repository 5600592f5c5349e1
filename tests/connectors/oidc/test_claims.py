"""Whom the `oidc` connector makes of what the provider says: the table of its specification, and more."""

from __future__ import annotations

from typing import Any

import attrs

from dextwist.connectors.interface import LoginRefused
from dextwist.connectors.oidc.groups import MAX_FILTERED
from dextwist.model.claims import Claims
from tests.connectors.federated import GROUPS
from tests.connectors.oidc.case import KNOWN, PERSON, OIDCTestCase

SKIP = {"insecureSkipEmailVerified": True}
NO_EMAIL_SCOPE = {"scopes": ["groups"], **SKIP}
COGNITO = {**NO_EMAIL_SCOPE, "claimMapping": {"groups": "cognito:groups"}}
OVERRIDE = {"overrideClaimMapping": True}
FOUR = ["group1", "group2", "groupA", "groupB"]
#: What `email_verified` may not be.
UNUSABLE: tuple[Any, ...] = (None, 0, 1, {}, [], "", "yes")
MAPS = [{"name": name} for name in FOUR]
FILTER = {"claimModifications": {"filterGroupClaims": {"groupsFilter": r"^.*\d$"}}}
JOINED = [
    {"prefix": "gh", "delimiter": "::", "claims": ["organization", "pipeline"]},
    {"prefix": "tfe", "delimiter": "-", "claims": ["absent", "absent-too"]},
    {
        "prefix": "clr_delim",
        "delimiter": "-",
        "clearDelimiter": True,
        "claims": ["organization", "claim-with-delimiter"],
    },
    {"prefix": "keep_delim", "delimiter": "-", "claims": ["organization", "claim-with-delimiter"]},
    {"prefix": "bk", "delimiter": "-", "claims": ["list", "number", "email"]},
]
MORE = {
    "organization": "acme",
    "pipeline": "pipeline-one",
    "claim-with-delimiter": "foo-bar",
    "list": ["a"],
    "number": 7,
}


def affixes(**given: str) -> dict[str, Any]:
    return {"claimModifications": {"modifyGroupNames": given}}


class MappingTests(OIDCTestCase):
    """Each row: settings, what the provider says beside the usual (None: not at all), what differs then."""

    def config(self) -> dict[str, Any]:
        return {
            **super().config(),
            "scopes": ["email", "groups"],
            "insecureEnableGroups": True,
            "basicAuthUnsupported": True,
        }

    def claims(self, config: dict[str, Any], said: dict[str, Any]) -> Claims:
        self.upstream.person = {n: v for n, v in {**PERSON, **said}.items() if v is not None}
        return self.login(self.opened(**config), GROUPS).claims

    def check(self, config: dict[str, Any], said: dict[str, Any], **differs: Any) -> None:
        self.assertEqual(self.claims(config, said), attrs.evolve(KNOWN, **differs), (config, said))

    def reason(self, said: dict[str, Any], **config: Any) -> str:
        self.upstream.person = {n: v for n, v in {**PERSON, **said}.items() if v is not None}
        return self.refused(GROUPS, **config)

    def test_7_simple(self) -> None:
        self.check({}, {"groups": ["group1", "group2"]}, groups=("group1", "group2"))

    def test_7_email(self) -> None:
        self.check({"claimMapping": {"email": "mail"}}, {"email": None, "mail": "emailvalue"})
        self.check({"claimMapping": {"email": "mail"}}, {"mail": "another"})
        self.check(
            {"claimMapping": {"email": "custommail"}, **OVERRIDE},
            {"custommail": "customemailvalue"},
            email="customemailvalue",
        )
        self.check(SKIP, {"email_verified": None})
        self.check(NO_EMAIL_SCOPE, {"email": None, "email_verified": None}, email="")
        self.check(NO_EMAIL_SCOPE, {"email_verified": None})

    def test_7_names(self) -> None:
        self.check({"userIDKey": "name"}, {}, user_id="namevalue")
        self.check({"userNameKey": "user_name"}, {"name": None, "user_name": "username"}, username="username")
        mapped = {"claimMapping": {"preferred_username": "username_key"}}
        self.check(mapped, {"username_key": "username_value"}, preferred_username="username_value")
        self.check({}, {"preferred_username": "username_value"}, preferred_username="username_value")
        both = {"preferred_username": "standard", "username_key": "mapped"}
        self.check(mapped, both, preferred_username="standard")
        self.check({**mapped, **OVERRIDE}, both, preferred_username="mapped")
        self.check({**mapped, **OVERRIDE}, {"preferred_username": "standard"}, preferred_username="")

    def test_7_groups(self) -> None:
        custom = {"cognito:groups": ["group3", "group4"]}
        both = {**custom, "groups": ["group1", "group2"]}
        self.check(COGNITO, custom, groups=("group3", "group4"))
        self.check(COGNITO, both, groups=("group1", "group2"))
        self.check({**COGNITO, **OVERRIDE}, both, groups=("group3", "group4"))
        self.check({}, {"groups": "group1"}, groups=("group1",))
        self.check({}, {"groups": MAPS[:1]}, groups=("group1",))
        self.check({}, {"groups": MAPS[:2]}, groups=("group1", "group2"))
        self.check({}, {"groups": [{"id": 1}, "group2"]}, groups=("group2",))
        for nothing in (None, [], "", 7, {"name": "group1"}, [{"name": 7}], [""]):
            self.check({}, {"groups": nothing}, groups=())
        self.check({"insecureEnableGroups": None}, {"groups": FOUR}, groups=())

    def test_7_groups_of_claims(self) -> None:
        rules = {"claimModifications": {"newGroupFromClaims": JOINED}}
        expected = (
            "gh::acme::pipeline-one",
            "clr_delim-acme-foobar",
            "keep_delim-acme-foo-bar",
            "bk-emailvalue",
        )
        self.check(rules, {"groups": "group1", **MORE}, groups=("group1", *expected))
        # They are touched by nothing else, and need no groups of the provider's.
        changed = {**rules["claimModifications"], **affixes(prefix="p")["claimModifications"]}
        self.check(
            {"claimModifications": {**changed, **FILTER["claimModifications"]}, "allowedGroups": ["group1"]},
            {"groups": FOUR, **MORE},
            groups=("pgroup1", *expected),
        )
        self.check({**rules, "insecureEnableGroups": None}, {"groups": FOUR, **MORE}, groups=expected)

    def test_empty_prefix_is_no_segment(self) -> None:
        rule = {"delimiter": "-", "claims": ["organization", "pipeline"]}
        self.check(
            {"claimModifications": {"newGroupFromClaims": [rule]}}, MORE, groups=("acme-pipeline-one",)
        )

    def test_7_affixes(self) -> None:
        for given in (
            {"prefix": "prefix-"},
            {"suffix": "-suffix"},
            {"prefix": "prefix-", "suffix": "-suffix"},
        ):
            expected = tuple(given.get("prefix", "") + name + given.get("suffix", "") for name in FOUR)
            self.check(affixes(**given), {"groups": FOUR}, groups=expected)

    def test_7_filter(self) -> None:
        for groups in (FOUR, MAPS):
            self.check(FILTER, {"groups": groups}, groups=("group1", "group2"))
        self.check(FILTER, {"groups": "groupA"}, groups=())
        anywhere = {"claimModifications": {"filterGroupClaims": {"groupsFilter": "up[1A]"}}}
        self.check(anywhere, {"groups": FOUR}, groups=("group1", "groupA"))

    def test_filter_looks_at_no_name_without_end(self) -> None:
        longest = "1" * MAX_FILTERED
        self.check(FILTER, {"groups": [longest + "1", longest]}, groups=(longest,))

    def test_FU_03_only_the_allowed_groups_let_in_and_are_passed_on(self) -> None:
        allowed = {"allowedGroups": ["group2", "groupA", "other"]}
        self.check(allowed, {"groups": FOUR}, groups=("group2", "groupA"))
        for groups in (
            [],
            ["others"],
            None,
            "others",
            ["Group2"],
            ["group2 "],
            [{"name": "others"}],
            {"group2": 1},
        ):
            self.upstream.person = {n: v for n, v in {**PERSON, "groups": groups}.items() if v is not None}
            for scopes in (GROUPS, attrs.evolve(GROUPS, groups=False)):
                refused = self.fails(self.log_in(self.opened(**allowed), scopes), LoginRefused)
                self.assertEqual(refused.user_id, "subvalue")
                self.assertEqual(refused.required_groups, ("group2", "groupA", "other"))

    def test_FU_03_allowed_groups_are_the_provider_s_own_names(self) -> None:
        config = {**affixes(prefix="p-"), "allowedGroups": ["group1"]}
        self.check(config, {"groups": FOUR}, groups=("p-group1",))

    def test_claims_that_are_missing_or_malformed_are_named(self) -> None:
        rows: tuple[tuple[dict[str, Any], str], ...] = (
            ({"sub": None}, "sub"),
            ({"sub": 17}, "sub"),
            ({"sub": ""}, "sub"),
            ({"name": None}, "name"),
            ({"name": ["Jane"]}, "name"),
            ({"email": None}, "email"),
            ({"email": 7}, "email"),
            ({"email": ""}, "email"),
            ({"groups": ["a", 7]}, "group"),
            ({"groups": [["a"]]}, "group"),
        )
        for said, name in rows:
            self.assertIn(name, self.reason(said), said)
        employees: tuple[dict[str, Any], ...] = (
            {},
            {"employee": ""},
            {"employee": 7},
            {"employee": "x", "sub": None},
        )
        for said in employees:
            self.assertIn("claim", self.reason(said, userIDKey="employee"))

    def test_FU_02_address_must_be_said_to_be_verified(self) -> None:
        for unusable in UNUSABLE:
            self.assertIn("email_verified", self.reason({"email_verified": unusable}), unusable)
        for said in (False, "false", "False"):
            self.check({}, {"email_verified": said}, email_verified=False)
        self.check({}, {"email_verified": "true"})

    def test_FU_02_skipping_the_check_is_for_claims_that_are_missing(self) -> None:
        for said in (False, "false", "FALSE", *UNUSABLE[1:]):
            self.check(SKIP, {"email_verified": said}, email_verified=False)
        self.check(SKIP, {"email_verified": None})

    def test_all_that_was_said_is_there_for_the_rules_of_the_operator(self) -> None:
        self.upstream.person = {**PERSON, "department": "sales"}
        self.assertEqual(self.login(self.opened()).upstream_claims["department"], "sales")
