"""`web.limits`: how much a client may send, how long it may take, and how many may be there."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.reading import key
from dextwist.config.values import duration, integer


@attrs.frozen(kw_only=True)
class Limits:
    """All of them end what goes beyond; none can be switched off but the one for each address."""

    #: bytes of the request line and all header fields.
    max_request_head: int = key("maxRequestHead", integer(256), 16 * 1024)
    max_header_count: int = key("maxHeaderCount", integer(1), 100)
    #: bytes.
    max_body: int = key("maxBody", integer(1), 64 * 1024)
    #: fields of a query, and of a form.
    max_fields: int = key("maxFields", integer(1), 1000)
    #: for a request's head, from its first byte.
    header_timeout: timedelta = key("headerTimeout", duration(), timedelta(seconds=10))
    body_timeout: timedelta = key("bodyTimeout", duration(), timedelta(seconds=30))
    #: between the requests of a connection.
    idle_timeout: timedelta = key("idleTimeout", duration(), timedelta(seconds=75))
    #: for taking an answer.
    write_timeout: timedelta = key("writeTimeout", duration(), timedelta(seconds=30))
    #: logins from one address that are begun and not finished; beyond, the oldest gives way.
    max_pending_logins: int = key("maxPendingLogins", integer(1), 200)
    max_connections: int = key("maxConnections", integer(1), 1000)
    #: 0: no such limit, since many people may come through one proxy.
    max_connections_per_address: int = key("maxConnectionsPerAddress", integer(0), 0)
