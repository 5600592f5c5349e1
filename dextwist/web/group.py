"""What the Klein apps of all endpoint groups have in common."""

from __future__ import annotations

from typing import Any, Protocol

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.server import Request as TwistedRequest
from werkzeug.exceptions import HTTPException

from dextwist.web.answering import Answering, Incoming
from dextwist.web.completion import to_completion
from dextwist.web.http import Response
from dextwist.web.route import Route

NOT_FOUND = Response(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")


class Group(Protocol):
    """An endpoint group, as far as its app needs to know it."""

    @property
    def answering(self) -> Answering: ...


def group_app() -> Klein:
    """A Klein app whose unknown paths, and all that Klein would redirect, are plainly not found.

    Its routes name no methods: a `Route` does, so that each endpoint's own kind of error answers the others.
    """
    app = Klein()

    @app.handle_errors(HTTPException)  # type: ignore[arg-type]  # Klein wants the first argument untyped
    def unrouted(group: Group, request: TwistedRequest, failure: Failure) -> bytes:
        return write(request, group.answering.finished(NOT_FOUND))

    return app


async def answer(group: Group, request: TwistedRequest, route: Route) -> bytes:
    """Answer Twisted's request by a route; the body is for Klein to send.

    The work goes on to its end even if the client hangs up.
    """
    incoming = Incoming(
        method=request.method.decode("latin-1"),
        target=request.uri.decode("latin-1"),
        headers={
            name.decode("latin-1").lower(): [value.decode("latin-1") for value in values]
            for name, values in request.requestHeaders.getAllRawHeaders()
        },
        body=_content(request),
        peer=str(getattr(request.getClientAddress(), "host", "")),
    )
    return write(request, await to_completion(group.answering.respond(incoming, route)))


def write(request: TwistedRequest, response: Response) -> bytes:
    """Put status and headers into Twisted's request; the body."""
    request.setResponseCode(response.status)
    for name, value in response.headers:
        request.responseHeaders.addRawHeader(name.encode("ascii"), value.encode("latin-1", "replace"))
    if response.status not in (204, 304):
        request.setHeader(b"content-length", str(len(response.body)).encode("ascii"))
    return response.body


def _content(request: Any) -> bytes:
    request.content.seek(0)
    body: bytes = request.content.read()
    return body
