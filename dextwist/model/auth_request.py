"""A login under way: from entering a connector to the answer at the client."""

from __future__ import annotations

from datetime import datetime

import attrs

from dextwist.model.claims import Claims, ProofKey
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class AuthRequest:
    """The stored state of one login. Created when the browser enters a connector."""

    id: str
    client_id: str
    response_types: tuple[str, ...]
    scopes: tuple[str, ...]
    redirect_uri: str
    expires_at: datetime
    connector_id: str = ""
    nonce: str = ""
    state: str = ""
    #: of the device that somebody signs in, or empty: set only for the browser in which it was typed.
    user_code: str = attrs.field(default="", repr=False)
    #: "", or the `response_mode` that was asked for.
    response_mode: str = ""
    force_approval_prompt: bool = False
    #: canonical: "", "none", or words in the order login, consent, select_account.
    prompt: str = ""
    #: seconds; -1 when not asked for.
    max_age: int = -1
    #: the subject that an `id_token_hint` named, checked again after the login.
    hinted_subject: str = ""
    #: key of the step verifiers, ASCII.
    hmac_key: bytes = attrs.field(default=b"", repr=False)
    #: SHA-256 of the secret in the cookie of the browser that began the login; empty: not bound.
    browser_digest: bytes = attrs.field(default=b"", repr=False)
    proof_key: ProofKey = ProofKey()
    #: the connector's own memory; never shown, never logged.
    connector_data: bytes = attrs.field(default=b"", repr=False)
    logged_in: bool = False
    claims: Claims = Claims()
    auth_time: datetime = EPOCH
    mfa_validated: bool = False
    webauthn_session_data: bytes = attrs.field(default=b"", repr=False)


AUTH_REQUESTS: Kind[AuthRequest] = Kind(
    name="auth_request",
    model=AuthRequest,
    key=lambda request: request.id,
    expires_at=lambda request: request.expires_at,
)
