"""What an operator makes of the claims that a connector gives (`connectors[].claims`)."""

from __future__ import annotations

import re

import attrs

#: The first step of the path to a claim of the upstream itself.
UPSTREAM = "upstream"


@attrs.frozen(kw_only=True)
class TextRule:
    """How one text comes about."""

    #: where it is taken from; empty: from where the connector took it.
    source: tuple[str, ...] = ()
    drop: bool = False
    #: stands before every text that is not empty.
    prefix: str = ""


@attrs.frozen(kw_only=True)
class GroupsRule:
    """How the groups come about, step by step in the order of these fields."""

    source: tuple[str, ...] = ()
    drop: bool = False
    max_length: int = 256
    keep_matching: re.Pattern[str] | None = None
    drop_matching: re.Pattern[str] | None = None
    prefix: str = ""
    #: everybody's, as they stand here; they come first.
    add: tuple[str, ...] = ()
    max_count: int = 1000


@attrs.frozen(kw_only=True)
class ClaimRules:
    """The rules of one connector. There is none for the user id: it is part of every subject."""

    username: TextRule = TextRule()
    preferred_username: TextRule = TextRule()
    email: TextRule = TextRule()
    #: where `email_verified` is taken from.
    email_verified: tuple[str, ...] = ()
    groups: GroupsRule = GroupsRule()
