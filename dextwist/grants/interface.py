"""What a grant is: it examines a request, then redeems it."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import attrs

from dextwist.connectors.interface import OpenedConnector
from dextwist.model.client import Client
from dextwist.oauth.parameters import Form


@attrs.frozen(kw_only=True)
class TokenRequest:
    """A token request of a client that has said who it is."""

    client: Client
    form: Form = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class TokenResponse:
    """A successful token response (RFC 6749 §5.1). Empty members are left out."""

    access_token: str = attrs.field(repr=False)
    #: seconds
    expires_in: int
    refresh_token: str = attrs.field(default="", repr=False)
    id_token: str = attrs.field(default="", repr=False)
    issued_token_type: str = ""
    scope: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The members as they are sent."""
        members = {
            "access_token": self.access_token,
            "issued_token_type": self.issued_token_type,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "refresh_token": self.refresh_token,
            "id_token": self.id_token,
            "scope": self.scope,
        }
        return {name: value for name, value in members.items() if value}


class Examined(Protocol):
    """What a grant found out about a request before anything was changed."""

    @property
    def connector_id(self) -> str:
        """The connector whose person this is about; empty for none."""


E = TypeVar("E", bound=Examined)


class Grant(Protocol[E]):
    """One way to get tokens."""

    @property
    def grant_type(self) -> str:
        """Its `grant_type`."""

    async def examine(self, request: TokenRequest) -> E:
        """Look at what the request presents, spending nothing. Raises OAuthError, StorageError."""

    async def redeem(self, examined: E, opened: OpenedConnector | None) -> TokenResponse:
        """Spend what was presented and answer. Raises OAuthError, StorageError, SigningError.

        Called once the connector's rules are satisfied; `opened` is None where there is no connector.
        """
