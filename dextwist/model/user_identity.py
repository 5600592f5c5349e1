"""User identities: what the server remembers of a person (only with browser sessions)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from dextwist.model.claims import Claims
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class MFASecret:
    """A TOTP secret: the whole otpauth URI, as dex stores it."""

    authenticator_id: str
    type: str
    secret: str = attrs.field(repr=False)
    confirmed: bool = False
    created_at: datetime = EPOCH
    last_used_counter: int = 0


@attrs.frozen(kw_only=True)
class WebAuthnCredential:
    """A registered WebAuthn credential."""

    credential_id: bytes
    public_key: bytes
    attestation_type: str = ""
    aaguid: bytes = b""
    sign_count: int = 0
    clone_warning: bool = False
    transport: tuple[str, ...] = ()
    backup_eligible: bool = False
    backup_state: bool = False
    display_name: str = ""
    created_at: datetime = EPOCH


@attrs.frozen(kw_only=True)
class UserIdentity:
    """A person through one connector: claims, consents by client, second factors."""

    user_id: str
    connector_id: str
    claims: Claims = Claims()
    consents: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    mfa_secrets: Mapping[str, MFASecret] = attrs.field(factory=dict)
    webauthn_credentials: Mapping[str, tuple[WebAuthnCredential, ...]] = attrs.field(factory=dict)
    created_at: datetime = EPOCH
    last_login_at: datetime = EPOCH
    blocked_until: datetime = EPOCH


USER_IDENTITIES: Kind[UserIdentity] = Kind(
    name="user_identity",
    model=UserIdentity,
    key=lambda identity: (identity.user_id, identity.connector_id),
)
