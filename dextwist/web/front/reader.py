"""Requests out of a stream of bytes, however it is cut into pieces."""

from __future__ import annotations

import enum

import attrs

from dextwist.web.front.body import Body, ChunkedBody, SizedBody
from dextwist.web.front.head import Head, check_unfinished, read_head
from dextwist.web.front.limits import Limits
from dextwist.web.front.refusal import Refused


class Awaited(enum.Enum):
    """What the reader needs next."""

    #: a new request.
    REQUEST = enum.auto()
    REST_OF_HEAD = enum.auto()
    BODY = enum.auto()


@attrs.define(eq=False)
class RequestReader:
    """Reads one request at a time; what comes after it waits, unread."""

    limits: Limits
    unread: bytes = attrs.field(default=b"", init=False)
    #: of the request that is being read or was read last.
    head: Head | None = attrs.field(default=None, init=False)
    #: whether that is a HEAD request; known as soon as its first line begins.
    is_head: bool = attrs.field(default=False, init=False)
    #: whether something of its body has come.
    body_has_begun: bool = attrs.field(default=False, init=False)
    _body: Body | None = attrs.field(default=None, init=False)
    #: how much of an unfinished head is known not to be broken.
    _checked: int = attrs.field(default=0, init=False)

    @property
    def awaited(self) -> Awaited:
        if self._body is not None:
            return Awaited.BODY
        return Awaited.REST_OF_HEAD if self.unread else Awaited.REQUEST

    def next(self) -> tuple[Head, bytes] | None:
        """The next request, once it is there whole: its head and its body. Raises Refused."""
        if self._body is None:
            if not self._next_head():
                return None
            head = self.head
            assert head is not None
            if head.length == 0:
                return head, b""
            self._body = ChunkedBody(self.limits.max_body) if head.length is None else SizedBody(head.length)
        body, arrived, self.unread = self._body, self.unread, b""
        self.body_has_begun = bool(arrived)
        rest = body.take(arrived)
        if rest is None:
            return None
        self.unread, self._body = rest, None
        assert self.head is not None
        return self.head, body.content

    def _next_head(self) -> bool:
        unread, most = self.unread, self.limits.max_request_head
        if not unread:
            return False
        self.is_head = unread.startswith(b"HEAD ")
        end = unread.find(b"\r\n\r\n", max(0, self._checked - 3))
        if 0 <= end <= most - 4:
            self.unread, self._checked, self.head = unread[end + 4 :], 0, None
            self.head = read_head(unread[:end], self.limits)
            return True
        # Nobody shall wait for the end of what can have no good one.
        check_unfinished(unread[:most], max(0, self._checked - 1))
        if len(unread) >= most:
            status = 431 if b"\r\n" in unread[2:most] else 414
            raise Refused(status, "The head of the request is too large.", "maxRequestHead")
        self._checked = len(unread)
        return False
