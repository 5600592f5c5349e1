"""The authorization endpoint: `/auth`, the entrance to a connector, and the password form."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import quote, urlencode, urlsplit

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.connectors.interface import Connectors, OpenedConnector
from dextwist.login.beginning import AskForPassword, LoginBeginner
from dextwist.login.browser_binding import usable_secret
from dextwist.login.checking import RequestChecker
from dextwist.login.finishing import LoginFinisher
from dextwist.login.loading import LoginLoader
from dextwist.login.next_step import Authenticate, ChooseConnector, LoginFacts, Refuse, next_step
from dextwist.login.proceeding import LoginProceeder
from dextwist.login.refusals import RefusedAtClient, RefusedWithPage
from dextwist.model.auth_request import AuthRequest
from dextwist.model.connector import ConnectorRecord
from dextwist.model.ids import new_long_id
from dextwist.oauth import steps
from dextwist.oauth.authorization_request import AuthorizationRequest
from dextwist.oauth.gate import usable_connectors
from dextwist.oauth.issuer import Issuer
from dextwist.oauth.parameters import Form
from dextwist.web.answering import Answering
from dextwist.web.errors import PageGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response, redirect
from dextwist.web.login_cookie import LoginCookie
from dextwist.web.pages import ConnectorChoice, Pages
from dextwist.web.route import READ_AND_POST, Route
from dextwist.web.ticket_prompt import TicketPrompt


@attrs.frozen(kw_only=True)
class AuthorizeGroup:
    """Takes authorization requests in, and logins on their way."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: PageGuard
    pages: Pages
    issuer: Issuer
    cookie: LoginCookie
    connectors: Connectors
    checker: RequestChecker
    beginner: LoginBeginner
    loader: LoginLoader
    finisher: LoginFinisher
    proceeder: LoginProceeder
    always_choose: bool
    new_secret: Callable[[], str] = new_long_id

    ticket_prompt: TicketPrompt = attrs.field(init=False)
    route: Route = attrs.field(init=False)
    enter_route: Route = attrs.field(init=False)
    password_route: Route = attrs.field(init=False)

    @ticket_prompt.default
    def _ticket_prompt(self) -> TicketPrompt:
        return TicketPrompt(issuer=self.issuer)

    @route.default
    def _route(self) -> Route:
        return Route("/auth", self.authorize, self.guard, READ_AND_POST)

    @enter_route.default
    def _enter_route(self) -> Route:
        return Route("/auth/{connector}", self.enter, self.guard)

    @password_route.default
    def _password_route(self) -> Route:
        return Route("/auth/{connector}/login", self.password, self.guard, READ_AND_POST)

    @app.route("/auth")
    async def answer_authorize(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.route)

    @app.route("/auth/<connector_id>")
    async def answer_enter(self, request: TwistedRequest, connector_id: str) -> bytes:
        return await answer(self, request, self.enter_route.at(connector_id))

    @app.route("/auth/<connector_id>/login")
    async def answer_password(self, request: TwistedRequest, connector_id: str) -> bytes:
        return await answer(self, request, self.password_route.at(connector_id))

    # -- a new request

    async def authorize(self, request: Request) -> Response:
        """Choose the connector of a new request, or take up a login that comes back from a step."""
        form = Form(request.query.fields + request.body.fields)
        if form.get("req"):
            return await self.proceed(form, request)
        wire = AuthorizationRequest.from_form(form)
        # An unknown connector_id is told to the person here: the choice is theirs to make again.
        checked = await self.checker.check(attrs.evolve(wire, connector_id=""), self.cookie.read(request))
        records = await self.connectors.records()
        usable = {c.id: c for c in usable_connectors(checked.client, records, checked.grant_type)}
        if not usable or (wire.connector_id and wire.connector_id not in usable):
            raise RefusedWithPage(400, "There is no such way to sign in for this application.")
        rest = [pair for pair in form if pair[0] != "connector_id"]
        step = next_step(
            LoginFacts(
                prompt=checked.prompt,
                connector_ids=tuple(usable),
                connector_id=wire.connector_id,
                always_choose=self.always_choose,
            )
        )
        match step:
            case Authenticate(connector_id):
                return redirect(302, self._entrance(connector_id, rest))
            case ChooseConnector(connector_ids):
                return self._choice(request, [usable[name] for name in connector_ids], rest)
            case Refuse(error):
                raise RefusedAtClient(error, checked.target)
        raise AssertionError(f"{step} before the login")

    def _choice(
        self, request: Request, records: list[ConnectorRecord], params: list[tuple[str, str]]
    ) -> Response:
        choices = [
            ConnectorChoice(id=r.id, name=r.name, type=r.type, url=self._entrance(r.id, params))
            for r in records
        ]
        return self.pages.login(request, connectors=choices)

    def _entrance(self, connector_id: str, params: list[tuple[str, str]]) -> str:
        path = self.issuer.path_of("/auth/" + quote(connector_id, safe=""))
        return f"{path}?{urlencode(sorted(params))}"

    async def enter(self, connector_id: str, request: Request) -> Response:
        """Begin a login through a connector."""
        wire = AuthorizationRequest.from_form(request.query)
        cookie = self.cookie.read(request)
        checked = await self.checker.check(wire, cookie)
        opened = await self.beginner.usable_connector(checked, connector_id)
        if wire.connector_id not in ("", connector_id):
            raise RefusedWithPage(400, "The address names two ways to sign in.")
        step = next_step(LoginFacts(prompt=checked.prompt, connector_id=connector_id))
        if isinstance(step, Refuse):
            raise RefusedAtClient(step.error, checked.target)
        secret = usable_secret(cookie) or self.new_secret()
        beginning = await self.beginner.begin(checked, opened, secret, client_address=request.client_address)
        if isinstance(beginning, AskForPassword):
            location = await self._password_form(connector_id, beginning.request_id, request)
        else:
            location = beginning.url
        return redirect(302, location, (self.cookie.header(secret),))

    async def _password_form(self, connector_id: str, request_id: str, request: Request) -> str:
        back = ""
        if len(await self.connectors.records()) > 1:
            rest = [pair for pair in request.query if pair[0] != "connector_id"]
            back = f"{self.issuer.path_of('/auth')}?{urlencode(sorted(rest))}"
        path = self.issuer.path_of(f"/auth/{quote(connector_id, safe='')}/login")
        return f"{path}?{urlencode({'back': back, 'state': request_id})}"

    # -- the password form

    async def password(self, connector_id: str, request: Request) -> Response:
        """Show the form, or take what was typed into it."""
        login = await self.loader.load(request.query.get("state"), self.cookie.read(request))
        if login.connector_id != connector_id:
            raise RefusedWithPage(400, "This sign-in goes another way.")
        opened = await self.finisher.opened(login)
        if request.method == "GET":
            return await self._negotiated(request, login, opened)
        if request.method != "POST":
            return self._form(request, login, opened)
        username = request.body.get("login")
        finished = await self.finisher.password(login, opened, username, request.body.get("password"))
        if finished is None:
            return self._form(request, login, opened, username, invalid=True)
        return self.to_dispatcher(finished)

    async def _negotiated(self, request: Request, login: AuthRequest, opened: OpenedConnector) -> Response:
        """On, where the browser shows a ticket that counts; otherwise the form, or the wish for a ticket."""
        negotiation = self.ticket_prompt.read(request)
        finished = await self.finisher.ticket(login, opened, negotiation)
        if finished is not None:
            response = self.to_dispatcher(finished)
        elif negotiation.challenge and not negotiation.with_form:
            response = self.pages.error(request, 401, "Your browser showed no ticket that counts here.")
        else:
            response = self._form(request, login, opened)
        return self.ticket_prompt.told(response, negotiation, logged_in=finished is not None)

    def _form(
        self,
        request: Request,
        login: AuthRequest,
        opened: OpenedConnector,
        username: str = "",
        *,
        invalid: bool = False,
    ) -> Response:
        return self.pages.password(
            request,
            post_url=f"{quote(request.full_path)}?{urlencode(sorted(request.query))}",
            prompt=opened.password.prompt if opened.password is not None else "",
            username=username,
            back_link=_own_path(request.query.get("back")),
            connector_name=opened.record.name,
            invalid=invalid,
            form_targets=(login.redirect_uri,),
        )

    # -- a login on its way

    def to_dispatcher(self, login: AuthRequest, label: str = steps.CONTINUE) -> Response:
        """Back to `/auth`, with the proof of the step that was just taken."""
        query = steps.step_query(login.hmac_key, login.id, label)
        return redirect(303, f"{self.issuer.path_of('/auth')}?{query}")

    async def proceed(self, form: Form, request: Request) -> Response:
        """Take the next step of a login in which somebody has logged in."""
        login, label = await self.loader.load_at_step(
            form.get("req"), self.cookie.read(request), form.get("hmac"), steps.CONTINUE, steps.APPROVED
        )
        response = await self.proceeder.proceed(login, approved=label == steps.APPROVED)
        if response is None:
            query = steps.step_query(login.hmac_key, login.id, steps.APPROVAL)
            return redirect(303, f"{self.issuer.path_of('/approval')}?{query}")
        return self.guard.at_client(request, response)


def _own_path(back: str) -> str:
    """The back link, if it leads to a path of this server and nowhere else (RFC 9700 §4.11)."""
    try:
        parts = urlsplit(back)
    except ValueError:
        return ""
    ours = not parts.scheme and not parts.netloc and back.startswith("/")
    return back if ours and back[1:2] not in ("/", "\\") else ""
