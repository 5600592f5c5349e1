"""Which groups a person is in, made of what the provider says and the operator's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dextwist.connectors.interface import ConnectorError, LoginRefused

_GROUPS = "groups"
#: Characters of the longest name that the filter looks at: what bounds the work of its pattern.
MAX_FILTERED = 256


@attrs.frozen(kw_only=True)
class JoinedGroup:
    """A group made of other claims (`newGroupFromClaims`)."""

    claims: Sequence[str]
    delimiter: str = ""
    #: that the delimiter is taken out of the claims' own texts.
    clear_delimiter: bool = False
    prefix: str = ""

    def name(self, said: Mapping[str, Any]) -> str:
        """The group's name; empty where none of the claims is there as a text."""
        found = [value for each in self.claims if isinstance(value := said.get(each), str)]
        if not found:
            return ""
        if self.clear_delimiter and self.delimiter:
            found = [value.replace(self.delimiter, "") for value in found]
        return self.delimiter.join([self.prefix, *found] if self.prefix else found)


@attrs.frozen(kw_only=True)
class GroupRules:
    """What becomes of the provider's groups, in the order of these fields."""

    #: that its groups are looked at.
    enabled: bool = False
    #: the claim that has them where there is no list called `groups`; empty: none.
    mapped: str = ""
    #: that the mapped claim goes before `groups`.
    override: bool = False
    #: only what this finds something in is kept.
    keep: re.Pattern[str] | None = None
    #: only these are kept, and one of them is needed.
    allowed: Sequence[str] = ()
    prefix: str = ""
    suffix: str = ""
    #: groups besides, which none of the above touches.
    joined: Sequence[JoinedGroup] = ()

    def groups(self, said: Mapping[str, Any], user_id: str) -> tuple[str, ...]:
        """The groups. Raises LoginRefused for a person in none that is allowed, ConnectorError."""
        names = [self.prefix + name + self.suffix for name in self._allowed(said, user_id)]
        names += filter(None, (each.name(said) for each in self.joined))
        return tuple(names)

    def _allowed(self, said: Mapping[str, Any], user_id: str) -> Sequence[str]:
        if not self.enabled:
            return ()
        names = [name for name in self._given(said) if self._is_kept(name)]
        if not self.allowed:
            return names
        names = [name for name in names if name in self.allowed]
        if not names:
            raise LoginRefused(user_id, tuple(self.allowed))
        return names

    def _given(self, said: Mapping[str, Any]) -> Sequence[str]:
        value = said.get(_GROUPS)
        if self.mapped and (self.override or not isinstance(value, list)):
            value = said.get(self.mapped)
        if isinstance(value, str):
            return [value] if value else []
        return list(filter(None, map(_name, value))) if isinstance(value, list) else []

    def _is_kept(self, name: str) -> bool:
        return self.keep is None or (len(name) <= MAX_FILTERED and self.keep.search(name) is not None)


def _name(item: object) -> str:
    """The name of an item of the list; empty for an object that has none."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        name = item.get("name")
        return name if isinstance(name, str) else ""
    raise ConnectorError("a group is neither a text nor an object with a name")
