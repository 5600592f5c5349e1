"""The password grant: a client that was told a person's password (RFC 6749 §4.3)."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dextwist.connectors.interface import (
    ConnectorScopes,
    Identity,
    OpenedConnector,
    PasswordConnector,
)
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.login_tokens import LoginTokens
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import check_authorization_scopes
from dextwist.oauth.grant_types import PASSWORD
from dextwist.oauth.scopes import parse_scopes
from dextwist.storage.interface import Storage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import existing_peers


@attrs.frozen(kw_only=True)
class ExaminedPassword:
    """A login that may be tried."""

    client_id: str
    connector_id: str
    username: str
    password: str = attrs.field(repr=False)
    scopes: tuple[str, ...]
    nonce: str


@attrs.frozen(kw_only=True)
class PasswordGrant:
    """Logs a person in through the one connector that is configured for it.

    There is no browser: no session begins, and the tokens name no time of login.
    """

    grant_type: ClassVar[str] = PASSWORD

    storage: Storage
    tokens: LoginTokens
    asker: ConnectorAsker
    #: `oauth2.passwordConnector`
    connector_id: str

    async def examine(self, request: TokenRequest) -> ExaminedPassword:
        """User name, password and scopes, if they are all there and the scopes good."""
        form, scopes = request.form, parse_scopes(request.form.get("scope"))
        for name in ("username", "password"):
            if not form.get(name):
                raise OAuthError("invalid_request", f"{name} is missing")
        peers = await existing_peers(self.storage, scopes)
        check_authorization_scopes(request.client, scopes, peers)
        return ExaminedPassword(
            client_id=request.client.id,
            connector_id=self.connector_id,
            username=form.get("username"),
            password=form.get("password"),
            scopes=scopes,
            nonce=form.get("nonce"),
        )

    async def redeem(self, examined: ExaminedPassword, opened: OpenedConnector | None) -> TokenResponse:
        """Log in, store the refresh token where one is wanted, then sign."""
        if opened is None or opened.password is None:
            raise OAuthError("invalid_request", "the connector takes no password")
        identity = await self._identity(examined, opened.password)
        subject = TokenSubject(
            client_id=examined.client_id,
            scopes=examined.scopes,
            claims=identity.claims,
            connector_id=examined.connector_id,
            nonce=examined.nonce,
        )
        due = await self.tokens.due(subject, opened, identity.connector_data)
        if due.changes:
            await self.storage.write(*due.changes)
        return await self.tokens.signed(due)

    async def _identity(self, examined: ExaminedPassword, connector: PasswordConnector) -> Identity:
        names = {"connector_id": examined.connector_id, "client_id": examined.client_id}
        login = connector.login(ConnectorScopes.of(examined.scopes), examined.username, examined.password)
        unusable = OAuthError("server_error", "the login could not be tried", status=500)
        identity = await self.asker.ask(login, **names, unusable=unusable)
        if identity is None:
            self.asker.audit.invalid_credentials(examined.username, **names)
            # dex's answer, on which programs rely, where RFC 6749 §5.2 has invalid_grant.
            raise OAuthError("access_denied", "invalid username or password", status=401)
        self.asker.audit.succeeded(identity.claims, **names)
        return identity
