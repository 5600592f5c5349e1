"""dex's opaque strings: proto3 messages of string fields in unpadded base64url.

`sub`, refresh tokens and session cookies are such strings; they must stay what dex makes of the same values.
"""

from __future__ import annotations

import base64
import binascii
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def packed(*fields: str) -> str:
    """The strings as fields 1, 2, ... of a message; empty ones are left out."""
    return _base64url(b"".join(_field(number, text) for number, text in enumerate(fields, 1) if text))


def packed_list(*items: str) -> bytes:
    """The strings as the repeated field 1 of a message, not encoded: what step verifiers sign."""
    return b"".join(_field(1, text) for text in items)


def unpacked(text: str, count: int = 2) -> tuple[str, ...]:
    """Fields 1 to `count` of a packed string, empty where absent; unknown fields are skipped.

    Raises ValueError for anything that is no such message.
    """
    text = text.replace("\r", "").replace("\n", "")
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not unpadded base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    found = [""] * count
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("field number 0")
        if kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("truncated field")
            if number <= count:
                found[number - 1] = data[at : at + size].decode("utf-8")
            at += size
        elif kind == 0:
            _, at = _varint(data, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
            if at > len(data):
                raise ValueError("truncated field")
        else:
            raise ValueError("unknown wire type")
    return tuple(found)


def packed_subject(user_id: str, connector_id: str) -> str:
    """The `sub` of a person and the connector that knows them."""
    return packed(user_id, connector_id)


def _field(number: int, text: str) -> bytes:
    data = text.encode("utf-8")
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return bytes((number << 3 | 2,)) + bytes(length) + data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        if at >= len(data):
            raise ValueError("truncated number")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("number too long")


def _base64url(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode("ascii")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
