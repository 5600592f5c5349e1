"""What a login gives its client: access token, ID token and, where it was asked for, a refresh token."""

from __future__ import annotations

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.interface import TokenResponse
from dextwist.model.refresh_token import RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.gate import gives_refresh_token
from dextwist.storage.interface import Change
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import member_id
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.refresh_tokens import RefreshTokenMaker, refresh_token_string


@attrs.frozen(kw_only=True)
class DueTokens:
    """What a login is to give; nothing of it is stored or signed yet."""

    subject: TokenSubject
    access_token_id: str
    refresh_token: RefreshToken | None
    #: store the refresh token; they belong into the write that spends what the login is redeemed with.
    changes: tuple[Change, ...]


@attrs.frozen(kw_only=True)
class LoginTokens:
    """Makes the tokens of logins."""

    issuer: TokenIssuer
    refresh_tokens: RefreshTokenMaker
    clock: IReactorTime

    async def due(
        self, subject: TokenSubject, opened: OpenedConnector | None, connector_data: bytes
    ) -> DueTokens:
        """What the login of this subject, through this connector, is to give. Raises StorageError."""
        access_token_id = self.issuer.new_token_id()
        if opened is None or not gives_refresh_token(
            opened.record, opened.refresher is not None, subject.scopes
        ):
            return DueTokens(subject=subject, access_token_id=access_token_id, refresh_token=None, changes=())
        token, changes = await self.refresh_tokens.creation(subject, utc_now(self.clock), connector_data)
        return DueTokens(
            subject=subject,
            access_token_id=member_id(token.id, access_token_id),
            refresh_token=token,
            changes=changes,
        )

    async def signed(self, due: DueTokens, *, code: str = "") -> TokenResponse:
        """The tokens, once their changes are stored. `code` is what they are issued for, if it was one.

        Raises OAuthError, StorageError, SigningError.
        """
        tokens = await self.issuer.issue(due.subject, access_token_id=due.access_token_id, code=code)
        return TokenResponse(
            access_token=tokens.access_token,
            id_token=tokens.id_token,
            expires_in=tokens.expires_in,
            refresh_token=refresh_token_string(due.refresh_token) if due.refresh_token else "",
        )
