"""Authorization codes (RFC 6749 §4.1.2)."""

from __future__ import annotations

from datetime import datetime

import attrs

from dextwist.model.claims import Claims, ProofKey
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class AuthCode:
    """A code and all it stands for.

    A redeemed code stays until it expires, with what it gave, so that a second use can end that.
    """

    id: str = attrs.field(repr=False)
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    connector_id: str
    expires_at: datetime
    nonce: str = ""
    claims: Claims = Claims()
    connector_data: bytes = attrs.field(default=b"", repr=False)
    auth_time: datetime = EPOCH
    #: the browser session, or empty.
    session_id: str = ""
    proof_key: ProofKey = ProofKey()
    #: of the device that the login is for, or empty. Such a code goes to our own callback alone.
    user_code: str = attrs.field(default="", repr=False)
    #: redemptions that failed for the verifier or the client.
    failed_attempts: int = 0
    redeemed: bool = False
    #: the `jti` of the access token and the id of the refresh token that it gave, or empty.
    access_token_id: str = ""
    refresh_token_id: str = ""


AUTH_CODES: Kind[AuthCode] = Kind(
    name="auth_code",
    model=AuthCode,
    key=lambda code: code.id,
    expires_at=lambda code: code.expires_at,
)
