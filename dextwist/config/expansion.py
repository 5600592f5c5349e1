"""Environment variables in texts: `$NAME` and `${NAME}`, without defaults; `$$` is a dollar sign."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from dextwist.config.document import Node

_REFERENCE = re.compile(
    r"\$(?:"
    r"\{(?P<braced>[^}]*)\}"
    r"|(?P<unclosed>\{)"
    r"|(?P<special>[*#$@!?0-9-])"  # these are names of one character
    r"|(?P<name>[A-Za-z0-9_]+)"
    r")"
)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with the variables' values in place, once: a value is not expanded again.

    An unset variable is empty. `${}` and an unclosed `${` go away, any other `$` stays.
    """

    def value(reference: re.Match[str]) -> str:
        if reference["special"] == "$":
            return "$"
        name = reference["braced"] or reference["special"] or reference["name"] or ""
        return environ.get(name, "")

    return _REFERENCE.sub(value, text)


def expanded(node: Node, environ: Mapping[str, str]) -> Node:
    """The value with every text in it expanded, at any depth; never keys, never numbers."""
    match node.value:
        case str():
            return attrs.evolve(node, value=expand(node.value, environ))
        case tuple():
            return attrs.evolve(node, value=tuple(expanded(item, environ) for item in node.value))
        case Mapping():
            return attrs.evolve(node, value={k: expanded(v, environ) for k, v in node.value.items()})
        case _:
            return node
