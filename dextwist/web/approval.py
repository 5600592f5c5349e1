"""The consent page."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.login.consent import ConsentAsker
from dextwist.login.loading import LoginLoader
from dextwist.login.refusals import RefusedWithPage
from dextwist.login.responding import Responder
from dextwist.model.auth_request import AuthRequest
from dextwist.oauth import steps
from dextwist.oauth.errors import OAuthError
from dextwist.web.answering import Answering
from dextwist.web.errors import PageGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response
from dextwist.web.login_cookie import LoginCookie
from dextwist.web.pages import Pages
from dextwist.web.route import READ_AND_POST, Route


@attrs.frozen(kw_only=True)
class ApprovalGroup:
    """Asks for consent."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: PageGuard
    pages: Pages
    cookie: LoginCookie
    loader: LoginLoader
    asker: ConsentAsker
    responder: Responder
    #: sends the browser back to the dispatcher with the proof of a step.
    to_dispatcher: Callable[[AuthRequest, str], Response]
    route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/approval", self.approval, self.guard, READ_AND_POST)

    @app.route("/approval")
    async def approval_route(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    async def approval(self, request: Request) -> Response:
        """Show the question, or take the answer."""
        login, _ = await self.loader.load_at_step(
            request.query.get("req"), self.cookie.read(request), request.query.get("hmac"), steps.APPROVAL
        )
        if request.method != "POST":
            question = await self.asker.question(login)
            return self.pages.approval(
                request,
                user=question.username,
                client=question.client_name,
                auth_request_id=login.id,
                scopes=question.scopes,
                audiences=question.audiences,
                user_code=login.user_code,
                form_targets=(login.redirect_uri,),
            )
        match request.body.get("approval"):
            case "approve":
                return self.to_dispatcher(login, steps.APPROVED)
            case "rejected":
                error = OAuthError("access_denied", "the person did not consent")
                return self.guard.at_client(request, await self.responder.refuse(login, error))
        raise RefusedWithPage(400, "The answer was neither yes nor no.")
