"""Which request is being served: set once where a request comes in, read by the log."""

from __future__ import annotations

from contextvars import ContextVar

import attrs


@attrs.frozen(kw_only=True)
class RequestContext:
    """What every log record of one request carries."""

    request_id: str
    #: the person's address; None where no `web.clientRemoteIP.header` is configured.
    client_remote_addr: str | None = None


#: Deferreds that come from a coroutine take a copy of it along, so it holds across every `await`.
request_context: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)
