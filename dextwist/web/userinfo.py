"""The userinfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.signing.interface import InvalidToken
from dextwist.tokens.verifier import TokenVerifier
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import NO_STORE, Request, Response, json_response
from dextwist.web.route import READ_AND_POST, Route


@attrs.frozen(kw_only=True)
class UserinfoGroup:
    """Says whom an access token is about."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    verifier: TokenVerifier
    route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/userinfo", self.userinfo, self.guard, READ_AND_POST, cors=True)

    @app.route("/userinfo")
    async def userinfo_route(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    async def userinfo(self, request: Request) -> Response:
        """The claims of the token, as they were signed."""
        token = _bearer_token(request)
        if not token:
            # No error code where no token was shown (RFC 6750 §3.1); dex's body stays.
            return _challenge("Bearer", "access_denied", "a bearer token is missing")
        try:
            verified = await self.verifier.access_token(token)
        except InvalidToken:
            return _challenge('Bearer error="invalid_token"', "invalid_token", "the token is not valid")
        return Response(200, (("Content-Type", "application/json"), *NO_STORE), verified.payload)


def _bearer_token(request: Request) -> str:
    """The token from the header or a form body, never from the query (RFC 6750 §2.1, §2.2)."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.body.get("access_token") if request.method == "POST" and not scheme else ""


def _challenge(challenge: str, error: str, description: str) -> Response:
    content = {"error": error, "error_description": description}
    return json_response(401, content, (*NO_STORE, ("WWW-Authenticate", challenge)))
