"""The headers of pages (security.md §12)."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.page_headers import overriding, page_headers, policy_source


class PolicySourceTests(SynchronousTestCase):
    def test_the_source_of_an_address(self) -> None:
        for uri, expected in [
            ("https://app.example/cb?x=y#z", "https://app.example"),
            ("https://App.Example:8443/cb", "https://app.example:8443"),
            ("http://127.0.0.1:9/cb", "http://127.0.0.1:9"),
            ("http://user:pass@app.example/", "http://app.example"),
            ("http://[::1]:5/cb", "http:"),
            ("http://under_score.example/cb", "http:"),
            ("com.example.app:/callback", "com.example.app:"),
            ("https:", "https:"),
            ("/dex/device/callback", ""),
            ("theme/logo.png", ""),
            ("", ""),
            ("http://app.example:99999/", ""),
            ("http://[::1", ""),
        ]:
            self.assertEqual(policy_source(uri), expected, uri)

    @given(st.one_of(st.text(), st.text().map(lambda text: f"https://{text}")))
    def test_WB_04_no_address_adds_to_the_policy(self, uri: str) -> None:
        self.assertIsNotNone(re.fullmatch(r"[A-Za-z0-9+.:/-]*", policy_source(uri)))


class PageHeadersTests(SynchronousTestCase):
    def test_WB_06_the_defaults(self) -> None:
        headers = dict(page_headers(https=False))
        self.assertEqual(
            headers["Content-Security-Policy"],
            "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self';"
            " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertIn("camera=()", headers["Permissions-Policy"])
        self.assertNotIn("self", headers["Permissions-Policy"])

    def test_WB_06_strict_transport_security_on_https_alone(self) -> None:
        name, value = "Strict-Transport-Security", "max-age=31536000"
        self.assertIn((name, value), page_headers(https=True))
        self.assertNotIn(name, dict(page_headers(https=False)))

    def test_sources_are_added_where_they_belong(self) -> None:
        headers = page_headers(https=False, images=["data:"], scripts=["'nonce-x'"], form_targets=["https:"])
        policy = dict(headers)["Content-Security-Policy"]
        for directive in (
            "img-src 'self' data:;",
            "script-src 'self' 'nonce-x';",
            "form-action 'self' https:;",
        ):
            self.assertIn(directive, policy)

    def test_a_security_key_s_page_may_ask_for_it(self) -> None:
        headers = dict(page_headers(https=False, webauthn=True))
        self.assertIn("connect-src 'self'", headers["Content-Security-Policy"])
        self.assertIn("publickey-credentials-get=(self)", headers["Permissions-Policy"])
        self.assertIn("publickey-credentials-create=(self)", headers["Permissions-Policy"])
        self.assertIn("camera=()", headers["Permissions-Policy"])


class OverridingTests(SynchronousTestCase):
    OURS = (("A", "1"), ("Content-Security-Policy", "ours"))

    def test_a_configured_header_replaces_ours_of_the_same_name(self) -> None:
        found = overriding(self.OURS, {"content-security-policy": "theirs"})
        self.assertEqual(found, (("A", "1"), ("content-security-policy", "theirs")))

    def test_a_configured_header_that_we_do_not_send_is_added(self) -> None:
        found = overriding(self.OURS, {"X-Frame-Options": "DENY"})
        self.assertEqual(found, (*self.OURS, ("X-Frame-Options", "DENY")))

    def test_a_blank_one_does_not_count(self) -> None:
        self.assertEqual(overriding(self.OURS, {"Content-Security-Policy": " ", "X-New": ""}), self.OURS)
