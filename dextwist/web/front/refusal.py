"""Requests that are answered by the front itself, because no endpoint may see them."""

from __future__ import annotations

import attrs


@attrs.frozen(eq=False)
class Refused(Exception):
    """The request is not served, and its connection ends."""

    status: int
    #: one sentence for the client.
    reason: str
    #: the key below `web.limits` that it went beyond; empty: it is malformed, or the server is busy.
    limit: str = ""
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.reason
