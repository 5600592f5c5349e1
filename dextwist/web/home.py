"""The front door, and what stands beside it: home page, health, robots.txt, static files."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Protocol

import attrs
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.login.refusals import RefusedWithPage
from dextwist.oauth.issuer import Issuer
from dextwist.web.answering import Answering
from dextwist.web.assets import Assets
from dextwist.web.errors import PageGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response
from dextwist.web.pages import Pages
from dextwist.web.route import Route

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class Healthy(Protocol):
    """Knows whether the server can do its work."""

    @property
    def healthy(self) -> bool: ...


@attrs.frozen(kw_only=True)
class HomeGroup:
    """Answers those who come without a request to make."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: PageGuard
    pages: Pages
    issuer: Issuer
    health: Healthy
    robots: bytes
    static: Assets
    theme: Assets

    home_route: Route = attrs.field(init=False)
    health_route: Route = attrs.field(init=False)
    robots_route: Route = attrs.field(init=False)

    @home_route.default
    def _home_route(self) -> Route:
        return Route("/", self.home, self.guard, cors=True)

    @health_route.default
    def _health_route(self) -> Route:
        return Route("/healthz", self.healthz, self.guard)

    @robots_route.default
    def _robots_route(self) -> Route:
        return Route("/robots.txt", self.robots_txt, self.guard)

    @app.route("/")
    async def answer_home(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.home_route)

    @app.route("/healthz")
    async def answer_health(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.health_route)

    @app.route("/robots.txt")
    async def answer_robots(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.robots_route)

    @app.route("/static/<path:name>")
    async def answer_static(self, request: TwistedRequest, name: str) -> bytes:
        return await self._file(request, self.static, name)

    @app.route("/theme/<path:name>")
    async def answer_theme(self, request: TwistedRequest, name: str) -> bytes:
        return await self._file(request, self.theme, name)

    async def _file(self, request: TwistedRequest, assets: Assets, name: str) -> bytes:
        route = Route("/static", partial(_asset, assets, name), self.guard, counted=False)
        return await answer(self, request, route)

    async def home(self, request: Request) -> Response:
        """What this is, for who typed its address."""
        discovery = self.issuer.url_of("/.well-known/openid-configuration")
        return self.pages.home(request, discovery_url=discovery)

    async def healthz(self, request: Request) -> Response:
        """Whether the storage took the last probe."""
        if not self.health.healthy:
            raise RefusedWithPage(500, "Health check failed.")
        return Response(200, (_TEXT, ("Cache-Control", "no-store")), b"Health check passed")

    async def robots_txt(self, request: Request) -> Response:
        """What search engines may read: by default nothing."""
        return Response(200, (_TEXT,), self.robots)


async def _asset(assets: Assets, name: str, request: Request) -> Response:
    return assets.answer(request, name)
