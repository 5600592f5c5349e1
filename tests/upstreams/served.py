"""What all fake upstreams share: requests as values, scripted answers, and serving them."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import attrs
from twisted.internet.error import ConnectError
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import Request

from dextwist.connectors.upstream.wire import Incoming, Outgoing


@attrs.frozen(kw_only=True)
class Call:
    """One request that came in."""

    method: str
    #: the path and the query, exactly as they were sent.
    target: str
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def token(self) -> str:
        """What follows the scheme of the Authorization header."""
        return self.headers.get("authorization", "").partition(" ")[2]

    def basic(self) -> tuple[str, str] | None:
        """The client's id and secret, where it sent them in the header (RFC 6749 §2.3.1)."""
        scheme, _, given = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        client_id, _, secret = base64.b64decode(given).decode().partition(":")
        return unquote_plus(client_id), unquote_plus(secret)


@attrs.frozen(kw_only=True)
class Answer:
    """What a fake says."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def json(cls, content: Any, status: int = 200, **headers: str) -> Answer:
        """A JSON answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(content).encode()
        return cls(status=status, body=body, headers={"Content-Type": "application/json", **named})

    @classmethod
    def html(cls, text: str, status: int = 200) -> Answer:
        """A page, where nobody wanted one."""
        return cls(status=status, body=text.encode(), headers={"Content-Type": "text/html"})

    @classmethod
    def redirect(cls, location: str) -> Answer:
        """Go on there."""
        return cls(status=302, headers={"Location": location})


@attrs.define(kw_only=True, eq=False)
class FakeUpstream:
    """Answers by the path; keeps what came in, and says what it is told to say instead."""

    #: where it can be reached; what it says of its own addresses begins with this.
    url: str = "https://upstream.test"
    #: everything that came in, in order.
    calls: list[Call] = attrs.field(init=False, factory=list)
    #: by path: what is answered instead of the usual.
    scripted: dict[str, Answer | Callable[[Call], Answer]] = attrs.field(init=False, factory=dict)
    #: that nothing listens there.
    unreachable: bool = False

    def routes(self) -> Mapping[str, Callable[[Call], Answer]]:
        """What answers, by path."""
        return {}

    def handle(self, call: Call) -> Answer:
        """The answer to one request, which is remembered."""
        self.calls.append(call)
        script = self.scripted.get(call.path)
        if script is not None:
            return script(call) if callable(script) else script
        route = self.routes().get(call.path)
        return route(call) if route is not None else Answer.html("<h1>Not Found</h1>", 404)

    def calls_of(self, path: str) -> list[Call]:
        """What was sent to this path, in order."""
        return [call for call in self.calls if call.path == path]

    def configuration(self) -> Sequence[str]:
        """Lines of a connector's `config`, for whoever tries it by hand."""
        return ()


async def sent(upstream: FakeUpstream, outgoing: Outgoing) -> Incoming:
    """What an UpstreamClient's `send` does where every host is this fake, at once and in memory."""
    if upstream.unreachable:
        raise ConnectError
    parts = urlsplit(outgoing.url)
    answer = upstream.handle(
        Call(
            method=outgoing.method,
            target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
            headers={
                "host": parts.netloc,
                **{
                    name.decode().lower(): values[0].decode()
                    for name, values in outgoing.headers.getAllRawHeaders()
                },
            },
            body=outgoing.body or b"",
        )
    )
    headers = Headers({name: [value] for name, value in answer.headers.items()})
    return Incoming(status=answer.status, headers=headers, body=answer.body)


class ServedUpstream(Resource):
    """A fake as a resource."""

    isLeaf = True

    def __init__(self, upstream: FakeUpstream) -> None:
        super().__init__()
        self.upstream = upstream

    def render(self, request: Request) -> bytes:
        assert request.content is not None
        answer = self.upstream.handle(
            Call(
                method=request.method.decode(),
                target=request.uri.decode(),
                headers={
                    name.decode().lower(): values[0].decode()
                    for name, values in request.requestHeaders.getAllRawHeaders()
                },
                body=request.content.read(),
            )
        )
        request.setResponseCode(answer.status)
        for name, value in answer.headers.items():
            request.setHeader(name, value)
        return answer.body


def main(upstream: FakeUpstream, description: str | None) -> None:
    """Serve the fake on loopback until it is interrupted, and say how to configure it."""
    from twisted.internet import endpoints, reactor
    from twisted.web.server import Site

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0 takes a free one")
    port: int = parser.parse_args().port

    def listening(listener: Any) -> None:
        upstream.url = f"http://127.0.0.1:{listener.getHost().port}"
        lines = (f"listening on {upstream.url}; a connector's config:", *upstream.configuration())
        sys.stdout.write("\n".join((*lines, "", "")))
        sys.stdout.flush()

    endpoint = endpoints.TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")
    endpoint.listen(Site(ServedUpstream(upstream))).addCallback(listening)
    reactor.run()
