"""Ending tokens before their time, when their client asks for it (RFC 7009)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.model.client import Client
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.times import EPOCH, utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.signing.interface import InvalidToken
from dextwist.storage.interface import NotFound, Storage
from dextwist.tokens.claims import client_of
from dextwist.tokens.families import last_expiry, revocation
from dextwist.tokens.refresh_policy import RefreshPolicy, Verdict, judge
from dextwist.tokens.refresh_tokens import ending, parse_refresh_token
from dextwist.tokens.verifier import TokenVerifier


@attrs.frozen(kw_only=True)
class TokenRevoker:
    """Ends a client's own tokens.

    Once that is answered, nothing of the token's family works any more, whatever a refresh beside it
    gives: the refresh token with every secret it had and will have, and the access tokens given with it.
    An access token alone ends alone. What is no live token of the client is left as it is.
    """

    log: ClassVar[Logger] = Logger()

    storage: Storage
    verifier: TokenVerifier
    clock: IReactorTime
    #: of access tokens.
    lifetime: timedelta

    async def revoke(self, token: str, client: Client) -> None:
        """End the token. Raises StorageError, and OAuthError for a token that cannot be ended alone."""
        if not await self._access_token(token, client):
            await self._refresh_token(token, client)

    async def _access_token(self, token: str, client: Client) -> bool:
        """Whether it is an access token of ours; then it has ended, if it is the client's."""
        try:
            verified = await self.verifier.access_token(token)
        except InvalidToken:
            return False
        if client_of(verified.claims) != client.id:
            self._not_theirs("access token", client)
            return True
        token_id = verified.claims.get("jti")
        if not isinstance(token_id, str) or not token_id:
            raise OAuthError("unsupported_token_type", "the access token has no jti to remember it by")
        until = EPOCH + timedelta(seconds=verified.claims["exp"])
        await self.storage.write(revocation(token_id, until))
        self.log.info("token revoked: access token", client_id=client.id, token_id=token_id)
        return True

    async def _refresh_token(self, token: str, client: Client) -> None:
        token_id, secret = parse_refresh_token(token)
        try:
            found = await self.storage.get(REFRESH_TOKENS, token_id)
        except NotFound:
            return
        now = utc_now(self.clock)
        # Whoever had the token once may end it: a spent secret is proof enough, whatever its age.
        if judge(found, secret, RefreshPolicy(), now) is Verdict.UNKNOWN:
            return
        if found.client_id != client.id:
            self._not_theirs("refresh token", client)
            return
        user_id, until = found.claims.user_id, last_expiry(now, self.lifetime)
        await self.storage.write(*ending(found.id, user_id, found.connector_id, access_tokens_until=until))
        self.log.info(
            "token revoked: refresh token",
            client_id=client.id,
            connector_id=found.connector_id,
            user_id=user_id,
            token_id=found.id,
        )

    def _not_theirs(self, kind: str, client: Client) -> None:
        self.log.warn("token not revoked: {kind} of another client", kind=kind, client_id=client.id)
