"""What happens around every endpoint, whichever server took the request in: read once, answer, count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.model.ids import new_uuid
from dextwist.oauth.parameters import Form, MalformedForm
from dextwist.telemetry.context import RequestContext, request_context
from dextwist.telemetry.metrics import Metrics
from dextwist.web.client_address import ClientAddresses
from dextwist.web.cors import CrossOrigin
from dextwist.web.forms import MAX_FIELDS, TooManyFields, parse_form
from dextwist.web.http import Headers, Request, Response
from dextwist.web.page_headers import overriding
from dextwist.web.route import Route

_FORM = "application/x-www-form-urlencoded"
_NOSNIFF = ("X-Content-Type-Options", "nosniff")


@attrs.frozen(kw_only=True)
class Incoming:
    """A request as it came over the wire, framed but not read."""

    method: str
    #: path and query, percent-encoded.
    target: str
    #: names in lower case, the values of repeated fields in order.
    headers: Mapping[str, Sequence[str]]
    body: bytes
    #: the TCP peer's address, without its port.
    peer: str


@attrs.frozen(kw_only=True)
class Answering:
    """Answers requests by their routes."""

    clock: IReactorTime
    metrics: Metrics
    #: `web.headers`: sent with every answer.
    headers: Mapping[str, str] = attrs.field(factory=dict)
    cross_origin: CrossOrigin = CrossOrigin()
    client_addresses: ClientAddresses = ClientAddresses()
    #: in a query, and in a form.
    max_fields: int = MAX_FIELDS

    async def respond(self, incoming: Incoming, route: Route) -> Response:
        """The answer, with all its headers but the framing's. Never raises."""
        began = self.clock.seconds()
        request, problem = self._read(incoming)
        shown = request.client_address if self.client_addresses.header else None
        request_context.set(RequestContext(request_id=request.request_id, client_remote_addr=shown))
        response = self.finished(await self._response(request, problem, route))
        if route.counted:
            self.metrics.request_answered(
                handler=route.pattern,
                method=request.method.lower(),
                status=response.status,
                seconds=self.clock.seconds() - began,
                size=len(response.body),
            )
        return response

    def finished(self, response: Response) -> Response:
        """The answer with the headers that every answer has."""
        headers: Headers = response.headers
        if _NOSNIFF not in headers:
            headers = (*headers, _NOSNIFF)
        if self.headers:
            headers = overriding(headers, self.headers)
        return Response(response.status, headers, response.body)

    async def _response(self, request: Request, problem: MalformedForm | None, route: Route) -> Response:
        if route.cors and request.method == "OPTIONS":
            preflight = self.cross_origin.preflight(request)
            if preflight is not None:
                return preflight
        if request.method not in route.methods:
            response = route.guard.method_not_allowed(request, ", ".join(route.methods))
        elif problem is not None:
            response = await route.guard.answer(_Malformed(problem), request)
        else:
            response = await route.guard.answer(route.endpoint, request)
        return response.adding(*self.cross_origin.headers(request)) if route.cors else response

    def _read(self, incoming: Incoming) -> tuple[Request, MalformedForm | None]:
        """The request as a value, and what was wrong with its parameters."""
        headers, address, trusted = incoming.headers, incoming.peer, self.client_addresses
        query, body, problem = Form(), Form(), None
        path, _, raw_query = incoming.target.partition("?")
        try:
            if raw_query:
                query = parse_form(raw_query.encode("latin-1"), max_fields=self.max_fields)
            if incoming.body and _media_type(headers) == _FORM:
                body = parse_form(incoming.body, max_fields=self.max_fields)
        except MalformedForm as malformed:
            problem = malformed
            if isinstance(malformed, TooManyFields):
                self.metrics.limit_hit(limit="maxFields")
        if trusted.header:
            address = trusted.of(address, headers.get(trusted.header, ()))
        request = Request(
            method=incoming.method,
            full_path=unquote(path, errors="replace") if "%" in path else path,
            query=query,
            body=body,
            headers=headers,
            cookies=_cookies(headers["cookie"]) if "cookie" in headers else {},
            peer=incoming.peer,
            client_address=address,
            request_id=new_uuid(),
        )
        return request, problem


@attrs.frozen
class _Malformed:
    """The endpoint of requests that cannot be read."""

    problem: MalformedForm

    async def __call__(self, request: Request) -> Response:
        raise self.problem


def _media_type(headers: Mapping[str, Sequence[str]]) -> str:
    return headers.get("content-type", ("",))[0].partition(";")[0].strip().lower()


def _cookies(lines: Sequence[str]) -> dict[str, str]:
    """The cookies by name (RFC 6265 §5.4); of several with one name the first, whose path is the longest."""
    found: dict[str, str] = {}
    for line in lines:
        for pair in line.split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                found.setdefault(name.strip(), value.strip())
    return found
