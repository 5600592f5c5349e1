"""A real Chromium without a screen, which reaches nothing but this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.secrecy import WATCH

T = TypeVar("T")

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
#: WCAG 2.2, levels A and AA.
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_SECONDS = 20.0
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def missing_chromium() -> str:
    """What this machine lacks; empty for nothing."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"missing peer: {program}"
    return "" if AXE.exists() else "missing peer: axe-core (make test installs it with npm)"


@attrs.frozen(kw_only=True)
class Look:
    """How somebody looks at pages."""

    name: str
    width: int
    height: int
    dark: bool


LOOKS = tuple(
    Look(name=f"{device}, {'dark' if dark else 'light'}", width=width, height=height, dark=dark)
    for device, width, height in (("phone", 390, 844), ("desktop", 1280, 900))
    for dark in (False, True)
)


class Window:
    """One window of a browser of its own; at first, a desktop in the light with scripts.

    It shows its Kerberos tickets to the host `tickets_for` alone, as the policy AuthServerAllowlist says.
    """

    def __init__(self, *, tickets_for: str = "", environ: Mapping[str, str] | None = None) -> None:
        self._profile = tempfile.mkdtemp()
        options = ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for switch in (
            *_SWITCHES,
            f"--auth-server-allowlist={tickets_for}",
            f"--user-data-dir={self._profile}",
        ):
            options.add_argument(switch)
        # It loads GSSAPI when it starts, and only if it has been asked for a ticket before.
        options.add_experimental_option("localState", {"net.received_http_auth_negotiate_headers": True})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(shutil.which("chromedriver"), env={**os.environ, **(environ or {})})
        self._driver = Chrome(options=options, service=service)
        self._driver.set_page_load_timeout(_SECONDS)

    def close(self) -> None:
        """End the browser."""
        self._driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def begin(self, look: Look, *, scripts: bool = True) -> None:
        """Be somebody else: with that look, and no cookies."""
        self._driver.delete_all_cookies()
        self._command("Network.clearBrowserCookies")
        self._command(
            "Emulation.setDeviceMetricsOverride",
            width=look.width,
            height=look.height,
            deviceScaleFactor=1,
            mobile=look.width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self._command("Emulation.setScriptExecutionDisabled", value=not scripts)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._driver.current_url

    @property
    def text(self) -> str:
        """What can be read."""
        return self.one("body").text

    @property
    def title(self) -> str:
        """The page's title."""
        return self._driver.title

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        return int(self.script("return performance.getEntriesByType('navigation')[0].responseStatus"))

    def get(self, url: str) -> None:
        """Go there."""
        self._driver.get(url)
        self._note()

    def back(self) -> None:
        """Press the browser's button."""
        self._driver.back()

    def reload(self) -> None:
        """Press the browser's button; a form is sent again."""
        self._driver.refresh()

    def all(self, css: str) -> Sequence[WebElement]:
        """What is selected."""
        return self._driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        """The first that is selected, once it is there."""
        return self.until(lambda: next(iter(self.all(css)), None), css)

    def type(self, css: str, text: str) -> None:
        """Fill in a field."""
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    def click(self, css: str) -> None:
        """Click, and wait until another page is there."""
        element = self.one(css)
        element.click()
        self.until(lambda: _is_gone(element), f"another page after {css}")
        self.one("body")
        self._note()

    def until(self, found: Callable[[], T | None], what: str) -> T:
        """What is found in time."""
        end = time.monotonic() + _SECONDS
        while not (result := found()):
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come at {self.url}: {self._driver.page_source[:2000]}")
            time.sleep(0.05)
        return result

    def complaints(self) -> list[str]:
        """What the console complained of since it was last asked; the status of a page is none."""
        entries: list[dict[str, Any]] = self._driver.get_log("browser")
        messages = [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
        return [message for message in messages if "the server responded with a status of 4" not in message]

    def violations(self) -> list[str]:
        """What axe-core finds against the rules of accessibility, and where."""
        self.script(AXE.read_text())
        found: list[dict[str, Any]] = self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {runOnly: arguments[0]})"
            ".then(r => done(r.violations), e => done([{id: String(e), nodes: []}]));",
            _RULES,
        )
        return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes'][:3]]}" for rule in found]

    def overhang(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.script("const e = document.documentElement; return e.scrollWidth - e.clientWidth"))

    def script(self, source: str) -> Any:
        """What a script returns."""
        return self._driver.execute_script(source)

    def _command(self, name: str, **arguments: object) -> None:
        self._driver.execute_cdp_cmd(name, arguments)

    def _note(self) -> None:
        """Have the secrets known that the browser now has."""
        WATCH.note_url(self.url)
        for cookie in self._driver.get_cookies():
            WATCH.note("cookie", cookie["value"])


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except WebDriverException:
        # Between two pages there are other errors than that it is stale.
        return True
    return False
