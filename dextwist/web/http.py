"""What an endpoint takes and gives, whichever server stands in front of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs
import orjson

from dextwist.web.forms import Form

#: Header fields in the order in which they are sent.
Headers = tuple[tuple[str, str], ...]

NO_STORE: Headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


@attrs.frozen(kw_only=True)
class Request:
    """One HTTP request, read once: what was checked is what is used."""

    method: str
    #: the whole path as the browser sent it, decoded: `/dex/auth/mock`; templates need it.
    full_path: str
    query: Form
    #: the body of a form post, otherwise empty. Never mixed with the query.
    body: Form
    #: names in lower case, the values of repeated fields in order.
    headers: Mapping[str, Sequence[str]]
    cookies: Mapping[str, str]
    #: the TCP peer's address, without its port.
    peer: str = ""
    #: the person's own address, where trusted proxies told it; otherwise the peer.
    client_address: str = ""
    request_id: str = ""

    def header(self, name: str) -> str | None:
        """The first value of a header field, by its lower-case name."""
        values = self.headers.get(name)
        return values[0] if values else None


@attrs.frozen
class Response:
    """One HTTP answer, complete."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def adding(self, *headers: tuple[str, str]) -> Response:
        """The same answer with more header fields."""
        return Response(self.status, self.headers + headers, self.body)


class Endpoint(Protocol):
    """Answers requests. Raises only for bugs: whatever can be answered is a Response."""

    async def __call__(self, request: Request) -> Response: ...


def json_response(status: int, content: Mapping[str, Any], headers: Headers = NO_STORE) -> Response:
    """A compact JSON answer, not to be stored unless told otherwise."""
    return Response(status, (("Content-Type", "application/json"), *headers), orjson.dumps(content))


def redirect(status: int, location: str, headers: Headers = ()) -> Response:
    """Send the browser on. `location` is percent-encoded where it was built."""
    return Response(status, (("Location", location), ("Cache-Control", "no-store"), *headers))
