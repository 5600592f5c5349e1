"""Redirect targets: which ones a client may use, and how a response is put into them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import Client
from dextwist.oauth.redirect_uris import (
    OUT_OF_BAND,
    allowed_redirect_uri,
    is_loopback,
    with_fragment,
    with_query,
)

FOO = "http://foo.com/bar"
LOCAL = (
    "http://localhost:8080/",
    "http://localhost:991/bar",
    "http://localhost",
    "http://127.0.0.1:8080/",
    "http://127.0.0.1:991/bar",
    "http://127.0.0.1",
)


def client(*redirect_uris: str, public: bool = False) -> Client:
    return Client(id="c", public=public, redirect_uris=redirect_uris)


class AllowedRedirectURITests(SynchronousTestCase):
    def allowed(self, of: Client, *uris: str, path: str = "/dex") -> None:
        for uri in uris:
            self.assertEqual(allowed_redirect_uri(of, uri, path), uri)

    def refused(self, of: Client, *uris: str, path: str = "/dex") -> None:
        for uri in uris:
            self.assertIsNone(allowed_redirect_uri(of, uri, path), uri)

    def test_31_3_registered_target(self) -> None:
        self.allowed(client("http://x.test/", FOO), FOO)

    def test_OA_01_31_3_target_that_is_not_registered(self) -> None:
        self.refused(client(FOO), "http://foo.com/bar/baz", FOO + "x", "")

    def test_OA_02_comparison_is_exact(self) -> None:
        for public in (False, True):
            self.refused(
                client("https://app.test/cb", public=public),
                "https://app.test/cb/",
                "https://app.test/Cb",
                "https://APP.test/cb",
                "https://app.test/cb?x=1",
                "https://app.test/cb#x",
                "https://app.test/x/../cb",
                "https://app.test/%63b",
                "https://app.test:443/cb",
                "http://app.test/cb",
                "https://evil.app.test/cb",
                "https://app.test/cb/cb",
                " https://app.test/cb",
                "https://app.test/cb\n",
            )

    def test_31_3_public_client_without_targets_may_use_the_special_ones(self) -> None:
        cli = client(public=True)
        self.allowed(cli, OUT_OF_BAND, *LOCAL)

    def test_31_3_public_client_without_targets_has_no_other_freedom(self) -> None:
        self.refused(client(public=True), FOO, "http://localhost.localhost:8080/", "")

    def test_31_3_public_client_with_a_target_has_just_that(self) -> None:
        cli = client(FOO, public=True)
        self.allowed(cli, FOO)
        self.refused(cli, "http://foo.com/bar/baz", OUT_OF_BAND, "/device/callback", *LOCAL)

    def test_31_3_special_targets_may_be_registered(self) -> None:
        for special in (OUT_OF_BAND, "http://localhost:8080/"):
            self.allowed(client(FOO, special, public=True), special)
            self.allowed(client(FOO, special), special)

    def test_5_2_confidential_client_without_targets_has_none(self) -> None:
        self.refused(client(), OUT_OF_BAND, "/device/callback", "/dex/device/callback", *LOCAL)

    def test_5_2_device_callback_of_a_public_client_is_the_one_below_the_issuer(self) -> None:
        for cli in (client(public=True), client(FOO, "/device/callback", public=True)):
            self.assertEqual(allowed_redirect_uri(cli, "/device/callback", "/dex"), "/dex/device/callback")
            self.assertEqual(allowed_redirect_uri(cli, "/device/callback", ""), "/device/callback")

    def test_5_2_device_callback_of_a_confidential_client_stays(self) -> None:
        self.allowed(client("/device/callback"), "/device/callback")
        self.allowed(client("/dex/device/callback"), "/dex/device/callback")

    def test_30_63_public_client_may_use_the_device_callback_below_the_issuer(self) -> None:
        self.allowed(client(public=True), "/dex/device/callback")
        self.refused(client(public=True), "/other/device/callback", "//evil.test/device/callback")


class LoopbackTests(SynchronousTestCase):
    def test_OA_04_loopback_hosts_at_any_port(self) -> None:
        for uri in (
            *LOCAL,
            "http://127.0.0.1:49152/cb",
            "http://[::1]:5/cb",
            "http://localhost:1/x",
            "http://127.8.9.10/",
            "HTTP://localhost/",
            "http://localhost?x=1",
            "http://localhost:/",
            "http://127.0.0.1:65535/",
        ):
            self.assertTrue(is_loopback(uri), uri)

    def test_30_11_ipv6_loopback_without_a_port(self) -> None:
        self.assertTrue(is_loopback("http://[::1]/cb"))
        self.assertTrue(is_loopback("http://[0:0:0:0:0:0:0:1]"))

    def test_OA_04_other_hosts(self) -> None:
        for uri in (
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://0.0.0.0/",
            "https://127.0.0.1/",
            "https://localhost/",
            "http://LOCALHOST/",
            "http://evil.example/",
            "http://[::]/",
            "http://[::2]:80/",
            "http://128.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://localhost./",
            "http://1.0.0.721/",
            "",
            "localhost",
            "//localhost/",
            "http:localhost/",
            "http:/localhost/",
            "http:///localhost/",
            "http://",
            "javascript://localhost/%0aalert(1)",
        ):
            self.assertFalse(is_loopback(uri), uri)

    def test_OA_04_tricks_with_the_authority(self) -> None:
        for uri in (
            "http://127.0.0.1@evil.example/",
            "http://localhost@evil.example/",
            "http://evil.example@localhost/",
            "http://localhost:80@evil.example/",
            "http://[::1]evil.example/",
            "http://evil.example[::1]/",
            "http://[::1]@evil.example/",
            "http://[::1]]/",
            "http://[127.0.0.1]/",
            "http://[localhost]/",
            "http://[::1/",
            "http://[::1%25eth0]/",
            "http://localhost:80evil.example/",
            "http://localhost:80:80/",
            "http://localhost:99999/",
            "http://localhost:-1/",
            "http://localhost:+80/",
            "http://localhost%2eevil.example/",
            "http://localhost\\.evil.example/",
            "http://evil.example\\@localhost/",
            "http://localhost\t.evil.example/",
            "http://localhost\r\nX: y/",
            " http://localhost/",
            "http://localhost/ x",
            "http://localhost/\x7f",
            "http://\u24dbocalhost/",
            "http://\uff1127.0.0.1/",
        ):
            self.assertFalse(is_loopback(uri), uri)

    def test_fragment_is_refused_even_when_empty(self) -> None:
        for uri in ("http://localhost/#x", "http://localhost/#", "http://localhost#@evil.example/"):
            self.assertFalse(is_loopback(uri), uri)


class ResponseInURITests(SynchronousTestCase):
    def test_5_4_parameters_are_sorted_and_encoded(self) -> None:
        self.assertEqual(
            with_query(FOO, [("state", "a b&c=d"), ("code", "ü"), ("iss", "https://idp.test/dex")]),
            "http://foo.com/bar?code=%C3%BC&iss=https%3A%2F%2Fidp.test%2Fdex&state=a+b%26c%3Dd",
        )

    def test_31_4_query_of_the_target_is_kept(self) -> None:
        uri = with_query(
            "https://example.com/callback?existing=param&another=value", [("error", "invalid_scope")]
        )
        self.assertEqual(uri, "https://example.com/callback?another=value&error=invalid_scope&existing=param")

    def test_blank_and_repeated_values_of_the_target_are_kept(self) -> None:
        self.assertEqual(
            with_query("https://x.test/?a=&b=2&b=1", [("c", "3")]), "https://x.test/?a=&b=1&b=2&c=3"
        )

    def test_response_has_each_parameter_once(self) -> None:
        uri = with_query(
            "https://x.test/cb?code=forged&state=forged&k=1", [("code", "real"), ("state", "real")]
        )
        self.assertEqual(uri, "https://x.test/cb?code=real&k=1&state=real")

    def test_target_without_a_path(self) -> None:
        self.assertEqual(with_query("http://localhost:80", [("code", "x")]), "http://localhost:80?code=x")

    def test_path_of_the_device_callback(self) -> None:
        self.assertEqual(with_query("/dex/device/callback", [("code", "x")]), "/dex/device/callback?code=x")

    def test_30_31_fragment_is_encoded_once(self) -> None:
        self.assertEqual(
            with_fragment("https://x.test/cb?k=1#old", [("token_type", "bearer"), ("state", "a b/%")]),
            "https://x.test/cb?k=1#state=a+b%2F%25&token_type=bearer",
        )

    def test_line_ends_never_reach_a_header(self) -> None:
        for build in (with_query, with_fragment):
            self.assertTrue(build(FOO, [("state", "\r\nSet-Cookie: x=y")]).isprintable())
