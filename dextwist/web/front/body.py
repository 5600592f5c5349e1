"""The body of a request, as it arrives: by its declared length, or in chunks."""

from __future__ import annotations

import re
from typing import Protocol

from dextwist.web.front.refusal import Refused

#: Without extensions: nobody here knows any, and smuggling hides in them.
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_LONGEST_SIZE_LINE = 10


class Body(Protocol):
    """Takes what arrives until the body is whole."""

    @property
    def content(self) -> bytes: ...

    def take(self, arrived: bytes) -> bytes | None:
        """What comes after the body; None while the body goes on. Raises Refused."""


class SizedBody:
    """A body of a declared length."""

    def __init__(self, length: int) -> None:
        self._missing = length
        self._parts: list[bytes] = []

    @property
    def content(self) -> bytes:
        return b"".join(self._parts)

    def take(self, arrived: bytes) -> bytes | None:
        self._parts.append(arrived[: self._missing])
        if len(arrived) < self._missing:
            self._missing -= len(arrived)
            return None
        return arrived[self._missing :]


class ChunkedBody:
    """A body in chunks, without extensions and without trailer fields (RFC 9112 §7.1)."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._content = bytearray()
        self._unread = bytearray()
        #: the size of the chunk that is being read; None before its size is known.
        self._size: int | None = None

    @property
    def content(self) -> bytes:
        return bytes(self._content)

    def take(self, arrived: bytes) -> bytes | None:
        self._unread += arrived
        while True:
            if self._size is None:
                self._size = self._read_size()
            if self._size is None or len(self._unread) < self._size + 2:
                return None
            size, self._size = self._size, None
            if self._unread[size : size + 2] != b"\r\n":
                raise Refused(400, "A chunk is malformed.")
            self._content += self._unread[:size]
            del self._unread[: size + 2]
            if not size:
                return bytes(self._unread)

    def _read_size(self) -> int | None:
        end = self._unread.find(b"\r\n", 0, _LONGEST_SIZE_LINE)
        if end < 0:
            if len(self._unread) >= _LONGEST_SIZE_LINE:
                raise Refused(400, "The size of a chunk is malformed.")
            return None
        if not _CHUNK_SIZE.fullmatch(self._unread, 0, end):
            raise Refused(400, "The size of a chunk is malformed.")
        size = int(self._unread[:end], 16)
        if len(self._content) + size > self._max_size:
            raise Refused(413, "The body of the request is too large.", "maxBody")
        del self._unread[: end + 2]
        return size
