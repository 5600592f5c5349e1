"""The device flow (RFC 8628): a device asks for codes, a person types one, and logs in for the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import urlencode

import attrs
from klein import Klein
from twisted.logger import Logger
from twisted.web.server import Request as TwistedRequest

from dextwist.grants.device_authorization import DeviceAuthorizer
from dextwist.login.browser_binding import usable_secret
from dextwist.login.device import DeviceLogins, WrongUserCode
from dextwist.login.refusals import RefusedWithPage
from dextwist.login.throttle import Throttle, network_of
from dextwist.model.device import DeviceRequest
from dextwist.model.ids import new_long_id
from dextwist.oauth import steps
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import DEVICE_CALLBACK
from dextwist.oauth.issuer import Issuer
from dextwist.storage.interface import StorageError
from dextwist.telemetry.metrics import Metrics
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard, PageGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response, json_response, redirect
from dextwist.web.login_cookie import LoginCookie
from dextwist.web.pages import Pages
from dextwist.web.route import READ_AND_POST, Route

_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})


@attrs.frozen(kw_only=True)
class DeviceGroup:
    """Everything below `/device`."""

    log: ClassVar[Logger] = Logger()
    app: ClassVar[Klein] = group_app()

    answering: Answering
    page_guard: PageGuard
    json_guard: JSONGuard
    pages: Pages
    issuer: Issuer
    cookie: LoginCookie
    authorizer: DeviceAuthorizer
    logins: DeviceLogins
    #: of wrong user codes.
    throttle: Throttle
    metrics: Metrics
    new_secret: Callable[[], str] = new_long_id

    code_route: Route = attrs.field(init=False)
    form_route: Route = attrs.field(init=False)
    verify_route: Route = attrs.field(init=False)
    callback_route: Route = attrs.field(init=False)

    @code_route.default
    def _code_route(self) -> Route:
        return Route("/device/code", self.code, self.json_guard, READ_AND_POST)

    @form_route.default
    def _form_route(self) -> Route:
        return Route("/device", self.form, self.page_guard)

    @verify_route.default
    def _verify_route(self) -> Route:
        return Route("/device/auth/verify_code", self.verify, self.page_guard, ("POST",))

    @callback_route.default
    def _callback_route(self) -> Route:
        return Route(DEVICE_CALLBACK, self.callback, self.page_guard, ("GET",))

    @property
    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (self.code_route, self.form_route, self.verify_route, self.callback_route)

    @app.route("/device/code")
    async def answer_code(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.code_route)

    @app.route("/device")
    async def answer_form(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.form_route)

    @app.route("/device/auth/verify_code")
    async def answer_verify(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.verify_route)

    @app.route("/device/callback")
    async def answer_callback(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.callback_route)

    # -- the device

    async def code(self, request: Request) -> Response:
        """Codes for a device. GET is taken only to be told so, as at the token endpoint."""
        if request.method != "POST":
            raise OAuthError("invalid_request", "the method must be POST")
        authorization = await self.authorizer.answer(request.body, request.header("authorization"))
        return json_response(200, authorization.as_dict())

    # -- the person

    async def form(self, request: Request) -> Response:
        """The form for the code that the device shows; filled in where the device gave the whole address."""
        invalid = request.query.get("invalid") in _TRUE
        return self._form(request, user_code=request.query.get("user_code"), invalid=invalid)

    async def verify(self, request: Request) -> Response:
        """Take the code that was typed, and begin the login of the device that shows it."""
        address = network_of(request.client_address)
        user_code = request.body.get("user_code")
        if wait := self.throttle.take(address):
            self.metrics.limit_hit(limit="maxWrongUserCodes")
            self.log.warn("user_codes_throttled: too many wrong user codes", address=address)
            return self._form(request, user_code=user_code, retry_after=wait)
        secret = usable_secret(self.cookie.read(request))
        proof = request.query.get("hmac")
        if secret is None or not steps.is_step_verifier(proof, secret.encode(), "", steps.USER_CODE):
            raise RefusedWithPage(
                400,
                f"Open {self.issuer.url_of('/device')} and enter the code there. "
                "If that is where you come from, your browser does not take cookies from this server.",
            )
        try:
            entered = await self.logins.enter(user_code, secret)
        except WrongUserCode:
            self.log.info("user_code_refused: no device waits with the code that was typed")
            return self._form(request, user_code=user_code, invalid=True)
        except StorageError:
            self.throttle.give_back(address)
            raise
        self.throttle.give_back(address)
        return redirect(302, self._authorization_url(entered))

    async def callback(self, request: Request) -> Response:
        """The end of the login: the device has it, or knows that it was refused."""
        user_code, cookie = request.query.get("state"), self.cookie.read(request)
        error = request.query.get("error")
        if error == "access_denied":
            await self.logins.deny(user_code, cookie)
            raise RefusedWithPage(400, "The device was not signed in, since you did not allow it.")
        if error:
            self.log.info("device login failed: {error}", error=error)
            raise RefusedWithPage(400, "The device was not signed in. You can enter its code again.")
        client = await self.logins.complete(request.query.get("code"), user_code, cookie)
        return self.pages.device_success(request, client_name=client.name or client.id)

    def _form(
        self, request: Request, *, user_code: str, invalid: bool = False, retry_after: int = 0
    ) -> Response:
        """The form; its answer must bring the proof that this browser got it here, not from another site."""
        secret = usable_secret(self.cookie.read(request)) or self.new_secret()
        proof = steps.step_verifier(secret.encode(), "", steps.USER_CODE)
        page = self.pages.device(
            request,
            post_url=f"{self.issuer.path_of('/device/auth/verify_code')}?{urlencode({'hmac': proof})}",
            user_code=user_code,
            invalid=invalid,
            retry_after=retry_after,
            # The only connector there is may be entered at once, wherever its upstream is.
            form_targets=("https:",) if self.issuer.is_https else ("https:", "http:"),
        )
        return page.adding(self.cookie.header(secret))

    def _authorization_url(self, entered: DeviceRequest) -> str:
        params = {
            "client_id": entered.client_id,
            "redirect_uri": self.issuer.path_of(DEVICE_CALLBACK),
            "response_type": "code",
            "scope": " ".join(entered.scopes),
            "state": entered.user_code,
        }
        return f"{self.issuer.url_of('/auth')}?{urlencode(params)}"
