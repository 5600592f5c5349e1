"""The telemetry listener answers what dex's does."""

from __future__ import annotations

import json

import attrs
from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from dextwist.storage.interface import StorageUnavailable
from dextwist.telemetry.health import Health
from dextwist.telemetry.site import telemetry_site


@attrs.define
class FakeStorage:
    works: bool = True

    async def check(self) -> None:
        if not self.works:
            raise StorageUnavailable("gone")


class FakeMetrics:
    def exposition(self, accept: str) -> tuple[str, bytes]:
        return "text/x-metrics", f"accepting {accept}\n".encode()


class SiteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.storage = FakeStorage()
        self.health = Health(storage=self.storage, clock=self.clock)
        site = telemetry_site(metrics=FakeMetrics(), health=self.health, reactor=self.clock)
        self.http = HTTPClient(RequestTraversalAgent(site.resource))

    def ask(self, path: str, method: str = "GET", accept: str = "*/*") -> tuple[int, str, bytes]:
        response = self.successResultOf(
            self.http.request(method, f"http://127.0.0.1:5558{path}", headers=Headers({"accept": [accept]}))
        )
        body = self.successResultOf(response.content())
        return response.code, response.headers.getRawHeaders("content-type", [""])[0], body

    def check(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.health.start()))

    def test_live_is_always_ok(self) -> None:
        self.storage.works = False
        self.check()
        self.assertEqual(self.ask("/healthz/live"), (200, "text/plain; charset=utf-8", b"ok\n"))

    def test_not_ready_before_the_first_check(self) -> None:
        for path in ("/healthz", "/healthz/ready"):
            self.assertEqual(self.ask(path), (503, "application/json", b"{}\n"))

    def test_ready(self) -> None:
        self.check()
        for path in ("/healthz", "/healthz/ready"):
            status, content_type, body = self.ask(path)
            self.assertEqual((status, content_type), (200, "application/json"))
            self.assertIn("message", json.loads(body)["storage"])

    def test_not_ready_without_storage(self) -> None:
        self.storage.works = False
        self.check()
        for path in ("/healthz", "/healthz/ready"):
            status, _, body = self.ask(path)
            self.assertEqual(status, 503)
            self.assertIn("error", json.loads(body)["storage"])

    def test_short_report(self) -> None:
        self.check()
        self.assertEqual(json.loads(self.ask("/healthz?type=short")[2]), {"storage": "PASS"})

    def test_metrics(self) -> None:
        status, content_type, body = self.ask("/metrics", accept="text/x")
        self.assertEqual((status, content_type, body), (200, "text/x-metrics", b"accepting text/x\n"))

    def test_head_like_get_and_nothing_else(self) -> None:
        self.assertEqual(self.ask("/metrics", "HEAD")[0], 200)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            self.assertEqual(self.ask("/metrics", method)[0], 405)
            self.assertEqual(self.ask("/healthz", method)[0], 405)

    def test_nothing_else_is_there(self) -> None:
        for path in ("/", "/nothing", "/debug/pprof/", "/debug/stacks", "/metrics/x", "/healthz/"):
            self.assertEqual(self.ask(path)[0], 404, path)
