"""A client of the daemon that waits for its answers, and may get none; many can be used in threads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import attrs
import requests

from tests.flows.browser import Form, forms_of
from tests.flows.daemon import CALLBACK
from tests.peers.daemon_process import DaemonProcess
from tests.secrecy import WATCH

#: Nobody waits longer for an answer, whatever is wrong (RL-05).
PATIENCE = 5.0


@attrs.frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str
    url: str

    @property
    def error(self) -> str:
        """The error of an OAuth answer; empty for none."""
        return str(self.json.get("error", ""))

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def location(self) -> str:
        """Where it sends the browser; empty for nowhere."""
        target = self.headers.get("location", "")
        return urljoin(self.url, target) if target else ""

    @property
    def try_later(self) -> bool:
        """Whether it says that the server cannot do this now, and when to come again."""
        return self.status == 503 and self.headers.get("retry-after", "").isdigit()

    def form(self, value: str | None = None) -> Form:
        """The first form of a page, or the first with a field of that value."""
        for form in forms_of(self.url, self.text):
            if value is None or value in form.fields.values():
                return form
        raise LookupError(f"no such form at {self.url} ({self.status}): {self.text[:1000]}")


@attrs.frozen(kw_only=True)
class Party:
    """The client `app`, unless told otherwise, and the browser of one person."""

    daemon: DaemonProcess
    client_id: str = "app"
    secret: str = "app-secret"
    patience: float = PATIENCE
    _session: requests.Session = attrs.field(factory=requests.Session)

    @property
    def cookies(self) -> str:
        """What its browser sends as Cookie."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)

    def beside(self) -> Party:
        """The same client over a connection of its own, for another thread."""
        return Party(daemon=self.daemon, client_id=self.client_id, secret=self.secret, patience=self.patience)

    def another_tab(self) -> Party:
        """The same browser over a connection of its own, for another thread."""
        tab = self.beside()
        tab._session.cookies.update(self._session.cookies)
        return tab

    def leave(self) -> None:
        """Close the connection."""
        self._session.close()

    def ask(self, method: str, url: str, **options: Any) -> Answer | None:
        """One request; None where no answer came. Raises requests.Timeout when it did not come in time."""
        WATCH.note_request(url, body=urlencode(options.get("data") or {}))
        try:
            answer = self._session.request(
                method, url, allow_redirects=False, timeout=self.patience, **options
            )
        except requests.Timeout:
            raise
        except requests.RequestException:
            return None
        cookie = answer.headers.get("set-cookie")
        WATCH.note_answer(
            location=answer.headers.get("location", ""),
            cookies=[cookie] if cookie else [],
            body=answer.text,
        )
        return Answer(answer.status_code, answer.headers, answer.text, url)

    def get(self, path: str) -> Answer:
        """What is at a path of the daemon's, which must answer."""
        return self._certain(self.ask("GET", self.daemon.issuer + path))

    def post(self, path: str, **fields: str) -> Answer:
        """What is answered to a form at a path of the daemon's, without authentication."""
        return self._certain(self.ask("POST", self.daemon.issuer + path, data=fields))

    def begin(self, connector_id: str, **params: str) -> Answer:
        """The answer to an authorization request: where to go, or a page."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email offline_access",
            **params,
        }
        return self.get(f"/auth/{connector_id}?{urlencode(asked)}")

    def follow(self, answer: Answer) -> Answer:
        """Go where answers send the browser, up to a page or the client's address."""
        for _ in range(10):
            if not answer.location or answer.location.startswith(CALLBACK):
                return answer
            answer = self._certain(self.ask("GET", answer.location))
        raise AssertionError("too many redirects")

    def submit(self, form: Form, **typed: str) -> Answer:
        """Send a form; the answer, not followed."""
        return self._certain(self.ask(form.method, form.action, data={**form.fields, **typed}))

    def password_form(self) -> Form:
        """The form that asks for a local user's password."""
        return self.follow(self.begin("local")).form()

    def log_in(self) -> str:
        """The code of a login that needs no typing."""
        return code_of(self.follow(self.begin("mock")))

    def redeem(self, code: str) -> Answer | None:
        """What the token endpoint says to a code."""
        return self._token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

    def refresh(self, refresh_token: str) -> Answer | None:
        """What the token endpoint says to a refresh token."""
        return self._token(grant_type="refresh_token", refresh_token=refresh_token)

    def refresh_token(self) -> str:
        """A new refresh token."""
        return str(self._certain(self.redeem(self.log_in())).json["refresh_token"])

    def _token(self, **params: str) -> Answer | None:
        return self.ask(
            "POST", self.daemon.issuer + "/token", data=params, auth=(self.client_id, self.secret)
        )

    @staticmethod
    def _certain(answer: Answer | None) -> Answer:
        assert answer is not None, "no answer"
        return answer


def code_of(answer: Answer) -> str:
    """The code that an answer takes to the client."""
    assert answer.location.startswith(CALLBACK), f"{answer.status} {answer.text[:300]}"
    return parse_qs(urlsplit(answer.location).query)["code"][0]
