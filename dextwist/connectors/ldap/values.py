"""Distinguished names and attribute values: bytes on the wire, made text or compared here alone."""

from __future__ import annotations

import base64
import re
import uuid

#: a pair of hexadecimal digits, or any one character, after a backslash (RFC 4514 §2.4).
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)
_SPACES = re.compile(r"\s+")


def id_text(attribute: str, value: bytes) -> str:
    """A value as a user id: text as it is, what Active Directory keeps in binary in its usual notation."""
    name = attribute.lower()
    if name == "objectguid" and len(value) == 16:
        return str(uuid.UUID(bytes_le=value))
    if name == "objectsid" and _is_sid(value):
        return _sid(value)
    text = plain_text(value)
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii") if text is None else text


def plain_text(value: bytes) -> str | None:
    """The text that the value is; None where it is none."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_sid(value: bytes) -> bool:
    return len(value) >= 8 and value[0] == 1 and len(value) == 8 + 4 * value[1]


def _sid(value: bytes) -> str:
    authority = int.from_bytes(value[2:8], "big")
    parts = [int.from_bytes(value[at : at + 4], "little") for at in range(8, len(value), 4)]
    return "-".join(["S", "1", str(authority), *map(str, parts)])


def comparable_dn(dn: bytes) -> tuple[str, ...]:
    """What all spellings of a DN have in common: letter case, blanks and kind of escape do not count."""
    return tuple("+".join(sorted(map(_comparable_pair, _split(rdn, b"+")))) for rdn in _split(dn, b",;"))


def _comparable_pair(pair: bytes) -> str:
    attribute, equals, value = pair.partition(b"=")
    value = value.strip()
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = value[1:-1]
    unescaped = _ESCAPED.sub(_unescaped, value).decode("utf-8", "surrogateescape")
    name = attribute.strip().decode("utf-8", "surrogateescape").lower()
    folded = _SPACES.sub(" ", unescaped.strip()).casefold()
    # Escaped again, so that what stands within a value is not taken for structure.
    return name + equals.decode() + re.sub(r"([\\+])", r"\\\1", folded)


def _unescaped(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    return bytes.fromhex(escaped.decode()) if len(escaped) == 2 else escaped


def _split(text: bytes, separators: bytes) -> list[bytes]:
    """The parts between separators that are neither escaped nor quoted."""
    parts, start, at, quoted = [], 0, 0, False
    while at < len(text):
        if text[at] == 0x5C:  # a backslash takes the next one with it
            at += 1
        elif text[at] == 0x22:
            quoted = not quoted
        elif text[at] in separators and not quoted:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]
