"""Refresh tokens (RFC 6749 §1.5). One stored value is a whole family: rotation changes its secret."""

from __future__ import annotations

from datetime import datetime

import attrs

from dextwist.model.claims import Claims
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class RefreshToken:
    """A refresh token's family: what was granted, the secret that counts and those before it."""

    id: str
    client_id: str
    connector_id: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime
    #: the current secret; the one before it, honoured within the reuse interval.
    token: str = attrs.field(repr=False)
    obsolete_token: str = attrs.field(default="", repr=False)
    #: digests of secrets before those two, newest first: presenting one is a replay.
    spent_digests: tuple[str, ...] = attrs.field(default=(), repr=False)
    #: when the current secret replaced the obsolete one.
    rotated_at: datetime = EPOCH
    #: when the connector was last asked about the person.
    rechecked_at: datetime = EPOCH
    nonce: str = ""
    claims: Claims = Claims()
    #: only in tokens that dex stored: since then it is in the offline session.
    connector_data: bytes = attrs.field(default=b"", repr=False)
    #: when the person proved who they are; EPOCH where dex did not keep it.
    auth_time: datetime = EPOCH


REFRESH_TOKENS: Kind[RefreshToken] = Kind(
    name="refresh_token",
    model=RefreshToken,
    key=lambda token: token.id,
    narrowed_by={
        "user_id": lambda token: token.claims.user_id,
        "connector_id": lambda token: token.connector_id,
        "client_id": lambda token: token.client_id,
    },
)
