"""The map of URLs: which group answers below which first segment of a path."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET
from twisted.web.server import Request as TwistedRequest
from zope.interface import implementer

from dextwist.web.answering import Answering
from dextwist.web.group import NOT_FOUND, write


@implementer(IResource)
@attrs.define(kw_only=True)
class SiteMap:
    """Finds the group for a request, exactly: no path is cleaned, no slash is added or forgiven."""

    isLeaf = True

    answering: Answering
    #: the segments of the issuer's path.
    prefix: tuple[bytes, ...]
    #: by the first segment below the issuer, or the first two where groups share the first; the home page
    #: is at the empty one.
    groups: Mapping[bytes, IResource]

    def getChildWithDefault(self, name: bytes, request: TwistedRequest) -> IResource:
        """Never asked: this resource answers for every path."""
        raise NotImplementedError

    def putChild(self, path: bytes, child: IResource) -> None:
        """Never asked: `groups` holds the children."""
        raise NotImplementedError

    def render(self, request: TwistedRequest) -> object:
        """Let the group render, with the path below the issuer before it."""
        segments = tuple(request.postpath or ())
        below = segments[len(self.prefix) :]
        if self.prefix and segments == self.prefix:
            below = (b"",)
        elif segments[: len(self.prefix)] != self.prefix or (self.prefix and below == (b"",)):
            return self._not_found(request)
        if not below or (b"" in below and below != (b"",)) or not _is_text(below):
            return self._not_found(request)
        group = self.groups.get(b"/".join(below[:2])) or self.groups.get(below[0])
        if group is None:
            return self._not_found(request)
        request.prepath = list(self.prefix)
        request.postpath = list(below)
        return group.render(request)

    def _not_found(self, request: TwistedRequest) -> object:
        request.write(write(request, self.answering.finished(NOT_FOUND)))
        request.finish()
        return NOT_DONE_YET


def _is_text(segments: tuple[bytes, ...]) -> bool:
    """Whether all are UTF-8: Klein takes anything else for a mistake of ours, and logs it as one."""
    try:
        b"/".join(segments).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
