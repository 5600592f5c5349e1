"""The revocation endpoint (RFC 7009)."""

from __future__ import annotations

from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.oauth.errors import OAuthError
from dextwist.tokens.revocation import TokenRevoker
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import NO_STORE, Request, Response
from dextwist.web.route import Route


@attrs.frozen(kw_only=True)
class RevocationGroup:
    """Ends tokens for their clients."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    authenticator: ClientAuthenticator
    revoker: TokenRevoker
    route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/token/revoke", self.revoke, self.guard, ("POST",), cors=True)

    @app.route("/token/revoke")
    async def revoke_route(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    async def revoke(self, request: Request) -> Response:
        """Nothing, once the token is dead, or was never alive (RFC 7009 §2.2)."""
        form = request.body
        form.refuse_repeats()
        client = await self.authenticator.client(form, request.header("authorization"))
        if not form.get("token"):
            raise OAuthError("invalid_request", "token is missing")
        await self.revoker.revoke(form.get("token"), client)
        return Response(200, NO_STORE)
