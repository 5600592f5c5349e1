"""Connectors that let everybody in as one fixed person, for tests and first steps; never for real use."""

# What a contract hands over is not always needed.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
from twisted.logger import Logger

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ConnectorError,
    ConnectorScopes,
    Identity,
    LoginStart,
    PasswordConnector,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.model.claims import Claims

_log = Logger()

_PERSON = Claims(
    user_id="0-385-28089-0",
    username="Kilgore Trout",
    email="kilgore@kilgore.trout",
    email_verified=True,
)
CALLBACK_IDENTITY = Identity(claims=attrs.evolve(_PERSON, groups=("authors",)), connector_data=b"foobar")
PASSWORD_IDENTITY = Identity(claims=_PERSON, connector_data=b'{"test": "true"}')


@attrs.define(kw_only=True)
class MockCallbackConnector(CallbackConnector, RefreshConnector, TokenIdentityConnector):
    """Sends the browser straight back, logged in."""

    #: who it is; replaced by tests, as an upstream changes what it knows.
    identity: Identity = CALLBACK_IDENTITY

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """The callback itself. Raises ConnectorError where it is no URL."""
        try:
            url = urlsplit(callback_url)
        except ValueError as error:
            raise ConnectorError(f"the callback URL cannot be read: {error}") from error
        query = [(name, value) for name, value in parse_qsl(url.query, True) if name != "state"]
        return LoginStart(url=url._replace(query=urlencode([*query, ("state", state)])).geturl())

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The fixed person, whatever the request says."""
        return self.identity

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The fixed person as they are now."""
        return self.identity

    async def token_identity(self, subject_token_type: str, subject_token: str) -> Identity:
        """The fixed person, for any token."""
        return self.identity


@attrs.frozen(kw_only=True)
class MockPasswordConnector(PasswordConnector, RefreshConnector):
    """Knows one user name and its password."""

    username: str
    password: str = attrs.field(repr=False)
    identity: Identity = PASSWORD_IDENTITY

    @property
    def prompt(self) -> str:
        """The server's own label."""
        return ""

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        """The fixed person, where both are exactly right."""
        return self.identity if (username, password) == (self.username, self.password) else None

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person unchanged."""
        return identity


async def _open_callback(
    connector_id: str, config: Mapping[str, Any], context: ConnectorContext
) -> MockCallbackConnector:
    _warn(connector_id)
    return MockCallbackConnector()


async def _open_password(
    connector_id: str, config: Mapping[str, Any], context: ConnectorContext
) -> MockPasswordConnector:
    connector = MockPasswordConnector(username=_text(config, "username"), password=_text(config, "password"))
    _warn(connector_id)
    return connector


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    if not isinstance(value, str) or not value:
        raise ConnectorError(f"{key} must be a text that is not empty")
    return value


def _warn(connector_id: str) -> None:
    _log.warn(
        "connector {connector_id} is a mock: it lets people in without asking who they are",
        connector_id=connector_id,
    )


MOCK_CALLBACK = ConnectorType(name="mockCallback", open=_open_callback)
MOCK_PASSWORD = ConnectorType(
    name="mockPassword", open=_open_password, config_keys=frozenset({"username", "password"})
)
