"""Attributes with so many values that Active Directory gives them in pieces ([MS-ADTS], range retrieval).

Asked for `memberOf`, it gives `memberOf;range=0-1499`; the last piece is `memberOf;range=1500-*`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.ldap.answers import Entry

_MOST_VALUES = 10_000
_PIECE = re.compile(r"(.+);range=(\d{1,9})-(\d{1,9}|\*)", re.IGNORECASE)


async def with_all_values(entry: Entry, ask: Callable[[str], Awaitable[Entry | None]]) -> Entry:
    """The entry, its attributes whole: `ask` gives the entry again, with the piece of that name alone.

    Raises ConnectorError where the rest does not come, and whatever asking raises.
    """
    pieces = {found[1]: found for name, _ in entry.attributes if (found := _PIECE.fullmatch(name))}
    if not pieces:
        return entry
    whole = {name: await _all_values(entry, piece, ask) for name, piece in pieces.items()}
    # An attribute that comes in pieces is there under its own name as well, without values.
    others = tuple(
        each for each in entry.attributes if each[0] not in whole and not _PIECE.fullmatch(each[0])
    )
    return attrs.evolve(entry, attributes=(*others, *whole.items()))


async def _all_values(
    entry: Entry, piece: re.Match[str], ask: Callable[[str], Awaitable[Entry | None]]
) -> tuple[bytes, ...]:
    attribute, values = piece[1], entry.values(piece[0])
    _check(piece, 0, len(values))
    while piece[3] != "*":
        again = await ask(f"{attribute};range={len(values)}-*")
        found = None if again is None else _next_piece(again, attribute)
        if again is None or found is None:
            raise ConnectorError(f"the directory gives no more than {len(values)} values of {attribute}")
        more = again.values(found[0])
        _check(found, len(values), len(more))
        piece, values = found, values + more
    return values


def _next_piece(entry: Entry, attribute: str) -> re.Match[str] | None:
    found = (_PIECE.fullmatch(name) for name, _ in entry.attributes)
    return next((each for each in found if each and each[1].lower() == attribute.lower()), None)


def _check(piece: re.Match[str], known: int, count: int) -> None:
    """That the piece begins where the one before ended, holds what it says, and that there is an end."""
    if int(piece[2]) != known or not count or piece[3] not in ("*", str(known + count - 1)):
        raise ConnectorError(f"the directory gives {count} values as {piece[0]} after {known}")
    if known + count > _MOST_VALUES:
        raise ConnectorError(f"more than {_MOST_VALUES} values of {piece[1]}")
