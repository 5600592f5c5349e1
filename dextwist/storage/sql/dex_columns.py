"""How dex writes values into columns: as text or bytes, JSON inside, null where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import orjson

from dextwist.model.claims import Claims, ProofKey
from dextwist.model.times import EPOCH, from_milliseconds, to_milliseconds

#: The forms in which SQLite holds instants for dex: Go's own, the columns' defaults, and RFC 3339 in JSON.
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)([T ](?P<time>\d\d:\d\d(:\d\d)?)(\.(?P<fraction>\d+))?)?"
    r" ?(Z|UTC|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)( UTC)?)?"
)


def text(found: Any) -> str:
    """Text, which may be there as bytes; empty for null."""
    if isinstance(found, bytes):
        return found.decode("utf-8")
    if found is not None and not isinstance(found, str):
        raise ValueError("not text")
    return found or ""


def instant(found: Any) -> datetime:
    """An instant, to the millisecond; EPOCH where it is not set: null, empty, or year 1, Go's zero time."""
    if not found:
        return EPOCH
    match = _INSTANT.fullmatch(text(found))
    if match is None:
        raise ValueError("not an instant")
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    zone = timezone(-offset if match["sign"] == "-" else offset)
    seconds = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}").replace(tzinfo=zone)
    milliseconds = int((match["fraction"] or "").ljust(3, "0")[:3])
    return EPOCH if seconds.year == 1 else from_milliseconds(to_milliseconds(seconds) + milliseconds)


def json_object(found: Any) -> Mapping[str, Any]:
    """A JSON object; empty for `null`."""
    value = orjson.loads(found) if found else None
    if value is not None and not isinstance(value, dict):
        raise ValueError("not an object")
    return value or {}


def optional_texts(found: Any) -> tuple[str, ...] | None:
    """A list of texts out of JSON; None for null."""
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(member, str) for member in found):
        raise ValueError("not a list of texts")
    return tuple(found)


@attrs.frozen
class DexRow:
    """A row of dex's. A column that this dex did not have yet reads as null."""

    columns: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Text; empty for null."""
        return text(self.columns.get(column))

    def raw(self, column: str) -> bytes:
        """Bytes, which may be there as text; empty for null."""
        found = self.columns.get(column)
        return found if isinstance(found, bytes) else text(found).encode("utf-8")

    def number(self, column: str, default: int = 0) -> int:
        """A number; the default for null."""
        found = self.columns.get(column)
        return default if found is None else int(found)

    def flag(self, column: str) -> bool:
        """A truth value; false for null."""
        return self.number(column) != 0

    def instant(self, column: str) -> datetime:
        """An instant; EPOCH where it is not set."""
        return instant(self.columns.get(column))

    def texts(self, column: str) -> tuple[str, ...]:
        """A list of texts; empty for null and for JSON's `null`."""
        return self.optional_texts(column) or ()

    def optional_texts(self, column: str) -> tuple[str, ...] | None:
        """A list of texts; None for null and for JSON's `null`."""
        found = self.columns.get(column)
        return optional_texts(orjson.loads(found)) if found else None

    def object(self, column: str) -> Mapping[str, Any]:
        """A JSON object; empty for null and for JSON's `null`."""
        return json_object(self.columns.get(column))

    def claims(self) -> Claims:
        """The claims, a column each."""
        return Claims(
            user_id=self.text("claims_user_id"),
            username=self.text("claims_username"),
            preferred_username=self.text("claims_preferred_username"),
            email=self.text("claims_email"),
            email_verified=self.flag("claims_email_verified"),
            groups=self.texts("claims_groups"),
        )

    def proof_key(self) -> ProofKey:
        """The code challenge; dex keeps the method `plain` also where there is none."""
        challenge = self.text("code_challenge")
        if not challenge:
            return ProofKey()
        return ProofKey(code_challenge=challenge, code_challenge_method=self.text("code_challenge_method"))
