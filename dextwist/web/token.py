"""The token endpoint."""

from __future__ import annotations

from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.grants.token_endpoint import TokenEndpoint
from dextwist.oauth.errors import OAuthError
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response, json_response
from dextwist.web.route import READ_AND_POST, Route


@attrs.frozen(kw_only=True)
class TokenGroup:
    """Answers token requests."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    endpoint: TokenEndpoint
    route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/token", self.token, self.guard, READ_AND_POST, cors=True)

    @app.route("/token")
    async def token_route(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    async def token(self, request: Request) -> Response:
        """Tokens for a grant. GET is taken only to be told so, since probes of dex rely on that."""
        if request.method != "POST":
            raise OAuthError("invalid_request", "the method must be POST")
        response = await self.endpoint.answer(request.body, request.header("authorization"))
        return json_response(200, response.as_dict())
