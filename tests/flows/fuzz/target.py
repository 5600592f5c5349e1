"""A daemon to which all of it is sent, and what it has given out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
from twisted.internet.address import IPv4Address
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.oauth.grant_types import AUTHORIZATION_CODE, DEVICE_CODE
from dextwist.storage.interface import every
from dextwist.web.http import Response
from tests.direct import ISSUER, ORIGIN, Answer, Direct
from tests.flows.browser import Form, forms_of, links_of
from tests.flows.daemon import PASSWORD_HASH
from tests.flows.fuzz.answers import Check
from tests.flows.fuzz.requests import Ask, Param, joined
from tests.flows.fuzz.values import CALLBACK, MARKUP, SECRET, Given, as_bytes
from tests.web.front.front_case import Connection, TCPTransport

#: as many as `prepare` leaves.
PENDING = 4
CONFIG: Mapping[str, Any] = {
    "oauth2": {
        "responseTypes": ["code", "token", "id_token"],
        "passwordConnector": "pw",
        "grantTypes": [
            "authorization_code",
            "client_credentials",
            "implicit",
            "password",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
    },
    "web": {
        "http": "127.0.0.1:5556",
        "allowedOrigins": ["https://app.example", "null"],
        "limits": {"maxPendingLogins": PENDING},
        "clientRemoteIP": {"header": "X-Forwarded-For", "trustedProxies": ["192.0.2.0/24"]},
    },
    "enablePasswordDB": True,
    "staticPasswords": [
        {"email": "jane@example.com", "hash": PASSWORD_HASH, "username": "jane", "userID": "jane-id"}
    ],
    "connectors": [
        {"type": "mockCallback", "id": "mock", "name": "Mock"},
        {"type": "mockPassword", "id": "pw", "name": "Pw", "config": {"username": "u", "password": "p"}},
    ],
    "staticClients": [
        {"id": "app", "name": f"App {MARKUP}", "secret": SECRET, "redirectURIs": [CALLBACK]},
        {"id": "other", "name": "Other", "secret": SECRET[::-1], "redirectURIs": [CALLBACK]},
        {"id": "cli", "name": "Cli", "public": True},
    ],
}


@attrs.frozen
class Follow:
    """Go where an answer sent a browser: that one, or another."""

    which: int
    other_browser: bool


@attrs.frozen
class Submit:
    """Send a form that a browser got, perhaps changed, from that browser or another."""

    which: int
    changed: tuple[Param, ...]
    other_browser: bool


@attrs.frozen
class Wait:
    """Let time pass."""

    seconds: int


Step = Ask | Follow | Submit | Wait


@attrs.define
class Target:
    """A daemon, and all that it has given out."""

    test: SynchronousTestCase
    d: Direct
    #: what requests can be made of, by its name; the latest is last.
    known: dict[str, list[str]] = attrs.field(init=False)
    #: each with the cookie of the browser that got it.
    forms: list[tuple[Form, str]] = attrs.field(factory=list, init=False)
    locations: list[tuple[str, str]] = attrs.field(factory=list, init=False)
    #: codes and device codes that were redeemed.
    spent: set[str] = attrs.field(factory=set, init=False)

    @known.default
    def _from_the_configuration(self) -> dict[str, list[str]]:
        return {
            "issuer": [ISSUER],
            "now": [str(int(self.d.clock.seconds()))],
            "client_id": ["nobody", "cli", "other", "app"],
            "client_secret": [SECRET[::-1], SECRET],
            "redirect_uri": [CALLBACK + "x", "http://127.0.0.1:7/cb", CALLBACK],
        }

    # -- before and after

    def begin(self, connector_id: str) -> Answer:
        """The beginning of a login."""
        params = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code"}
        return self.d.get(f"/auth/{connector_id}", scope="openid offline_access", **params)

    def enter(self, user_code: str) -> Answer:
        """The question for consent to a device's login."""
        choice = self.d.submit(self.d.get("/device"), "user_code", user_code=user_code)
        (link,) = (each for each in links_of(choice.url, choice.response.body.decode()) if "/mock?" in each)
        entered = self.d.ask("GET", link.removeprefix(ORIGIN))
        assert entered is not None
        return self.d.follow(entered)

    def log_in(self) -> Answer:
        """A whole login, as far as the client."""
        end = self.d.submit(self.d.follow(self.begin("mock")), "approval", "approve")
        self.test.assertIn("code", end.params, end)
        return end

    def redeem(self, end: Answer) -> Answer:
        """The tokens for its code."""
        return self.d.post(
            "/token",
            ("app", SECRET),
            grant_type="authorization_code",
            code=end.params["code"],
            redirect_uri=CALLBACK,
        )

    def prepare(self) -> None:
        """Somebody has logged in, others are about to, and a device waits."""
        self.learn(self.redeem(self.log_in()))
        self.learn(self.log_in())
        for _ in range(2):
            self.learn(self.d.post("/device/code", client_id="cli", scope="openid offline_access"))
        user_code = self.known["user_code"][0]
        for begin in (
            lambda person: person.begin("mock"),
            lambda person: person.d.follow(person.begin("mock")),
            lambda person: person.d.follow(person.begin("pw")),
            lambda person: person.enter(user_code),
            lambda person: person.d.get("/device"),
        ):
            person = Target(self.test, Direct(self.d.daemon, self.d.clock))
            self.learn(begin(person), person.d.cookies.get("dex_login", ""))

    def check_that_all_is_well(self) -> None:
        """A login works, and the storage holds together."""
        self.d.cookies.clear()
        tokens = self.redeem(self.log_in()).json
        self.test.assertEqual(200, self.d.post("/userinfo", bearer=tokens["access_token"]).status)
        outcome, storage = self.d.clock.outcome, self.d.daemon.storage
        for kind in ALL_KINDS:
            outcome(every(storage, kind))
        # From the two addresses that requests come from.
        self.test.assertLessEqual(len(outcome(every(storage, AUTH_REQUESTS))), 2 * PENDING)
        sessions = outcome(every(storage, OFFLINE_SESSIONS))
        self.test.assertEqual(
            {token.id for token in outcome(every(storage, REFRESH_TOKENS))},
            {token_id for session in sessions for token_id in session.refresh},
        )

    # -- requests

    def take(self, step: Step) -> None:
        """Do it, and check the answer."""
        match step:
            case Wait(seconds):
                self.d.clock.advance(seconds)
                self.known["now"].append(str(int(self.d.clock.seconds())))
            case Follow(which, other_browser):
                location, own = self.locations[-1 - which % len(self.locations)]
                cookie = Given("cookie", 1) if other_browser else own.encode()
                self.ask(Ask(method=b"GET", path=location.encode(), cookie=cookie))
            case Submit(which, changed, other_browser):
                form, own = self.forms[-1 - which % len(self.forms)]
                cookie = Given("cookie", 1) if other_browser else own.encode()
                names = {param.name for param in changed}
                kept = [
                    Param(n.encode(), v.encode()) for n, v in form.fields.items() if n.encode() not in names
                ]
                self.ask(
                    Ask(
                        method=form.method.encode(),
                        path=form.action.removeprefix(ORIGIN).encode(),
                        body=(*kept, *changed),
                        cookie=cookie,
                    )
                )
            case Ask():
                self.ask(step)

    def ask(self, ask: Ask) -> None:
        """One request on a connection of its own; its answer is checked, and learned from."""
        sent = ask.sent(self.known)
        with capturedLogs() as logged:
            received = self._received(sent)
        errors = self.test.flushLoggedErrors()
        self.test.assertEqual([], [str(error) for error in errors], sent)
        severe = [event for event in logged if event["log_level"] >= LogLevel.error]
        self.test.assertEqual([], severe, sent)
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in lines[1:]]
        response = Response(int(lines[0].split()[1]), tuple((name, value) for name, _, value in pairs), body)
        url = ORIGIN + sent.split(b" ")[1].decode()
        check = Check(test=self.test, ask=ask, url=url, response=response)
        check.everything(self.d.daemon.front.table.find(urlsplit(url).path))
        self._note_redemption(ask, response)
        cookie = b"" if ask.cookie is None else as_bytes(ask.cookie, self.known)
        self.learn(Answer(response, url), cookie.decode("utf-8", "replace"))

    def _received(self, sent: bytes) -> bytes:
        connection = Connection(
            self.d.daemon.front.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40000)), TCPTransport()
        )
        connection.channel.makeConnection(connection.transport)
        connection.channel.dataReceived(sent)
        self.d.clock.wait_until(lambda: connection.ended)
        received = connection.received()
        connection.hang_up()
        return received

    def _note_redemption(self, ask: Ask, response: Response) -> None:
        """Codes work once."""
        answered = (ask.method, ask.path, response.status) == (b"POST", b"/dex/token", 200)
        if not answered or isinstance(ask.body, bytes):
            return
        form = dict(parse_qsl(joined(ask.body, self.known).decode()))
        name = {AUTHORIZATION_CODE: "code", DEVICE_CODE: "device_code"}.get(form["grant_type"])
        if name is not None:
            self.test.assertNotIn(form[name], self.spent)
            self.spent.add(form[name])

    # -- what can be learned

    def learn(self, answer: Answer, cookie: str = "") -> None:
        """Remember what the answer gave out to the browser with this cookie."""
        response = answer.response
        for name, value in response.headers:
            if name == "Set-Cookie":
                cookie = value.partition(";")[0].partition("=")[2]
                self._know("cookie", cookie)
        if answer.location:
            self._know_all(answer.params)
            if answer.location.startswith(("/", ISSUER)):
                self.locations.append((answer.location.removeprefix(ORIGIN), cookie))
        content_type = dict(response.headers).get("Content-Type", "")
        if content_type == "application/json" and response.body:
            content = json.loads(response.body)
            self._know_all({name: value for name, value in content.items() if isinstance(value, str)})
        if content_type.startswith("text/html"):
            page = response.body.decode()
            for link in links_of(answer.url, page):
                if link.startswith(ISSUER):
                    self.locations.append((link.removeprefix(ORIGIN), cookie))
            for form in forms_of(answer.url, page):
                self.forms.append((form, cookie))
                self._know_all(form.fields)
                self._know_all(dict(parse_qsl(urlsplit(form.action).query)))

    def _know_all(self, found: Mapping[str, str]) -> None:
        for name, value in found.items():
            if value:
                self._know(name, value)

    def _know(self, name: str, value: str) -> None:
        self.known.setdefault(name, []).append(value)
