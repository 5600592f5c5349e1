"""The pages in a real browser: whole logins, the browser's own buttons, and the rules of accessibility."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.faults.passwords import LOGIN, PASSWORD, flora
from tests.peers.callback_server import CallbackServer
from tests.peers.chrome import LOOKS, Window, missing_chromium
from tests.peers.daemon_process import DaemonProcess

LOCAL = "a[href*='/auth/local?']"
NAME, SECRET, SUBMIT = "input[name=login]", "input[name=password]", "form button"
ALLOW = "form:has(input[value=approve]) button"


class ChromiumCase(SynchronousTestCase):
    """A daemon, a client and a window."""

    if reason := missing_chromium():
        skip = reason

    #: who looks, for messages.
    eyes = LOOKS[0].name

    def setUp(self) -> None:
        self.client = CallbackServer()
        self.addCleanup(self.client.close)
        clients = [
            {"id": "web", "name": "Web Shop", "secret": "web-secret", "redirectURIs": [self.client.url]},
            {"id": "tv", "name": "Television", "public": True},
        ]
        over = {"oauth2": {"skipApprovalScreen": False}, "staticClients": clients, **flora()}
        self.daemon = DaemonProcess(Path(self.mktemp()).absolute(), over)
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        self.window = Window()
        self.addCleanup(self.window.close)

    def ask(self, **more: str) -> None:
        """Arrive with an authorization request."""
        asked = {
            "client_id": "web",
            "redirect_uri": self.client.url,
            "response_type": "code",
            "scope": "openid profile email groups offline_access",
            "state": "the state",
            **more,
        }
        self.window.get(f"{self.daemon.issuer}/auth?{urlencode(asked)}")

    def sign_in(self, password: str = PASSWORD) -> None:
        """Fill in the password form and send it."""
        self.window.type(NAME, LOGIN)
        self.window.type(SECRET, password)
        self.window.click(SUBMIT)

    def assert_page(self, status: int, heading: str) -> None:
        """It is that page, and the console is silent about it."""
        found = (self.window.status, self.window.complaints())
        self.assertEqual((status, []), found, f"{self.eyes}: {self.window.text}")
        self.assertIn(heading, self.window.one("h1").text)


class LoginTests(ChromiumCase):
    """From the client and back to it."""

    def test_everybody_gets_through_whatever_their_browser_is_like(self) -> None:
        for look in LOOKS:
            for scripts in (True, False):
                self.eyes = f"{look.name}, {'with' if scripts else 'without'} scripts"
                self.window.begin(look, scripts=scripts)
                self.walk(scripts)

    def walk(self, scripts: bool) -> None:
        window = self.window
        self.ask()
        self.assert_page(200, "Sign in")
        window.click(LOCAL)
        self.assert_page(200, "Sign in")
        self.sign_in("a-wrong-word 2")
        self.assert_page(401, "Sign in")
        self.assertEqual(LOGIN, window.one(NAME).get_attribute("value"))
        self.sign_in()
        self.assert_page(200, "Allow Web Shop?")
        window.click(ALLOW)
        self.assertTrue(window.url.startswith(self.client.url), window.url)
        self.assertIn("With scripts." if scripts else "Without scripts.", window.text)
        self.assertEqual([], window.complaints())
        answer = self.client.answers[-1]
        self.assertEqual(("the state", self.daemon.issuer), (answer["state"], answer["iss"]))
        tokens = requests.post(
            self.daemon.issuer + "/token",
            data={
                "grant_type": "authorization_code",
                "code": answer["code"],
                "redirect_uri": self.client.url,
            },
            auth=("web", "web-secret"),
            timeout=10,
        )
        self.assertEqual(200, tokens.status_code, tokens.text)


class ButtonTests(ChromiumCase):
    """Back and reload, at every step."""

    def test_back_and_reload_harm_nobody(self) -> None:
        window = self.window
        window.begin(LOOKS[0])
        self.ask()
        window.reload()
        self.assert_page(200, "Sign in")
        window.click(LOCAL)
        window.reload()
        self.assert_page(200, "Sign in")
        window.back()
        window.click(LOCAL)
        self.sign_in()
        window.reload()
        self.assert_page(200, "Allow Web Shop?")
        # Back to the form, which is still good.
        window.back()
        self.assert_page_of_ours()
        window.one(SECRET)
        self.sign_in()
        self.assert_page(200, "Allow Web Shop?")
        window.click(ALLOW)
        self.assertTrue(window.url.startswith(self.client.url), window.url)
        for _ in range(4):
            window.back()
            if not window.url.startswith(self.daemon.issuer):
                break
            self.assert_page_of_ours()
            window.reload()
            self.assert_page_of_ours()
        self.ask()
        window.click(LOCAL)
        self.sign_in()
        window.click(ALLOW)
        self.assertEqual(2, len([answer for answer in self.client.answers if "code" in answer]))

    def test_wrong_password_can_be_sent_again(self) -> None:
        self.window.begin(LOOKS[0])
        self.ask(connector_id="local")
        self.sign_in("a-wrong-word 2")
        self.window.reload()
        self.assert_page(401, "Sign in")
        self.sign_in()
        self.assert_page(200, "Allow Web Shop?")

    def assert_page_of_ours(self) -> None:
        """It has a heading, and is not the page of a server that broke."""
        self.assertLess(self.window.status, 500)
        self.assertTrue(self.window.one("h1").text)
        self.assertEqual([], self.window.complaints())


class AccessibilityTests(ChromiumCase):
    """Every page there is, as axe-core sees it."""

    def test_axe_finds_nothing(self) -> None:
        for look in LOOKS:
            self.window.begin(look)
            for page, go in self.pages().items():
                go()
                self.assertEqual([], self.window.violations(), f"{page}, {look.name}")
                self.assertEqual(0, self.window.overhang(), f"scrolling sideways: {page}, {look.name}")
                self.assertEqual([], self.window.complaints(), f"{page}, {look.name}")

    def pages(self) -> dict[str, Callable[[], None]]:
        """The pages, in the order in which each leads to the next or stands alone."""
        window, issuer = self.window, self.daemon.issuer
        device = requests.post(
            issuer + "/device/code", data={"client_id": "tv", "scope": "openid"}, timeout=10
        ).json()
        return {
            "home": lambda: window.get(issuer),
            "error": lambda: window.get(issuer + "/auth?client_id=nobody"),
            "choice": self.ask,
            "password": lambda: window.click(LOCAL),
            "wrong password": lambda: self.sign_in("a-wrong-word 2"),
            "consent": self.sign_in,
            "device": lambda: window.get(issuer + "/device"),
            "wrong user code": lambda: self.enter("BBBB-BBBB"),
            "consent for a device": lambda: self.to_the_device(device["user_code"]),
            "device success": lambda: window.click(ALLOW),
        }

    def enter(self, user_code: str) -> None:
        """Type a device's code."""
        self.window.type("input[name=user_code]", user_code)
        self.window.click(SUBMIT)

    def to_the_device(self, user_code: str) -> None:
        """Sign a device in, up to the question."""
        self.enter(user_code)
        self.window.click(LOCAL)
        self.sign_in()
