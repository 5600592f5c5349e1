"""Which addresses the daemon writes: those of the configuration, whatever a request says of itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.flows.browser import Browser, Page
from tests.flows.daemon import CALLBACK, FlowCase, Running
from tests.flows.relying_party import RelyingParty

FORGED = {
    "Host": "evil.example",
    "Forwarded": "host=evil.example;proto=http;for=203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-Proto": "http",
    "X-Original-URL": "/evil.example",
}
MARKUP = "\"'><script>alert(1)</script>"


class AddressTests(FlowCase):
    """Host, forwarding headers and redirects."""

    async def behind_tls(self) -> tuple[Running, str]:
        """A daemon whose issuer is at a proxy that ends TLS, and where it really listens."""
        running = await self.start({"issuer": "https://idp.test/dex"})
        listening = running.daemon.config.web.http
        assert listening is not None
        return running, f"http://{listening.host}:{listening.port}/dex"

    async def forged(self, url: str, method: str = "GET", data: bytes | None = None) -> Page:
        """The answer to a request that says it was sent elsewhere."""
        return await Browser().request(method, url, data=data, headers=FORGED)

    async def test_wb03_discovery_is_that_of_the_issuer(self) -> None:
        _, address = await self.behind_tls()
        for path in ("/.well-known/openid-configuration", "/keys", ""):
            plain = await Browser().request("GET", address + path)
            self.assertEqual(200, plain.status)
            self.assertEqual(plain.body, (await self.forged(address + path)).body)

    async def test_wb03_redirects_links_and_cookies_are_those_of_the_issuer(self) -> None:
        running, address = await self.behind_tls()
        rp = RelyingParty(running=running)
        query = urlsplit(rp.authorize_url()).query
        to_client = urlsplit(rp.authorize_url(scope="openid made-up")).query
        pages = [
            await self.forged(f"{address}/auth?{query}"),
            await self.forged(f"{address}/auth", "POST", query.encode()),
            await self.forged(f"{address}/auth/mock?{query}"),
            await self.forged(f"{address}/auth/local?{query}"),
            await self.forged(f"{address}/auth/local?{to_client}"),
            await self.forged(f"{address}/device"),
            await self.forged(f"{address}/auth"),
            await self.forged(f"{address}/absent"),
            await self.forged(f"{address}/device/code", "POST", b"client_id=cli&scope=openid"),
        ]
        self.assertEqual([200, 200, 302, 302, 303, 200, 400, 404, 200], [page.status for page in pages])
        for page in pages:
            said = b"\n".join(value for _, values in page.headers.getAllRawHeaders() for value in values)
            self.assertNotIn(b"evil.example", said + page.body)
            self.assertNotIn(b":666", said + page.body)
            if (location := page.header("location")) is not None:
                self.assertTrue(location.startswith(("/dex/", "https://idp.test/dex/", CALLBACK)), location)
            if (cookie := page.header("set-cookie")) is not None:
                self.assertIn("; Secure", cookie)
                self.assertNotIn("Domain", cookie)

    async def test_paths_that_are_no_text_are_not_found_and_not_logged_as_bugs(self) -> None:
        running = await self.start()
        for path in ("/%ff", "/static/%ff", "/auth/%c0%80/..", "/static/%c3/%a9"):
            page = await Browser().request("GET", running.issuer + path)
            self.assertEqual((404, b"404 page not found\n"), (page.status, page.body), path)
        self.assertEqual([], self.flushLoggedErrors())

    async def test_wb09_redirects_have_no_body_whatever_their_target_holds(self) -> None:
        uri = f"{CALLBACK}?a={MARKUP}"
        client = {"id": "app", "name": "App", "secret": "app-secret", "redirectURIs": [uri]}
        running = await self.start({"staticClients": [client], "connectors": None, "enablePasswordDB": True})
        rp = RelyingParty(running=running, redirect_uri=uri)
        for url in (
            rp.authorize_url("/auth", state=MARKUP),
            rp.authorize_url("/auth/local", state=MARKUP, login_hint=MARKUP),
            rp.authorize_url("/auth/local", state=MARKUP, scope=f"openid {MARKUP}"),
            rp.authorize_url("/auth", prompt="none", state=MARKUP),
        ):
            page = await Browser().request("GET", url)
            self.assertIn(page.status, (302, 303), page.text)
            self.assertEqual(b"", page.body)
            self.assertNotIn("<", page.location)
