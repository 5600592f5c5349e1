"""Tables of remarks: what is said, wherever in the file, about certain values of certain keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from dextwist.config.document import plain
from dextwist.config.places import Findings

_NOTHING: tuple[Any, ...] = (None, "", False, [])


@attrs.frozen
class Remark:
    """One row."""

    #: a YAML path, `[*]` standing for every item of a list.
    pattern: str
    #: the sentence, `{value}` being what was found.
    says: str
    #: the values that are remarked upon; None: any but nothing, false and an empty list.
    values: Sequence[Any] | None = attrs.field(default=None, kw_only=True)
    #: a problem rather than a warning.
    refused: bool = attrs.field(default=False, kw_only=True)


def remark(findings: Findings, table: Iterable[Remark]) -> None:
    """Note what the table has to say about what was found."""
    by_pattern = findings.by_pattern()
    for row in table:
        for path, node in by_pattern.get(row.pattern.lower(), []):
            value = plain(node)
            if value in row.values if row.values is not None else value not in _NOTHING:
                note = findings.refuse if row.refused else findings.warn
                note(path, row.says.format(value=value))
