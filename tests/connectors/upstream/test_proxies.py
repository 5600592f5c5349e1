"""Which calls go through which proxy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.proxies import Proxies, Proxy


class ProxyTests(SynchronousTestCase):
    def test_urls(self) -> None:
        for url, proxy in (
            ("http://proxy.test:3128", Proxy(host="proxy.test", port=3128)),
            ("proxy.test:3128", Proxy(host="proxy.test", port=3128)),
            ("http://proxy.test/", Proxy(host="proxy.test", port=80)),
            ("https://proxy.test", Proxy(host="proxy.test", port=443, tls=True)),
            ("http://[::1]:8080", Proxy(host="::1", port=8080)),
            (
                "http://u%40x:p%3A@proxy.test",
                Proxy(host="proxy.test", port=80, authorization="Basic dUB4OnA6"),
            ),
        ):
            self.assertEqual(Proxy.of(url), proxy)

    def test_what_is_no_proxy_is_refused_without_repeating_it(self) -> None:
        for url in ("socks5://secret@proxy.test", "http://", "http://secret@:80", "http://proxy.test:secret"):
            self.assertNotIn("secret", str(self.assertRaises(ConnectorError, Proxy.of, url)))

    def test_password_is_not_shown(self) -> None:
        self.assertNotIn("authorization", repr(Proxy.of("http://u:p@proxy.test")))


class ProxiesTests(SynchronousTestCase):
    def direct(self, exceptions: str, host: str, port: int = 443) -> bool:
        proxies = Proxies.of({"HTTPS_PROXY": "http://proxy.test", "NO_PROXY": exceptions})
        return proxies.proxy_of("https", host, port) is None

    def test_by_scheme_and_upper_case_first(self) -> None:
        environ = {"https_proxy": "low.test", "HTTPS_PROXY": "up.test", "http_proxy": "plain.test"}
        proxies = Proxies.of(environ)
        found = [proxies.proxy_of(scheme, "op.test", 443) for scheme in ("https", "http")]
        self.assertEqual([each.host for each in found if each], ["up.test", "plain.test"])
        self.assertIsNone(
            Proxies.of({"HTTP_PROXY": "x.test", "HTTPS_PROXY": ""}).proxy_of("https", "op.test", 443)
        )

    def test_exceptions(self) -> None:
        for exceptions, host in (
            ("op.test", "op.test"),
            ("op.test", "OP.Test."),
            ("op.test", "login.op.test"),
            (".op.test", "login.op.test"),
            ("*.op.test", "login.op.test"),
            ("other.test, op.test ,", "op.test"),
            ("*", "op.test"),
            ("op.test:443", "op.test"),
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.0/24", "192.0.2.200"),
            ("2001:db8::/32", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
        ):
            self.assertTrue(self.direct(exceptions, host), (exceptions, host))
        for exceptions, host in (
            ("", "op.test"),
            ("op.test", "notop.test"),
            (".op.test", "op.test"),
            ("op.test:8443", "op.test"),
            ("192.0.2.0/24", "192.0.3.1"),
            ("192.0.2.0/24", "op.test"),
            ("login.op.test", "op.test"),
        ):
            self.assertFalse(self.direct(exceptions, host), (exceptions, host))

    def test_this_machine_is_asked_directly(self) -> None:
        for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
            self.assertTrue(self.direct("", host))

    @given(st.text(), st.text())
    def test_any_text_may_be_an_exception(self, exceptions: str, host: str) -> None:
        self.assertIsInstance(self.direct(exceptions, host), bool)
