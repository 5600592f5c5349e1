"""Forms and queries: bytes become text here and nowhere else, once (WHATWG URL §5.1, strictly)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from dextwist.oauth.parameters import Form, MalformedForm

__all__ = ["MAX_FIELDS", "Form", "MalformedForm", "TooManyFields", "parse_form"]

#: More fields than any request of ours needs.
MAX_FIELDS = 1000


class TooManyFields(MalformedForm):
    """The form is malformed by its size alone."""


def parse_form(text: bytes, *, max_fields: int = MAX_FIELDS) -> Form:
    """The fields of `application/x-www-form-urlencoded` text.

    Raises MalformedForm for a bad percent escape, a `;`, text that is not UTF-8, and for too
    many fields.
    """
    if not text:
        return Form()
    if b";" in text:
        raise MalformedForm("a semicolon does not separate parameters")
    if text.count(b"&") >= max_fields:
        raise TooManyFields(f"there are more than {max_fields} parameters")
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
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedForm("the text is not UTF-8") from None


def _is_hex(text: bytes) -> bool:
    return all(byte in b"0123456789abcdefABCDEF" for byte in text)
