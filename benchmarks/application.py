"""A simulated client: one person with a browser, and the application that person logs in to."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import attrs
import orjson

from benchmarks.daemon import CLIENT_ID, CLIENT_SECRET, PASSWORD, REDIRECT_URI
from benchmarks.http_client import Answer, HTTPClient, WrongAnswer

SCOPE = "openid profile email offline_access"


def require(condition: object, what: str) -> None:
    """Raise WrongAnswer with these words unless the condition holds."""
    if not condition:
        raise WrongAnswer(what)


def json_of(answer: Answer, where: str) -> dict[str, Any]:
    """The JSON object of an answer of status 200. Raises WrongAnswer."""
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        content = None
    found = content if isinstance(content, dict) else {}
    require(answer.status == 200, f"{where}: {answer.status} {found.get('error', '')}".rstrip())
    require(content == found, f"{where}: no JSON object")
    return found


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified: the signature is not what is measured here. Raises WrongAnswer."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=="))
    except (IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise WrongAnswer("token: no JWT")
    return claims


class LoginForm(HTMLParser):
    """Finds the form of a login page that asks for a password."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.asks_for_password = False
        self._is_over = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if self._is_over:
            return
        if tag == "form":
            self.action, self.hidden = found.get("action", ""), {}
        elif tag == "input" and found.get("type") == "hidden":
            self.hidden[found.get("name", "")] = found.get("value", "")
        elif tag == "input" and found.get("name") == "password":
            self.asks_for_password = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_over = self.asks_for_password


@attrs.frozen(kw_only=True)
class Tokens:
    """What the application holds after a login."""

    access_token: str
    refresh_token: str
    subject: str


@attrs.define(kw_only=True)
class Application:
    """The application and its user, with a connection and a cookie jar of their own."""

    #: counts them from 0: each logs in as a user of its own and through a connector of its own, so that
    #: they share no offline session.
    number: int
    http: HTTPClient
    #: what discovery said.
    metadata: Mapping[str, Any]
    _tokens: Tokens | None = attrs.field(default=None, init=False)

    @property
    def tokens(self) -> Tokens:
        """What the last login or refresh gave."""
        if self._tokens is None:
            raise WrongAnswer("not logged in")
        return self._tokens

    @property
    def username(self) -> str:
        """The person, as the password database knows them."""
        return f"user{self.number}@example.com"

    def path(self, member: str) -> str:
        """The path of an endpoint, by its name in the metadata."""
        url: str = self.metadata[member]
        return urlsplit(url).path

    async def get(self, path: str, where: str, *headers: str) -> dict[str, Any]:
        """The JSON at a path."""
        return json_of(await self.http.request("GET", path, headers=headers), where)

    async def post(self, member: str, where: str, **form: str) -> dict[str, Any]:
        """The JSON with which an endpoint answers this client's form."""
        answer = await self.http.request("POST", self.path(member), form=form, headers=[_AUTHORIZATION])
        return json_of(answer, where)

    async def take_tokens(self, grant_type: str, *, nonce: str = "", **form: str) -> None:
        """Redeem something for an access, an ID and a refresh token, look at them and keep them."""
        said = await self.post("token_endpoint", grant_type, grant_type=grant_type, **form)
        for member in ("access_token", "id_token", "refresh_token"):
            require(said.get(member), f"{grant_type}: no {member}")
        claims = self.checked_claims(said["id_token"], grant_type)
        require(not nonce or claims.get("nonce") == nonce, f"{grant_type}: another nonce")
        self._tokens = Tokens(
            access_token=said["access_token"], refresh_token=said["refresh_token"], subject=claims["sub"]
        )

    def checked_claims(self, id_token: str, where: str) -> dict[str, Any]:
        """The claims of an ID token that is for this client."""
        claims = claims_of(id_token)
        require(claims.get("iss") == self.metadata["issuer"], f"{where}: another issuer")
        require(claims.get("aud") == CLIENT_ID, f"{where}: another audience")
        require(claims.get("sub") and claims.get("exp"), f"{where}: claims are missing")
        return claims

    async def log_in(self, connector_id: str) -> None:
        """The whole code flow with PKCE, in a browser without cookies."""
        self.http.cookies.clear()
        verifier, state, nonce = secrets.token_urlsafe(32), secrets.token_hex(8), secrets.token_hex(8)
        asked = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "connector_id": connector_id,
        }
        answered = await self._browse(f"{self.path('authorization_endpoint')}?{urlencode(asked)}")
        require(answered.get("code"), f"login: {answered.get('error', 'no code')}")
        require(answered.get("state") == state, "login: another state")
        await self.take_tokens(
            "authorization_code",
            nonce=nonce,
            code=answered["code"],
            redirect_uri=REDIRECT_URI,
            code_verifier=verifier,
        )

    async def _browse(self, target: str) -> dict[str, str]:
        """Follow redirects and fill in the login form; the parameters with which the client is reached."""
        form: dict[str, str] | None = None
        for _ in range(10):
            answer = await self.http.request("GET" if form is None else "POST", target, form=form)
            if answer.status == 200:
                page = LoginForm(answer.body.decode())
                require(page.asks_for_password, "login: a page without a login form")
                form = {**page.hidden, "login": self.username, "password": PASSWORD}
                target = _target(target, page.action)
                continue
            location, form = answer.header("location"), None
            require(location, f"login: {answer.status}")
            if location.startswith(REDIRECT_URI):
                return dict(parse_qsl(urlsplit(location).query))
            target = _target(target, location)
        raise WrongAnswer("login: too many steps")


def _target(at: str, reference: str) -> str:
    """Where a link or a form leads, as path and query."""
    parts = urlsplit(urljoin(at, reference))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _basic_authorization(client_id: str, secret: str) -> str:
    """The header field by which a client authenticates (RFC 6749 §2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


_AUTHORIZATION = _basic_authorization(CLIENT_ID, CLIENT_SECRET)
