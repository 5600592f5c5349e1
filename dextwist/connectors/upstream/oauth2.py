"""OAuth 2.0 as a client of an upstream (RFC 6749)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any
from urllib.parse import quote_plus

import attrs

from dextwist.connectors.interface import ConnectorError, IdentityGone, LoginCancelled
from dextwist.connectors.upstream.answer import excerpt
from dextwist.connectors.upstream.client import UpstreamClient, with_params
from dextwist.connectors.upstream.tokens import TokenRefused, UpstreamTokens
from dextwist.model.times import utc_now

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ABOUT_THE_CLIENT = ("invalid_client", "invalid_request")


class ClientAuthentication(Enum):
    """How the client says who it is (RFC 6749 §2.3.1)."""

    #: HTTP Basic, or in the body where that is refused; what worked is remembered.
    AUTOMATIC = auto()
    BASIC = auto()
    BODY = auto()


@attrs.define(kw_only=True, eq=False)
class OAuth2Client:
    """A client registered at an upstream, for the life of a connector."""

    http: UpstreamClient
    client_id: str
    client_secret: str = attrs.field(repr=False)
    #: empty: the upstream knows it, and it is sent nowhere.
    redirect_uri: str = ""
    authentication: ClientAuthentication = ClientAuthentication.AUTOMATIC
    #: gives the JWT that stands in for the secret, at each request (RFC 7523 §2.2). Raises ConnectorError.
    client_assertion: Callable[[], str] | None = None
    #: what worked, by token endpoint.
    _found: dict[str, ClientAuthentication] = attrs.field(init=False, factory=dict)

    def authorization_url(
        self,
        endpoint: str,
        callback_url: str,
        state: str,
        *,
        scopes: Sequence[str] = (),
        more: Mapping[str, str] | None = None,
    ) -> str:
        """Where to send the browser: the endpoint with its own query and these parameters by their names.

        `callback_url` is the server's; it must be the configured `redirectURI`, byte for byte, where that
        is set. `more` is what else the upstream wants. Raises ConnectorError.
        """
        if self.redirect_uri and self.redirect_uri != callback_url:
            raise ConnectorError(f"redirectURI {self.redirect_uri} is not the callback URL {callback_url}")
        params = {"response_type": "code", "client_id": self.client_id, "state": state, **(more or {})}
        if self.redirect_uri:
            params["redirect_uri"] = self.redirect_uri
        if scopes:
            params["scope"] = " ".join(scopes)
        return with_params(endpoint, params)

    def learn(self, token_url: str, methods: Sequence[str]) -> None:
        """How the upstream's document says that clients may authenticate at this endpoint (RFC 8414 §2)."""
        basic, body = "client_secret_basic" in methods, "client_secret_post" in methods
        if self.authentication is ClientAuthentication.AUTOMATIC and basic is not body:
            found = ClientAuthentication.BASIC if basic else ClientAuthentication.BODY
            self._found.setdefault(token_url, found)

    async def exchange(
        self, token_url: str, query: Mapping[str, str], *, code_verifier: str = ""
    ) -> UpstreamTokens:
        """The tokens for what the browser brought back; the first thing to do in a callback.

        Raises LoginCancelled where the person said no, TokenRefused, ConnectorError.
        """
        check_callback(query)
        form = {"grant_type": "authorization_code", "code": query.get("code", "")}
        if self.redirect_uri:
            form["redirect_uri"] = self.redirect_uri
        if code_verifier:
            form["code_verifier"] = code_verifier
        return await self.tokens(token_url, form)

    async def refreshed(self, token_url: str, refresh_token: str) -> UpstreamTokens:
        """New tokens; the refresh token stays the old one where the upstream gives no other.

        What then follows belongs `keeping(connector_data)`, with the new one in it. Raises IdentityGone
        where the upstream honours the token no more (`invalid_grant`), ConnectorError.
        """
        if not refresh_token:
            raise ConnectorError("the upstream gave no refresh token")
        try:
            tokens = await self.tokens(
                token_url, {"grant_type": "refresh_token", "refresh_token": refresh_token}
            )
        except TokenRefused as refused:
            if refused.error == "invalid_grant":
                raise IdentityGone(str(refused)) from None
            raise
        if tokens.refresh_token:
            return tokens
        return attrs.evolve(tokens, refresh_token=refresh_token)

    async def current(self, token_url: str, tokens: UpstreamTokens) -> UpstreamTokens:
        """The same tokens, or new ones where the access token is at its end (O11).

        Raises IdentityGone and ConnectorError, the latter also where there is nothing to renew it with.
        """
        if not tokens.expired(utc_now(self.http.clock)):
            return tokens
        return await self.refreshed(token_url, tokens.refresh_token)

    async def tokens(self, token_url: str, form: Mapping[str, str]) -> UpstreamTokens:
        """The tokens for a form, with the client's credentials added. Raises TokenRefused, ConnectorError.

        A code is good for one use: the form is only sent again, in the other way of authenticating, where
        the first way was refused.
        """
        known = self._found.get(token_url, self.authentication)
        if self.client_assertion is not None:
            known = ClientAuthentication.BODY
        if known is not ClientAuthentication.AUTOMATIC:
            return await self._asked(token_url, form, known)
        try:
            tokens = await self._asked(token_url, form, ClientAuthentication.BASIC)
        except TokenRefused as refused:
            if not _is_about_the_client(refused):
                raise
            tokens = await self._asked(token_url, form, ClientAuthentication.BODY)
            self._found[token_url] = ClientAuthentication.BODY
        else:
            self._found[token_url] = ClientAuthentication.BASIC
        return tokens

    async def _asked(
        self, token_url: str, form: Mapping[str, str], authentication: ClientAuthentication
    ) -> UpstreamTokens:
        headers, fields = {}, dict(form)
        if authentication is ClientAuthentication.BASIC:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
        else:
            fields["client_id"] = self.client_id
            if self.client_assertion is not None:
                fields["client_assertion_type"] = _ASSERTION_TYPE
                fields["client_assertion"] = self.client_assertion()
            elif self.client_secret:
                fields["client_secret"] = self.client_secret
        answer = await self.http.request(
            "POST",
            token_url,
            operation="token",
            headers=headers,
            data=fields,
            secrets=(self.client_secret, quote_plus(self.client_secret)),
        )
        return UpstreamTokens.of(answer, utc_now(self.http.clock))


def check_callback(query: Mapping[str, str]) -> None:
    """Return where the upstream sent the browser back without an `error`.

    Raises LoginCancelled for `access_denied`, ConnectorError for any other.
    """
    error, description = query.get("error", ""), query.get("error_description", "")
    if not error:
        return
    said = excerpt(f"{error}: {description}" if description else error)
    if error == "access_denied":
        raise LoginCancelled(f"the upstream says {said}")
    raise ConnectorError(f"the upstream says {said}")


def required_text(members: Mapping[str, Any], name: str) -> str:
    """A member that must be a text and not empty, such as a user id (O16). Raises ConnectorError."""
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise ConnectorError(f"the upstream's answer has no usable {name}")
    return value


def _is_about_the_client(refused: TokenRefused) -> bool:
    if refused.error:
        return refused.status in (400, 401) and refused.error in _ABOUT_THE_CLIENT
    return refused.status == 401
