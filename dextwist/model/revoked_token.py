"""Access tokens that were ended before their time, by their `jti` (RFC 7519 §4.1.7)."""

from __future__ import annotations

from datetime import datetime

import attrs

from dextwist.model.kind import Kind


@attrs.frozen(kw_only=True)
class RevokedToken:
    """An access token that counts no more, remembered until it would have ended by itself."""

    id: str
    expires_at: datetime


REVOKED_TOKENS: Kind[RevokedToken] = Kind(
    name="revoked_token",
    model=RevokedToken,
    key=lambda token: token.id,
    expires_at=lambda token: token.expires_at,
)
