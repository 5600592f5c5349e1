"""`connectors[].claims`: what is made of the claims that the connector gives."""

from __future__ import annotations

import re

import attrs

from dextwist.config.patterns import bounded_pattern
from dextwist.config.places import Place
from dextwist.config.reading import key, part, section
from dextwist.config.values import boolean, integer, text, texts
from dextwist.model.claim_rules import UPSTREAM, ClaimRules, GroupsRule, TextRule

#: The longest group that can be let through; patterns are judged by it.
MAX_GROUP_LENGTH = 256
#: What one can take claims from, besides `upstream` and what is below it.
_CLAIMS = ("userID", "username", "preferredUsername", "email", "groups")
_WANTED = f"one of {', '.join(_CLAIMS)}, or {UPSTREAM}.NAME"


def source(place: Place) -> tuple[str, ...]:
    """A path: its steps with dots between them, or as a list where a step has dots of its own."""
    steps = texts(place) if isinstance(place.node.value, tuple) else tuple(text(place).split("."))
    known = steps[:1] == (UPSTREAM,) and len(steps) > 1 if len(steps) != 1 else steps[0] in _CLAIMS
    if not known or not all(steps):
        raise place.wrong(_WANTED)
    return steps


def upstream_source(place: Place) -> tuple[str, ...]:
    """A path to what the upstream itself said."""
    steps = source(place)
    if steps[0] != UPSTREAM:
        raise place.wrong(f"{UPSTREAM}.NAME")
    return steps


@attrs.frozen(kw_only=True)
class TextClaim:
    """A claim that is one text."""

    source: tuple[str, ...] = key("from", source, ())
    drop: bool = key("drop", boolean, False)
    prefix: str = key("prefix", text, "")

    def check(self, place: Place) -> None:
        _nothing_beside_drop(place, self.drop, ("from", "prefix"))

    @property
    def rule(self) -> TextRule:
        return TextRule(source=self.source, drop=self.drop, prefix=self.prefix)


@attrs.frozen(kw_only=True)
class VerifiedClaim:
    """`email_verified`: true where exactly that stands there."""

    source: tuple[str, ...] = key("from", upstream_source, ())


@attrs.frozen(kw_only=True)
class GroupsClaim:
    """The groups."""

    source: tuple[str, ...] = key("from", source, ())
    drop: bool = key("drop", boolean, False)
    keep_matching: re.Pattern[str] | None = key("keepMatching", bounded_pattern(MAX_GROUP_LENGTH), None)
    drop_matching: re.Pattern[str] | None = key("dropMatching", bounded_pattern(MAX_GROUP_LENGTH), None)
    prefix: str = key("prefix", text, "")
    add: tuple[str, ...] = key("add", texts, ())
    max_count: int = key("maxCount", integer(0), 1000)
    max_length: int = key("maxLength", integer(1), MAX_GROUP_LENGTH)

    def check(self, place: Place) -> None:
        _nothing_beside_drop(place, self.drop, ("from", "keepMatching", "dropMatching", "prefix"))
        if self.max_length > MAX_GROUP_LENGTH:
            place.refuse("maxLength", f"a group has at most {MAX_GROUP_LENGTH} characters")
        if len(self.add) > self.max_count:
            place.refuse("add", f"these are more than maxCount, which is {self.max_count}")
        for index, group in enumerate(self.add):
            if len(group) > self.max_length:
                place.refuse(f"add[{index}]", f"this is longer than maxLength, which is {self.max_length}")

    @property
    def rule(self) -> GroupsRule:
        return GroupsRule(**attrs.asdict(self, recurse=False))


def _nothing_beside_drop(place: Place, drop: bool, names: tuple[str, ...]) -> None:
    for name in names:
        if drop and place.given(name):
            place.refuse(name, "has no effect beside drop")


@attrs.frozen(kw_only=True)
class Claims:
    """The section. There is no key for the user id: it is part of every subject and stays what it is."""

    username: TextClaim = part("username", TextClaim)
    preferred_username: TextClaim = part("preferredUsername", TextClaim)
    email: TextClaim = part("email", TextClaim)
    email_verified: VerifiedClaim = part("emailVerified", VerifiedClaim)
    groups: GroupsClaim = part("groups", GroupsClaim)

    @property
    def rules(self) -> ClaimRules:
        """The rules, ready to be followed."""
        return ClaimRules(
            username=self.username.rule,
            preferred_username=self.preferred_username.rule,
            email=self.email.rule,
            email_verified=self.email_verified.source,
            groups=self.groups.rule,
        )


def claims(place: Place) -> ClaimRules:
    """Reads the section."""
    return section(place, Claims).rules
