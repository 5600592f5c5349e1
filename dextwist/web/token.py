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
from dextwist.web.group import group_app
from dextwist.web.http import Request, Response, json_response


@attrs.frozen(kw_only=True)
class TokenGroup:
    """Answers token requests."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    endpoint: TokenEndpoint

    @app.route("/token")
    async def token_route(self, request: TwistedRequest) -> bytes:
        return await self.answering.answer(
            request, self.token, self.guard, handler="/token", methods=("GET", "HEAD", "POST"), cors=True
        )

    async def token(self, request: Request) -> Response:
        """Tokens for a grant. GET is taken only to be told so, since probes of dex rely on that."""
        if request.method != "POST":
            raise OAuthError("invalid_request", "the method must be POST")
        response = await self.endpoint.answer(request.body, request.header("authorization"))
        return json_response(200, response.as_dict())
