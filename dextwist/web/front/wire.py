"""Answers as bytes."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

import attrs

from dextwist.web.http import Headers, Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = (204, 304)
#: No field may hold what ends it, wherever its value comes from.
_LINE_BREAKS = {ord(character): " " for character in "\r\n\0"}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@attrs.define
class Dates:
    """Values of the Date field, made once a second."""

    _second: int = -1
    _text: str = ""

    def at(self, now: float) -> str:
        """The date of this moment (RFC 9110 §5.6.7)."""
        if int(now) != self._second:
            self._second = int(now)
            self._text = formatdate(self._second, usegmt=True)
        return self._text


def answer_bytes(response: Response, *, date: str, connection: str = "", to_head: bool = False) -> bytes:
    """The answer with its framing.

    `connection` is the value of that field, if it is to be sent; `to_head` leaves the body out.
    """
    status = response.status
    lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown\r\n", f"Date: {date}\r\n"]
    lines += _fields(response.headers)
    if status not in _BODILESS:
        lines.append(f"Content-Length: {len(response.body)}\r\n")
    if connection:
        lines.append(f"Connection: {connection}\r\n")
    lines.append("\r\n")
    head = "".join(lines).encode("latin-1", "replace")
    return head if to_head or status in _BODILESS else head + response.body


def _fields(headers: Headers) -> list[str]:
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if text.count("\n") == text.count("\r") == len(lines) and "\0" not in text:
        return lines
    return [f"{name}: {value}".translate(_LINE_BREAKS) + "\r\n" for name, value in headers]
