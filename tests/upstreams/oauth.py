"""A fake OAuth 2.0 server with a user endpoint (RFC 6749). Whoever comes goes back with a code."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from tests.upstreams.served import Answer, Call, FakeUpstream, main


@attrs.frozen(kw_only=True)
class Granted:
    """What a code or a refresh token stands for."""

    person: dict[str, Any]
    #: the query of the authorization request.
    asked: Mapping[str, str] = attrs.field(factory=dict)


@attrs.define(kw_only=True, eq=False)
class FakeOAuth(FakeUpstream):
    """An authorization, a token and a user endpoint. All that is public may be changed at any time."""

    client_id: str = "testClient"
    client_secret: str = "testSecret"
    #: the user endpoint's document about whoever logs in.
    person: dict[str, Any] = attrs.field(
        factory=lambda: {
            "id": "1000",
            "user_name": "Jane Doe",
            "preferred_username": "jane",
            "email": "jane@example.org",
            "email_verified": True,
            "groups": ["staff", {"name": "admins"}],
        }
    )
    #: how clients may authenticate: `basic`, `body`, `assertion`.
    styles: set[str] = attrs.field(factory=lambda: {"basic", "body"})
    #: `expires_in` of access tokens; None leaves it out.
    lifetime: int | str | None = 3600
    #: that a code also gives a refresh token.
    gives_refresh_token: bool = True
    #: that each refresh gives a new refresh token, and the old one ends.
    rotates: bool = True
    #: laid over what the token endpoint answers.
    token_answer: dict[str, Any] = attrs.field(factory=dict)
    access_tokens: dict[str, dict[str, Any]] = attrs.field(init=False, factory=dict)
    refresh_tokens: dict[str, Granted] = attrs.field(init=False, factory=dict)
    _codes: dict[str, Granted] = attrs.field(init=False, factory=dict)
    _numbers: count[int] = attrs.field(init=False, factory=lambda: count(1))

    authorize_path = "/authorize"
    token_path = "/token"

    def routes(self) -> Mapping[str, Callable[[Call], Answer]]:
        return {
            self.authorize_path: self.authorize,
            self.token_path: self.token,
            "/userinfo": self.userinfo,
        }

    def configuration(self) -> Sequence[str]:
        return (
            f"clientID: {self.client_id}",
            f"clientSecret: {self.client_secret}",
            f"authorizationURL: {self.url}{self.authorize_path}",
            f"tokenURL: {self.url}{self.token_path}",
            f"userInfoURL: {self.url}/userinfo",
        )

    def log_in(self, login_url: str) -> dict[str, str]:
        """Be the browser that is sent to this URL: the query with which it comes back."""
        parts = urlsplit(login_url)
        answer = self.handle(Call(method="GET", target=f"{parts.path}?{parts.query}"))
        assert answer.status == 302, answer
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def authorize(self, call: Call) -> Answer:
        asked = call.query
        code = f"code-{next(self._numbers)}"
        self._codes[code] = Granted(person=self.person, asked=asked)
        back = urlencode({"code": code, "state": asked["state"]})
        return Answer.redirect(f"{asked['redirect_uri']}?{back}")

    def token(self, call: Call) -> Answer:
        form = call.form
        if not self._authenticated(call):
            return Answer.json({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "authorization_code":
            granted = self._codes.pop(form.get("code", ""), None)
            right = granted is not None and self._proven(granted, form)
            refresh = self.gives_refresh_token
        else:
            token = form.get("refresh_token", "")
            granted = self.refresh_tokens.get(token)
            if self.rotates:
                self.refresh_tokens.pop(token, None)
            right = granted is not None
            refresh = self.rotates
        if granted is None or not right:
            return Answer.json({"error": "invalid_grant", "error_description": "the code is not valid"}, 400)
        return Answer.json(self.tokens(granted, refresh=refresh))

    def tokens(self, granted: Granted, *, refresh: bool) -> dict[str, Any]:
        """A token response for this person."""
        access = f"access-{next(self._numbers)}"
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        if refresh:
            answer["refresh_token"] = f"refresh-{next(self._numbers)}"
            self.refresh_tokens[answer["refresh_token"]] = granted
        answer |= self.token_answer
        self.access_tokens[answer["access_token"]] = granted.person
        return answer

    def userinfo(self, call: Call) -> Answer:
        person = self.access_tokens.get(call.token)
        if person is None:
            return Answer.json(
                {"error": "invalid_token"}, 401, WWW_Authenticate='Bearer error="invalid_token"'
            )
        return Answer.json(person)

    def _authenticated(self, call: Call) -> bool:
        form, basic = call.form, call.basic()
        ours = (self.client_id, self.client_secret)
        if basic is not None:
            return "basic" in self.styles and basic == ours
        if "client_assertion" in form:
            return "assertion" in self.styles and form.get("client_id") == self.client_id
        return "body" in self.styles and (form.get("client_id"), form.get("client_secret")) == ours

    def _proven(self, granted: Granted, form: Mapping[str, str]) -> bool:
        """The redirect URI is the one of the request, and the verifier fits the challenge (RFC 7636 §4.6)."""
        if granted.asked.get("redirect_uri") != form.get("redirect_uri"):
            return False
        if granted.asked.get("code_challenge_method") == "plain":
            return granted.asked["code_challenge"] == form.get("code_verifier")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return granted.asked.get("code_challenge", expected) == expected


if __name__ == "__main__":
    main(FakeOAuth(), __doc__)
