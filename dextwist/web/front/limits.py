"""How much a client may send, and how long it may take: `web.limits`."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Limits:
    """The limits of one connection, and of all. Times are in seconds."""

    #: request line and header fields, with the line ends.
    max_request_head: int
    max_header_count: int
    max_body: int
    #: from the first byte of a request to the end of its head.
    header_timeout: float
    #: from there to the end of its body.
    body_timeout: float
    #: between requests.
    idle_timeout: float
    #: for taking an answer.
    write_timeout: float
    max_connections: int
    #: 0: as many as there may be.
    max_connections_per_address: int
