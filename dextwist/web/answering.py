"""Between Twisted's requests and our endpoints: read once, answer to the end, write once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request as TwistedRequest

from dextwist.oauth.parameters import Form, MalformedForm
from dextwist.telemetry.context import RequestContext, request_context
from dextwist.telemetry.metrics import Metrics
from dextwist.web.client_address import ClientAddresses
from dextwist.web.completion import to_completion
from dextwist.web.cors import CrossOrigin
from dextwist.web.errors import Guard
from dextwist.web.forms import parse_form
from dextwist.web.http import Endpoint, Request, Response
from dextwist.web.page_headers import overriding

_FORM = "application/x-www-form-urlencoded"


@attrs.frozen(kw_only=True)
class Answering:
    """What every route does around its endpoint."""

    clock: IReactorTime
    metrics: Metrics
    #: `web.headers`: sent with every answer.
    headers: Mapping[str, str] = attrs.field(factory=dict)
    cross_origin: CrossOrigin = CrossOrigin()
    client_addresses: ClientAddresses = ClientAddresses()

    async def answer(
        self,
        twisted_request: TwistedRequest,
        endpoint: Endpoint,
        guard: Guard,
        *,
        handler: str,
        methods: tuple[str, ...],
        cors: bool = False,
    ) -> bytes:
        """Answer with the endpoint; what it raises is answered by the guard.

        `handler` is the route's pattern for the metrics. Other methods than `methods` get 405. The work goes
        on to its end even if the client hangs up.
        """
        return await to_completion(self._answered(twisted_request, endpoint, guard, handler, methods, cors))

    async def _answered(
        self,
        twisted_request: TwistedRequest,
        endpoint: Endpoint,
        guard: Guard,
        handler: str,
        methods: tuple[str, ...],
        cors: bool,
    ) -> bytes:
        began = self.clock.seconds()
        request, problem = self._read(twisted_request)
        response = await self._response(request, problem, endpoint, guard, methods, cors)
        self.metrics.request_answered(
            handler=handler,
            method=request.method.lower(),
            status=response.status,
            seconds=self.clock.seconds() - began,
            size=len(response.body),
        )
        return self.write(twisted_request, response)

    async def _response(
        self,
        request: Request,
        problem: MalformedForm | None,
        endpoint: Endpoint,
        guard: Guard,
        methods: tuple[str, ...],
        cors: bool,
    ) -> Response:
        if cors and request.method == "OPTIONS":
            preflight = self.cross_origin.preflight(request)
            if preflight is not None:
                return preflight
        if request.method not in methods:
            response = guard.method_not_allowed(request, ", ".join(methods))
        elif problem is not None:
            response = await guard.answer(_Malformed(problem), request)
        else:
            response = await guard.answer(endpoint, request)
        return response.adding(*self.cross_origin.headers(request)) if cors else response

    def write(self, twisted_request: TwistedRequest, response: Response) -> bytes:
        """Put status and headers into Twisted's request; the body is for the caller to send."""
        twisted_request.setResponseCode(response.status)
        fields = twisted_request.responseHeaders
        for name, value in overriding(response.headers, self.headers):
            fields.addRawHeader(name.encode("ascii"), value.encode("latin-1", "replace"))
        if not fields.hasHeader(b"x-content-type-options"):
            fields.addRawHeader(b"X-Content-Type-Options", b"nosniff")
        if response.status not in (204, 304):
            fields.setRawHeaders(b"content-length", [str(len(response.body)).encode("ascii")])
        return response.body

    def _read(self, twisted_request: TwistedRequest) -> tuple[Request, MalformedForm | None]:
        """The request as a value, and what was wrong with its parameters."""
        headers = {
            name.decode("latin-1").lower(): tuple(value.decode("latin-1") for value in values)
            for name, values in twisted_request.requestHeaders.getAllRawHeaders()
        }
        query, body, problem = Form(), Form(), None
        raw_path, _, raw_query = twisted_request.uri.partition(b"?")
        try:
            query = parse_form(raw_query)
            if headers.get("content-type", ("",))[0].partition(";")[0].strip().lower() == _FORM:
                body = parse_form(_content(twisted_request))
        except MalformedForm as malformed:
            problem = malformed
        peer = str(getattr(twisted_request.getClientAddress(), "host", ""))
        address = self.client_addresses.of(peer, headers.get(self.client_addresses.header, ()))
        request = Request(
            method=twisted_request.method.decode("latin-1"),
            full_path=unquote(raw_path.decode("latin-1"), errors="replace"),
            query=query,
            body=body,
            headers=headers,
            cookies=_cookies(headers.get("cookie", ())),
            peer=peer,
            client_address=address,
            request_id=str(uuid.uuid4()),
        )
        shown = address if self.client_addresses.header else None
        request_context.set(RequestContext(request_id=request.request_id, client_remote_addr=shown))
        return request, problem


@attrs.frozen
class _Malformed:
    """The endpoint of requests that cannot be read."""

    problem: MalformedForm

    async def __call__(self, request: Request) -> Response:
        raise self.problem


def _content(twisted_request: Any) -> bytes:
    content = twisted_request.content
    content.seek(0)
    body: bytes = content.read()
    return body


def _cookies(lines: tuple[str, ...]) -> dict[str, str]:
    """The cookies by name (RFC 6265 §5.4); of several with one name the first, whose path is the longest."""
    found: dict[str, str] = {}
    for line in lines:
        for pair in line.split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                found.setdefault(name.strip(), value.strip())
    return found
