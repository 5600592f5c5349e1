"""Forms and queries: bytes become text here and nowhere else, once (WHATWG URL §5.1, strictly)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import attrs

#: More fields than any request of ours needs.
MAX_FIELDS = 1000


@attrs.frozen(eq=False)
class MalformedForm(Exception):
    """The text is no form: what is wrong with it, for the person or the client."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen
class Form:
    """The fields of a form or query, in order. Reading one that is repeated is an error."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The field's value; MalformedForm where it is there more than once (RFC 6749 §3.1)."""
        found = [value for field, value in self.fields if field == name]
        if len(found) > 1:
            raise MalformedForm(f"the parameter {name} is repeated")
        return found[0] if found else default

    def __contains__(self, name: object) -> bool:
        return any(field == name for field, _ in self.fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def __bool__(self) -> bool:
        return bool(self.fields)

    def refuse_repeats(self, *names: str) -> None:
        """Raise MalformedForm where one of these fields, or without names any, is repeated."""
        seen: set[str] = set()
        for name, _ in self.fields:
            if name in seen and (not names or name in names):
                raise MalformedForm(f"the parameter {name} is repeated")
            seen.add(name)


def parse_form(text: bytes, *, max_fields: int = MAX_FIELDS) -> Form:
    """The fields of `application/x-www-form-urlencoded` text.

    Raises MalformedForm for a bad percent escape, a `;`, text that is not UTF-8 or holds NUL, and
    for too many fields.
    """
    if not text:
        return Form()
    if b";" in text:
        raise MalformedForm("a semicolon does not separate parameters")
    if text.count(b"&") >= max_fields:
        raise MalformedForm(f"there are more than {max_fields} parameters")
    fields = []
    for part in text.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            fields.append((_decoded(name), _decoded(value)))
    return Form(tuple(fields))


def _decoded(text: bytes) -> str:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    if b"%" in text:
        pieces = text.split(b"%")
        if not all(len(p) >= 2 and _is_hex(p[:2]) for p in pieces[1:]):
            raise MalformedForm("a percent escape is malformed")
        text = unquote_to_bytes(text)
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedForm("the text is not UTF-8") from None
    if "\0" in decoded:
        raise MalformedForm("the text holds a NUL")
    return decoded


def _is_hex(text: bytes) -> bool:
    return all(byte in b"0123456789abcdefABCDEF" for byte in text)
