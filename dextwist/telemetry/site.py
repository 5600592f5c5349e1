"""The telemetry listener: metrics and health in plain HTTP, for those who run the daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Protocol

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site
from zope.interface import implementer

from dextwist.telemetry.health import Health, health_report, short_health_report


class Exposition(Protocol):
    """Metrics that can be read."""

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """All metrics in a format that the `Accept` field allows: its media type and the text."""


@attrs.frozen
class _Answer:
    status: int
    content_type: str
    body: bytes


_PLAIN = "text/plain; charset=utf-8"
_NOT_FOUND = _Answer(404, _PLAIN, b"not found\n")
_NOT_ALLOWED = _Answer(405, _PLAIN, b"method not allowed\n")


@implementer(IResource)
class TelemetryResource(Resource):
    """The whole tree of a telemetry listener, as one table."""

    isLeaf = True

    def __init__(self, *, metrics: Exposition, health: Health) -> None:
        super().__init__()
        self._metrics = metrics
        self._health = health
        self._pages: Mapping[bytes, Callable[[Request], _Answer]] = {
            b"/metrics": self._exposition,
            b"/healthz": self._report,
            b"/healthz/ready": self._report,
            b"/healthz/live": self._alive,
        }

    def render(self, request: Request) -> bytes:
        if request.method in (b"GET", b"HEAD"):
            page = self._pages.get(request.path)
            answer = _NOT_FOUND if page is None else page(request)
        else:
            answer = _NOT_ALLOWED
            request.setHeader(b"allow", b"GET, HEAD")
        request.setResponseCode(answer.status)
        request.setHeader(b"content-type", answer.content_type.encode("ascii"))
        request.setHeader(b"cache-control", b"no-store")
        return answer.body

    def _exposition(self, request: Request) -> _Answer:
        content_type, text = self._metrics.exposition(request.getHeader("accept") or "")
        return _Answer(200, content_type, text)

    def _report(self, request: Request) -> _Answer:
        short = request.args.get(b"type") == [b"short"]
        report = short_health_report(self._health) if short else health_report(self._health)
        return _Answer(
            200 if self._health.ready else 503,
            "application/json",
            json.dumps(report, indent=2).encode() + b"\n",
        )

    def _alive(self, _request: Request) -> _Answer:
        return _Answer(200, _PLAIN, b"ok\n")


def telemetry_site(*, metrics: Exposition, health: Health, reactor: IReactorTime) -> Site:
    """What listens on `telemetry.http`."""
    resource = TelemetryResource(metrics=metrics, health=health)
    return _QuietSite(resource, reactor=reactor, timeout=60, parsePOSTFormSubmission=False)


class _QuietSite(Site):
    noisy = False

    def log(self, request: http.Request) -> None:
        """There is no access log."""
