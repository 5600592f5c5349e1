"""Instants as connector data keeps them: RFC 3339 text, as Go writes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_NEVER = "0001-01-01T00:00:00Z"
_FRACTION = re.compile(r"\.([0-9]+)")


def from_rfc3339(text: str) -> datetime | None:
    """The instant, with fractions of any length and any offset; None for year 1: never, or not known.

    Raises ValueError.
    """
    # To microseconds: what is finer cannot be kept, and older Pythons read no other lengths.
    shortened = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), text)
    instant = datetime.fromisoformat(shortened)
    if instant.tzinfo is None:
        raise ValueError("no time zone")
    if instant.year == 1:
        return None
    return instant.astimezone(UTC)


def to_rfc3339(instant: datetime | None) -> str:
    """The instant in UTC; None is written as year 1."""
    if instant is None:
        return _NEVER
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
