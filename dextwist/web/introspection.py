"""The introspection endpoint (RFC 7662)."""

from __future__ import annotations

from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.model.client import Client
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import check_introspection
from dextwist.tokens.introspection import TokenIntrospector
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response, json_response
from dextwist.web.route import READ_AND_POST, Route


@attrs.frozen(kw_only=True)
class IntrospectionGroup:
    """Says what a token is worth."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    authenticator: ClientAuthenticator
    introspector: TokenIntrospector
    #: `oauth2.introspection.allowAnonymous`: whoever has a token may ask about it, as in dex.
    allow_anonymous: bool
    route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/token/introspect", self.introspect, self.guard, READ_AND_POST, cors=True)

    @app.route("/token/introspect")
    async def introspect_route(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    async def introspect(self, request: Request) -> Response:
        """What the token says, for a client that may know it. GET is taken only to be told so."""
        if request.method != "POST":
            raise OAuthError("invalid_request", "the method must be POST")
        form = request.body
        form.refuse_repeats()
        caller = None if self.allow_anonymous else await self._caller(request)
        if not form:
            raise OAuthError("invalid_request", "the request has no form in its body")
        if not form.get("token"):
            raise OAuthError("invalid_request", "token is missing")
        told = await self.introspector.introspect(form.get("token"), caller)
        response = json_response(200, told)
        # dex ends this one answer, and no other, with a line end.
        return response if told["active"] else attrs.evolve(response, body=response.body + b"\n")

    async def _caller(self, request: Request) -> Client:
        """The client that asks. All that fail to say who they are get one answer."""
        try:
            caller = await self.authenticator.client(request.body, request.header("authorization"))
            check_introspection(caller)
        except OAuthError as error:
            if error.error != "invalid_client":
                raise
            described = "introspection is for clients that authenticate (oauth2.introspection.allowAnonymous)"
            raise OAuthError("invalid_client", described, status=401) from None
        return caller
