"""The keys that a connector's settings may have, nested as deep as they go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs


@attrs.frozen
class KeyTree:
    """Keys in their exact spelling, with those below each; one that has none below it may hold anything."""

    below: Mapping[str, KeyTree] = attrs.field(factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> KeyTree:
        """The tree of dotted names, such as `host` and `userSearch.baseDN`; lists are passed through."""
        parts: dict[str, list[str]] = {}
        for name in names:
            first, _, rest = name.partition(".")
            parts.setdefault(first, []).extend([rest] if rest else [])
        return cls({first: cls.of(rest) for first, rest in parts.items()})
