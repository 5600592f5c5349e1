"""The contracts between the server and an upstream that knows users.

A connector implements one login style (PasswordConnector, CallbackConnector or SAMLConnector) and any
of the abilities. It keeps nothing of a login in memory: the callback may reach another process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import attrs

from dextwist.model.claims import Claims
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth.scopes import GROUPS, OFFLINE_ACCESS


@attrs.frozen(eq=False)
class ConnectorError(Exception):
    """The upstream could not be asked or gave no usable answer; the text is for the log alone."""

    reason: str
    #: it did not answer in time.
    timed_out: bool = False
    #: it could not be reached, or broke off.
    unreachable: bool = False
    #: it was not asked: the connector's own settings are wrong.
    misconfigured: bool = False

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class LoginRefused(Exception):
    """The credentials were right and the policy says no: who it was, and what was wanted."""

    user_id: str
    required_groups: tuple[str, ...] = ()
    #: for the person, where it is not about groups.
    message: str = ""

    def __str__(self) -> str:
        wanted = f", who is in none of {', '.join(self.required_groups)}" if self.required_groups else ""
        return f"login of {self.user_id!r} refused{wanted}"


@attrs.frozen(eq=False)
class LoginCancelled(Exception):
    """The person said no at the upstream (`error=access_denied`)."""

    reason: str = "cancelled at the upstream"

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class IdentityGone(Exception):
    """The upstream says that the person exists no more, is disabled, or is somebody else now."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class RefreshInterrupted(Exception):
    """A refresh failed after the upstream had renewed its tokens; what it gave is to be kept all the same."""

    cause: IdentityGone | LoginRefused | ConnectorError
    connector_data: bytes = attrs.field(repr=False)

    def __str__(self) -> str:
        return str(self.cause)


@contextmanager
def keeping(connector_data: bytes) -> Iterator[None]:
    """Whatever goes wrong in here goes wrong as RefreshInterrupted, with this data if there is any."""
    try:
        yield
    except (IdentityGone, LoginRefused, ConnectorError) as failure:
        if not connector_data:
            raise
        raise RefreshInterrupted(failure, connector_data) from failure


@attrs.frozen(kw_only=True)
class ConnectorScopes:
    """All that a connector learns of what a client asked for."""

    offline_access: bool = False
    groups: bool = False
    #: whom the client expects (OpenID Connect Core §3.1.2.1), as it wrote it; known where a login begins.
    login_hint: str = ""

    @classmethod
    def of(cls, scopes: Collection[str]) -> ConnectorScopes:
        """What is left of these scopes."""
        return cls(offline_access=OFFLINE_ACCESS in scopes, groups=GROUPS in scopes)


@attrs.frozen(kw_only=True)
class Identity:
    """A person as the upstream knows them. `claims.user_id` must be stable for ever."""

    claims: Claims
    #: the connector's own, kept for refresh; never shown, never logged.
    connector_data: bytes = attrs.field(default=b"", repr=False)
    #: all that the upstream said, for the operator's claims rules; given at a refresh too. Not stored.
    upstream_claims: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class LoginStart:
    """Where to send the browser, and what the callback will need again."""

    url: str
    connector_data: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class SAMLPost:
    """What the browser posts to a SAML identity provider."""

    url: str
    saml_request: str
    connector_data: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class CallbackRequest:
    """What the browser brought back from the upstream."""

    #: the parameters of the query, each once.
    query: Mapping[str, str]
    #: header names in lower case; `x-remote-*` only where the route belongs to one connector.
    headers: Mapping[str, Sequence[str]]
    #: the address that the request came from, as far as it can be trusted.
    client_address: str = ""


@runtime_checkable
class PasswordConnector(Protocol):
    """Logs in with a user name and a password."""

    @property
    def prompt(self) -> str:
        """The label of the user name field; empty for the server's own."""

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        """The person, or None where the user name or the password is wrong.

        Raises LoginRefused, ConnectorError, Overloaded.
        """


@attrs.define(kw_only=True)
class Negotiation:
    """What a browser sent to log in with a Kerberos ticket (RFC 4559), and what it is told in turn."""

    #: its Authorization header, empty for none.
    authorization: str = attrs.field(repr=False)
    #: it was asked for a ticket a short while ago, and shown the form.
    asked_before: bool = False
    #: for the connector to fill in: the WWW-Authenticate header of the answer.
    challenge: str = attrs.field(default="", repr=False)
    #: and whether somebody without a ticket may use the password form.
    with_form: bool = False


@runtime_checkable
class NegotiatingConnector(Protocol):
    """Logs in with a ticket that the browser shows, before the password form is."""

    async def negotiate(self, scopes: ConnectorScopes, negotiation: Negotiation) -> Identity | None:
        """The person, or None: then `challenge` is the answer, and the form where there is none.

        Raises LoginRefused, ConnectorError, Overloaded.
        """


@runtime_checkable
class CallbackConnector(Protocol):
    """Sends the browser to the upstream and reads what it brings back."""

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """Where the login goes on. Raises ConnectorError."""

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The person. Raises LoginRefused, LoginCancelled, ConnectorError."""


@runtime_checkable
class SAMLConnector(Protocol):
    """Posts an AuthnRequest through the browser and reads the response posted back."""

    async def post_data(self, scopes: ConnectorScopes, request_id: str) -> SAMLPost:
        """What to post where. Raises ConnectorError."""

    async def handle_post(self, scopes: ConnectorScopes, saml_response: str, in_response_to: str) -> Identity:
        """The person. Raises LoginRefused, ConnectorError."""


@runtime_checkable
class RefreshConnector(Protocol):
    """Looks the person up again when a refresh token is used."""

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person as they are now.

        Raises IdentityGone, LoginRefused, ConnectorError; RefreshInterrupted around one of them.
        """


@runtime_checkable
class TokenIdentityConnector(Protocol):
    """Knows whose an upstream token is (RFC 8693)."""

    async def token_identity(self, subject_token_type: str, subject_token: str) -> Identity:
        """The person. Raises LoginRefused, ConnectorError."""


@runtime_checkable
class LogoutConnector(Protocol):
    """Has a logout of its own at the upstream."""

    async def logout_url(self, post_logout_url: str) -> str:
        """Where to send the browser; empty for nowhere. Raises ConnectorError."""

    async def handle_logout_callback(self, request: CallbackRequest) -> None:
        """Check what the browser brought back. Raises ConnectorError."""


@runtime_checkable
class PreparedConnector(Protocol):
    """Asks its upstream for something before anybody can log in; where it gets none it goes on trying."""

    async def prepared(self) -> None:
        """Return once it has been had. Raises ConnectorError where it cannot be had now."""


@runtime_checkable
class ClosableConnector(Protocol):
    """Holds connections or runs in the background until it is closed."""

    async def close(self) -> None:
        """Let go of everything."""


Connector = PasswordConnector | CallbackConnector | SAMLConnector


@attrs.frozen(eq=False)
class Overloaded(Exception):
    """Too much of this work is waiting already; try again in `retry_after` seconds."""

    retry_after: int = 1

    def __str__(self) -> str:
        return f"too much work is waiting; try again in {self.retry_after} s"


@attrs.frozen(eq=False)
class ConnectorUnavailable(Exception):
    """There is no such connector, or it could not be opened; the text is for the log."""

    connector_id: str
    reason: str
    #: how it is configured; None: there is no connector of that id.
    record: ConnectorRecord | None = None
    #: its settings are wrong, and no waiting will help.
    misconfigured: bool = False

    def __str__(self) -> str:
        return f"connector {self.connector_id!r}: {self.reason}"


@attrs.frozen
class OpenedConnector:
    """A connector ready for use, with the record that it was opened from.

    What it can do is looked up once: asking an object for the shape of a protocol takes its time.
    """

    record: ConnectorRecord
    #: None where it cannot be opened now, for those who can do without.
    connector: object | None

    @cached_property
    def password(self) -> PasswordConnector | None:
        """The connector, if it takes passwords."""
        return self.connector if isinstance(self.connector, PasswordConnector) else None

    @cached_property
    def callback(self) -> CallbackConnector | None:
        """The connector, if it sends browsers to the upstream."""
        return self.connector if isinstance(self.connector, CallbackConnector) else None

    @cached_property
    def refresher(self) -> RefreshConnector | None:
        """The connector, if it can look people up again."""
        return self.connector if isinstance(self.connector, RefreshConnector) else None

    @cached_property
    def negotiator(self) -> NegotiatingConnector | None:
        """The connector, if it takes tickets."""
        return self.connector if isinstance(self.connector, NegotiatingConnector) else None

    @cached_property
    def exchanger(self) -> TokenIdentityConnector | None:
        """The connector, if it knows whose a token is."""
        return self.connector if isinstance(self.connector, TokenIdentityConnector) else None


class Connectors(Protocol):
    """The connectors that there are, opened when they are first needed."""

    async def get(self, connector_id: str) -> OpenedConnector:
        """The connector as it is configured now. Raises ConnectorUnavailable, StorageError."""

    async def records(self) -> list[ConnectorRecord]:
        """All that are configured, whether or not they can be opened. Raises StorageError."""
