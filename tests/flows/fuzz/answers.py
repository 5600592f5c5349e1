"""What must be so of every answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.redirect_uris import is_loopback
from dextwist.web.errors import JSONGuard
from dextwist.web.http import Response
from tests.direct import ISSUER, ORIGIN
from tests.flows.fuzz.requests import Ask
from tests.flows.fuzz.values import CALLBACK
from tests.web.page_reader import Read

#: RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8628 §3.5, OpenID Connect Core §3.1.2.6
ERRORS = {
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
    *("invalid_scope", "access_denied", "unsupported_response_type", "invalid_token", "insufficient_scope"),
    *("unsupported_token_type", "authorization_pending", "slow_down", "expired_token", "login_required"),
    *("consent_required", "interaction_required", "request_not_supported", "request_uri_not_supported"),
}
PAGE_HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
}
HEADERS = PAGE_HEADERS | {
    *("date", "content-type", "content-length", "connection", "cache-control", "pragma", "location", "allow"),
    *("www-authenticate", "set-cookie", "retry-after", "access-control-allow-origin", "vary", "etag"),
    *("access-control-allow-headers", "last-modified", "content-encoding"),
}


@attrs.frozen(kw_only=True)
class Check:
    """An answer, and the request that it is for."""

    test: SynchronousTestCase
    ask: Ask
    url: str
    response: Response

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.response.headers}

    def everything(self, route: Any) -> None:
        """All of it."""
        status, body = self.response.status, self.response.body
        self.test.assertLess(status, 500, self)
        self.test.assertLessEqual({*self.headers}, HEADERS, self)
        if "set-cookie" in self.headers:
            self.test.assertTrue(self.headers["set-cookie"].startswith("dex_login="), self)
        if status == 429:
            self.test.assertGreater(int(self.headers["retry-after"]), 0)
        if self.ask.method == b"HEAD":
            self.test.assertEqual(b"", body)
        elif status != 304:
            self.test.assertEqual(int(self.headers["content-length"]), len(body), self)
            self._content(route)
        if "location" in self.headers:
            self._redirect(self.headers["location"])

    def _content(self, route: Any) -> None:
        status, content_type = self.response.status, self.headers.get("content-type", "")
        refused_by_front = content_type.startswith("text/plain") and status in (400, 413, 414, 431)
        if route is not None and self.response.body and not refused_by_front:
            if isinstance(route.guard, JSONGuard):
                self.test.assertEqual("application/json", content_type, self)
                if status >= 400:
                    self.test.assertIn(json.loads(self.response.body)["error"], ERRORS, self)
            elif status >= 400:
                self.test.assertEqual("text/html; charset=utf-8", content_type, self)
        if content_type.startswith("text/html"):
            self._page()

    def _page(self) -> None:
        self.test.assertLessEqual(PAGE_HEADERS, {*self.headers}, self)
        self.test.assertIn(b"<!doctype html>", self.response.body[:20])
        for marked in (b"<zq", b"zq\"'"):
            self.test.assertNotIn(marked, self.response.body, self)
        read = Read(self.response)
        for element in read.elements:
            for name in ("href", "src"):
                address = element.attributes.get(name)
                self.test.assertTrue(address is None or self._is_here(address), (element, self))
            if element.tag == "form":
                action = element.attributes.get("action") or ""
                self.test.assertTrue(not action or self._may_be_sent_to(action), (element, self))

    def _redirect(self, location: str) -> None:
        self.test.assertIn(self.response.status, (302, 303), self)
        self.test.assertTrue(self._may_be_sent_to(location), self)
        if not self._is_here(location):
            parts = urlsplit(location)
            params = dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))
            self.test.assertEqual(ISSUER, params["iss"], self)
            self.test.assertIn(params.get("error", "access_denied"), ERRORS, self)

    def _is_here(self, address: str) -> bool:
        """Whether that is below the issuer, and cannot be read as anything else."""
        if address.startswith(ISSUER):
            address = address.removeprefix(ORIGIN)
        parts = urlsplit(address)
        return not parts.netloc and (parts.path == "/dex" or parts.path.startswith("/dex/"))

    def _may_be_sent_to(self, address: str) -> bool:
        registered = address.startswith((CALLBACK + "?", CALLBACK + "#")) or address == CALLBACK
        return self._is_here(address) or registered or is_loopback(address.partition("#")[0])
