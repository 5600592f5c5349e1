"""Addresses under the issuer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.issuer import Issuer


class IssuerTests(SynchronousTestCase):
    def test_addresses_are_below_the_issuers_path(self) -> None:
        issuer = Issuer("https://idp.test/dex")
        self.assertEqual(issuer.path, "/dex")
        self.assertEqual(issuer.path_of("/auth/mock"), "/dex/auth/mock")
        self.assertEqual(issuer.url_of("/token"), "https://idp.test/dex/token")

    def test_2_1_home_page_has_no_trailing_slash_below_a_path(self) -> None:
        self.assertEqual(Issuer("https://idp.test/dex").path_of("/"), "/dex")
        self.assertEqual(Issuer("https://idp.test/dex").url_of("/"), "https://idp.test/dex")
        self.assertEqual(Issuer("https://idp.test").path_of("/"), "/")

    def test_issuer_without_a_path(self) -> None:
        for url in ("http://127.0.0.1:5556", "http://127.0.0.1:5556/"):
            self.assertEqual(Issuer(url).path, "")
            self.assertEqual(Issuer(url).url_of("/keys"), "http://127.0.0.1:5556/keys")

    def test_trailing_slash_is_not_doubled_and_the_issuer_stays_as_written(self) -> None:
        issuer = Issuer("https://idp.test/a/b/")
        self.assertEqual(issuer.url, "https://idp.test/a/b/")
        self.assertEqual(issuer.url_of("/keys"), "https://idp.test/a/b/keys")

    def test_https_makes_cookies_secure(self) -> None:
        self.assertTrue(Issuer("HTTPS://idp.test").is_https)
        self.assertFalse(Issuer("http://idp.test/https:").is_https)
