"""The callback: where upstreams send the browser back to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.connectors.interface import CallbackRequest
from dextwist.login.finishing import LoginFinisher
from dextwist.login.loading import LoginLoader
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AuthRequest
from dextwist.web.answering import Answering
from dextwist.web.errors import PageGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response
from dextwist.web.login_cookie import LoginCookie
from dextwist.web.route import READ_AND_POST, Route

#: Headers in which a proxy names the person; believed on a connector's own callback alone.
_REMOTE = "x-remote-"


@attrs.frozen(kw_only=True)
class CallbackGroup:
    """Finishes logins that went through an upstream."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: PageGuard
    cookie: LoginCookie
    loader: LoginLoader
    finisher: LoginFinisher
    #: sends the browser on once the login is finished.
    to_dispatcher: Callable[[AuthRequest], Response]
    route: Route = attrs.field(init=False)
    connector_route: Route = attrs.field(init=False)

    @route.default
    def _route(self) -> Route:
        return Route("/callback", partial(self.callback, None), self.guard, READ_AND_POST)

    @connector_route.default
    def _connector_route(self) -> Route:
        return Route("/callback/{connector}", self.callback, self.guard, READ_AND_POST)

    @app.route("/callback")
    async def answer_callback(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    @app.route("/callback/<connector_id>")
    async def answer_connector(self, request: TwistedRequest, connector_id: str) -> bytes:
        return await answer(self, request, self.connector_route.at(connector_id))

    async def callback(self, connector_id: str | None, request: Request) -> Response:
        """Hand what the browser brought to the connector of its login."""
        posted = request.method == "POST"
        state = request.body.get("RelayState") if posted else request.query.get("state")
        login = await self.loader.load(state, self.cookie.read(request))
        if posted or connector_id not in (None, login.connector_id):
            raise RefusedWithPage(400, "This sign-in goes another way.")
        opened = await self.finisher.opened(login)
        request.query.refuse_repeats()
        brought = CallbackRequest(
            query=dict(request.query),
            headers={
                name: values
                for name, values in request.headers.items()
                if connector_id is not None or not name.startswith(_REMOTE)
            },
            client_address=request.client_address,
        )
        return self.to_dispatcher(await self.finisher.callback(login, opened, brought))
