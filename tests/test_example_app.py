"""The example application, as its readers start it: it logs in, refreshes, asks for userinfo and forgets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import FlowCase, Running, free_port

SCRIPT = Path(__file__).parent.parent / "examples" / "example-app" / "example_app.py"
CLIENT_ID, SECRET = "the-example", "the-secret-of-the-example"


class ExampleAppTests(FlowCase):
    """A person with a browser, the application in a process of its own, the daemon in this one."""

    def setUp(self) -> None:
        self.app = f"http://127.0.0.1:{free_port()}"
        self.browser = Browser()

    async def begin(self) -> Running:
        """A daemon that knows the application, and the application."""
        client = {
            "id": CLIENT_ID,
            "name": "Example",
            "secret": SECRET,
            "redirectURIs": [f"{self.app}/callback"],
        }
        running = await self.start({"staticClients": [client]})
        options = ("--issuer", running.issuer, "--client-id", CLIENT_ID, "--client-secret", SECRET)
        command = [sys.executable, str(SCRIPT), *options, "--url", self.app]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        self.assertEqual(f"Example App: open {self.app}/\n", process.stdout.readline())
        return running

    async def page(self, url: str) -> Page:
        page = await self.browser.visit(url)
        assert isinstance(page, Page), page
        return page

    async def press(self, page: Page, action: str) -> Page | AtClient:
        """Press the button that goes there."""
        (form,) = [form for form in page.forms if form.action == self.app + action]
        return await self.browser.submit(page, form)

    async def log_in(self) -> Page:
        """From the application's button back to its home page."""
        at_provider = await self.press(await self.page(f"{self.app}/"), "/login")
        assert isinstance(at_provider, AtClient)
        choice = await self.page(at_provider.url)
        back = await self.browser.visit(choice.link("/auth/mock"))
        assert isinstance(back, AtClient)
        return await self.page(back.url)

    async def test_logs_in_refreshes_asks_and_forgets(self) -> None:
        running = await self.begin()
        self.assertIn("You are not logged in", (await self.page(f"{self.app}/")).text)
        home = await self.log_in()
        self.assertIn("The ID token says", home.text)
        for claim in ('"name": "Kilgore Trout"', f'"aud": "{CLIENT_ID}"', f'"iss": "{running.issuer}"'):
            self.assertIn(claim, home.text)
        refreshed = await self.press(home, "/refresh")
        assert isinstance(refreshed, Page)
        self.assertIn('"name": "Kilgore Trout"', refreshed.text)
        self.assertNotEqual(home.text, refreshed.text, "it speaks of another access token")
        told = await self.press(refreshed, "/userinfo")
        assert isinstance(told, Page)
        self.assertIn("The userinfo endpoint says", told.text)
        self.assertIn('"email": "kilgore@kilgore.trout"', told.text)
        forgotten = await self.press(home, "/forget")
        assert isinstance(forgotten, Page)
        self.assertIn("You are not logged in", forgotten.text)

    async def test_answers_that_it_did_not_ask_for_are_refused(self) -> None:
        await self.begin()
        home = await self.log_in()
        self.assertIn("The ID token says", home.text)
        for query in ("code=x&state=y", "error=access_denied&state=", ""):
            refused = await self.page(f"{self.app}/callback?{query}")
            self.assertEqual(400, refused.status)
            self.assertIn("not the answer to the login that began in this browser", refused.text)

    async def test_refusal_at_the_provider_is_told(self) -> None:
        await self.begin()
        at_provider = await self.press(await self.page(f"{self.app}/"), "/login")
        assert isinstance(at_provider, AtClient)
        back = await self.browser.visit(at_provider.url + "&prompt=none")
        assert isinstance(back, AtClient)
        self.assertEqual("login_required", back.params["error"])
        told = await self.page(back.url)
        self.assertEqual(400, told.status)
        self.assertIn("login_required", told.text)
