"""Reading our own tokens back: bearer tokens and hints."""

from __future__ import annotations

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.model.revoked_token import REVOKED_TOKENS
from dextwist.signing.interface import InvalidToken, Signer, VerifiedToken
from dextwist.storage.interface import NotFound, Storage
from dextwist.tokens.families import revocable_ids
from dextwist.tokens.issuer import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE

#: Seconds that `nbf` may lie ahead.
_NOT_BEFORE_LEEWAY = 300


@attrs.frozen(kw_only=True)
class TokenVerifier:
    """Says which tokens are ours and still count. Audiences are the caller's business."""

    issuer: str
    signer: Signer
    storage: Storage
    clock: IReactorTime

    async def access_token(self, token: str) -> VerifiedToken:
        """A live access token. Raises InvalidToken, also for ID tokens; StorageError."""
        verified = await self._ours(token)
        _check_type(verified, ACCESS_TOKEN_TYPE)
        now = self.clock.seconds()
        if not _number(verified, "exp") > now:
            raise InvalidToken("expired")
        if "nbf" in verified.claims and _number(verified, "nbf") > now + _NOT_BEFORE_LEEWAY:
            raise InvalidToken("not valid yet")
        for revocable_id in revocable_ids(verified.claims.get("jti")):
            if await self._is_revoked(revocable_id):
                raise InvalidToken("revoked")
        return verified

    async def id_token_hint(self, token: str) -> VerifiedToken:
        """An ID token of ours, expired or not (OpenID Connect Core §3.1.2.1). Raises InvalidToken."""
        verified = await self._ours(token)
        _check_type(verified, ID_TOKEN_TYPE)
        return verified

    async def _is_revoked(self, revocable_id: str) -> bool:
        try:
            await self.storage.get(REVOKED_TOKENS, revocable_id)
        except NotFound:
            return False
        return True

    async def _ours(self, token: str) -> VerifiedToken:
        verified = await self.signer.verify(token)
        if verified.claims.get("iss") != self.issuer:
            raise InvalidToken("another issuer's")
        if "events" in verified.claims:
            raise InvalidToken("a logout token")
        return verified


def _check_type(verified: VerifiedToken, wanted: str) -> None:
    # dex named no type and told its kinds of token apart by nothing: what it issued passes as it did.
    if verified.header.get("typ", wanted) != wanted:
        raise InvalidToken(f"its type is not {wanted}")


def _number(verified: VerifiedToken, name: str) -> float:
    value = verified.claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidToken(f"{name} is no number")
    return value
