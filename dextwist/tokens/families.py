"""Families: a refresh token and all access tokens that came with it end together (RFC 7009 §2.1).

The `jti` of such an access token begins with the name of its family, so that one stored record ends also
those that a refresh under way has signed and nobody has seen yet.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from dextwist.model.revoked_token import REVOKED_TOKENS, RevokedToken
from dextwist.storage.interface import Change, Update

_SEPARATOR = "."
#: Longer than any request takes.
_UNDER_WAY = timedelta(minutes=5)


def family_of(refresh_token_id: str) -> str:
    """The name of a refresh token's family; a digest, because the ids of very old tokens are secrets."""
    return hashlib.sha256(refresh_token_id.encode()).hexdigest()[:32]


def member_id(refresh_token_id: str, token_id: str) -> str:
    """The `jti` of an access token that is given with the refresh token; `token_id` is unique."""
    return family_of(refresh_token_id) + _SEPARATOR + token_id


def revocable_ids(token_id: object) -> tuple[str, ...]:
    """Under which ids the end of an access token may be remembered: its own `jti`, and its family's name."""
    if not isinstance(token_id, str) or not token_id:
        return ()
    family, separator, _ = token_id.partition(_SEPARATOR)
    return (token_id, family) if separator else (token_id,)


def last_expiry(now: datetime, lifetime: timedelta) -> datetime:
    """By when every access token has expired that is signed now, or by a request that is under way now."""
    return now + lifetime + _UNDER_WAY


def revocation(revocable_id: str, until: datetime) -> Change:
    """The change that ends an access token, or those of a family; all have expired by `until`."""
    revoked = RevokedToken(id=revocable_id, expires_at=until)

    def longer(stored: RevokedToken) -> RevokedToken:
        return max(stored, revoked, key=lambda each: each.expires_at)

    return Update(REVOKED_TOKENS, revocable_id, longer, default=revoked)
