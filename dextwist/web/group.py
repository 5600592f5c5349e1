"""What the Klein apps of all endpoint groups have in common."""

from __future__ import annotations

from typing import Protocol

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.server import Request as TwistedRequest
from werkzeug.exceptions import HTTPException

from dextwist.web.answering import Answering
from dextwist.web.http import Response

NOT_FOUND = Response(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")

#: The methods of an address that is only read.
READ = ("GET", "HEAD")


class Group(Protocol):
    """An endpoint group, as far as its app needs to know it."""

    @property
    def answering(self) -> Answering: ...


def group_app() -> Klein:
    """A Klein app whose unknown paths, and all that Klein would redirect, are plainly not found.

    Its routes name no methods: `Answering.answer` is told them, so that each endpoint's own kind of error
    answers the others.
    """
    app = Klein()

    @app.handle_errors(HTTPException)  # type: ignore[arg-type]  # Klein wants the first argument untyped
    def unrouted(group: Group, request: TwistedRequest, failure: Failure) -> bytes:
        return group.answering.write(request, NOT_FOUND)

    return app
