"""What each of dex's tables holds, as values of ours."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson

from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.auth_session import AUTH_SESSIONS, AuthSession, ClientState, LogoutState
from dextwist.model.client import CLIENTS, Client
from dextwist.model.connector import CONNECTORS, ConnectorRecord
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.model.keys import KEYS, KeyPair, Keys, VerificationKey
from dextwist.model.kind import Kind
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.password import PASSWORDS, Password
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import EPOCH
from dextwist.model.user_identity import USER_IDENTITIES, MFASecret, UserIdentity, WebAuthnCredential
from dextwist.storage.sql.dex_columns import DexRow, instant, optional_texts


@attrs.frozen(kw_only=True)
class DexTable:
    """One of dex's tables: what its rows become and which columns are their key."""

    name: str
    kind: Kind[Any]
    read: Callable[[DexRow], Any]
    key: tuple[str, ...] = ("id",)
    #: whoever knows the key has what it stands for, so no message shows it whole.
    key_is_secret: bool = False


def _client(row: DexRow) -> Client:
    return Client(
        id=row.text("id"),
        secret=row.text("secret"),
        name=row.text("name"),
        public=row.flag("public"),
        logo_url=row.text("logo_url"),
        redirect_uris=row.texts("redirect_uris"),
        post_logout_redirect_uris=row.texts("post_logout_redirect_uris"),
        backchannel_logout_uri=row.text("backchannel_logout_uri"),
        refresh_token_lifetime=row.text("refresh_token_lifetime"),
        trusted_peers=row.texts("trusted_peers"),
        allowed_connectors=row.texts("allowed_connectors"),
        mfa_chain=row.optional_texts("mfa_chain"),
        sso_shared_with=row.optional_texts("sso_shared_with"),
    )


def _auth_request(row: DexRow) -> AuthRequest:
    return AuthRequest(
        id=row.text("id"),
        client_id=row.text("client_id"),
        response_types=row.texts("response_types"),
        scopes=row.texts("scopes"),
        redirect_uri=row.text("redirect_uri"),
        expires_at=row.instant("expiry"),
        connector_id=row.text("connector_id"),
        nonce=row.text("nonce"),
        state=row.text("state"),
        force_approval_prompt=row.flag("force_approval_prompt"),
        prompt=row.text("prompt"),
        max_age=row.number("max_age", default=-1),
        hmac_key=row.raw("hmac_key"),
        proof_key=row.proof_key(),
        connector_data=row.raw("connector_data"),
        logged_in=row.flag("logged_in"),
        claims=row.claims(),
        auth_time=row.instant("auth_time"),
        mfa_validated=row.flag("mfa_validated"),
        webauthn_session_data=row.raw("webauthn_session_data"),
    )


def _auth_code(row: DexRow) -> AuthCode:
    return AuthCode(
        id=row.text("id"),
        client_id=row.text("client_id"),
        redirect_uri=row.text("redirect_uri"),
        scopes=row.texts("scopes"),
        connector_id=row.text("connector_id"),
        expires_at=row.instant("expiry"),
        nonce=row.text("nonce"),
        claims=row.claims(),
        connector_data=row.raw("connector_data"),
        auth_time=row.instant("auth_time"),
        session_id=row.text("session_id"),
        proof_key=row.proof_key(),
    )


def _refresh_token(row: DexRow) -> RefreshToken:
    obsolete, last_used_at = row.text("obsolete_token"), row.instant("last_used")
    return RefreshToken(
        id=row.text("id"),
        client_id=row.text("client_id"),
        connector_id=row.text("connector_id"),
        scopes=row.texts("scopes"),
        created_at=row.instant("created_at"),
        last_used_at=last_used_at,
        token=row.text("token"),
        obsolete_token=obsolete,
        # In dex every use rotates.
        rotated_at=last_used_at if obsolete else EPOCH,
        nonce=row.text("nonce"),
        claims=row.claims(),
        connector_data=row.raw("connector_data"),
    )


def _offline_session(row: DexRow) -> OfflineSession:
    refs = [
        RefreshTokenRef(
            id=ref["ID"],
            client_id=client_id,
            created_at=instant(ref.get("CreatedAt")),
            last_used_at=instant(ref.get("LastUsed")),
            session_id=ref.get("SessionID", ""),
        )
        for client_id, ref in row.object("refresh").items()
    ]
    return OfflineSession(
        user_id=row.text("user_id"),
        connector_id=row.text("conn_id"),
        refresh={ref.id: ref for ref in refs},
        connector_data=row.raw("connector_data"),
    )


def _user_identity(row: DexRow) -> UserIdentity:
    return UserIdentity(
        user_id=row.text("user_id"),
        connector_id=row.text("connector_id"),
        claims=row.claims(),
        consents={client: optional_texts(scopes) or () for client, scopes in row.object("consents").items()},
        mfa_secrets={name: _mfa_secret(secret) for name, secret in row.object("mfa_secrets").items()},
        webauthn_credentials={
            name: tuple(_webauthn_credential(credential) for credential in credentials or ())
            for name, credentials in row.object("webauthn_credentials").items()
        },
        created_at=row.instant("created_at"),
        last_login_at=row.instant("last_login"),
        blocked_until=row.instant("blocked_until"),
    )


def _mfa_secret(secret: Mapping[str, Any]) -> MFASecret:
    return MFASecret(
        authenticator_id=secret["authenticatorID"],
        type=secret["type"],
        secret=secret["secret"],
        confirmed=secret.get("confirmed", False),
        created_at=instant(secret.get("createdAt")),
        last_used_counter=secret.get("lastUsedCounter", 0),
    )


def _webauthn_credential(credential: Mapping[str, Any]) -> WebAuthnCredential:
    return WebAuthnCredential(
        credential_id=b64decode(credential["credentialID"], validate=True),
        public_key=b64decode(credential["publicKey"], validate=True),
        attestation_type=credential.get("attestationType", ""),
        aaguid=b64decode(credential.get("aaguid") or "", validate=True),
        sign_count=credential.get("signCount", 0),
        clone_warning=credential.get("cloneWarning", False),
        transport=optional_texts(credential.get("transport")) or (),
        backup_eligible=credential.get("backupEligible", False),
        backup_state=credential.get("backupState", False),
        display_name=credential.get("displayName", ""),
        created_at=instant(credential.get("createdAt")),
    )


def _auth_session(row: DexRow) -> AuthSession:
    logout = row.object("logout_state")
    return AuthSession(
        id=row.text("id"),
        secret=row.text("secret"),
        user_id=row.text("user_id"),
        connector_id=row.text("connector_id"),
        client_states={
            client: ClientState(
                authenticated_at=instant(state.get("AuthenticatedAt")),
                last_activity_at=instant(state.get("LastActivity")),
                last_token_issued_at=instant(state.get("LastTokenIssuedAt")),
                via_sso=state.get("ViaSSO", False),
            )
            for client, state in row.object("client_states").items()
        },
        created_at=row.instant("created_at"),
        last_activity_at=row.instant("last_activity"),
        ip_address=row.text("ip_address"),
        user_agent=row.text("user_agent"),
        absolute_expires_at=row.instant("absolute_expiry"),
        idle_expires_at=row.instant("idle_expiry"),
        logout_state=LogoutState(
            post_logout_redirect_uri=logout.get("PostLogoutRedirectURI", ""),
            state=logout.get("State", ""),
            client_id=logout.get("ClientID", ""),
            connector_id=logout.get("ConnectorID", ""),
        )
        if logout
        else None,
    )


def _password(row: DexRow) -> Password:
    return Password(
        email=row.text("email"),
        hash=row.raw("hash"),
        user_id=row.text("user_id"),
        username=row.text("username"),
        name=row.text("name"),
        preferred_username=row.text("preferred_username"),
        email_verified=None if row.columns.get("email_verified") is None else row.flag("email_verified"),
        groups=row.texts("groups"),
    )


def _connector(row: DexRow) -> ConnectorRecord:
    return ConnectorRecord(
        id=row.text("id"),
        type=row.text("type"),
        name=row.text("name"),
        config=row.raw("config") or b"{}",
        grant_types=row.texts("grant_types"),
        resource_version=row.text("resource_version"),
    )


def _device_request(row: DexRow) -> DeviceRequest:
    return DeviceRequest(
        user_code=row.text("user_code"),
        device_code=row.text("device_code"),
        client_id=row.text("client_id"),
        client_secret=row.text("client_secret"),
        scopes=row.texts("scopes"),
        expires_at=row.instant("expiry"),
    )


def _device_token(row: DexRow) -> DeviceToken:
    return DeviceToken(
        device_code=row.text("device_code"),
        status=DeviceTokenStatus(row.text("status")),
        token_response=row.text("token"),
        expires_at=row.instant("expiry"),
        last_polled_at=row.instant("last_request"),
        poll_interval=row.number("poll_interval"),
        proof_key=row.proof_key(),
    )


def _keys(row: DexRow) -> Keys:
    private, public = row.object("signing_key"), row.object("signing_key_pub")
    former = orjson.loads(row.raw("verification_keys") or b"null") or []
    return Keys(
        signing_key=KeyPair(private=private, public=public) if private and public else None,
        verification_keys=tuple(
            VerificationKey(public_key=key["publicKey"], expires_at=instant(key["expiry"])) for key in former
        ),
        next_rotation_at=row.instant("next_rotation"),
    )


_PERSON = ("user_id", "connector_id")

#: Every table of dex's that holds something; a dex of some years ago lacks the later ones.
DEX_TABLES: tuple[DexTable, ...] = (
    DexTable(name="client", kind=CLIENTS, read=_client),
    DexTable(name="auth_request", kind=AUTH_REQUESTS, read=_auth_request),
    DexTable(name="auth_code", kind=AUTH_CODES, read=_auth_code, key_is_secret=True),
    DexTable(name="refresh_token", kind=REFRESH_TOKENS, read=_refresh_token),
    DexTable(
        name="offline_session", kind=OFFLINE_SESSIONS, read=_offline_session, key=("user_id", "conn_id")
    ),
    DexTable(name="user_identity", kind=USER_IDENTITIES, read=_user_identity, key=_PERSON),
    DexTable(name="auth_session", kind=AUTH_SESSIONS, read=_auth_session),
    DexTable(name="password", kind=PASSWORDS, read=_password, key=("email",)),
    DexTable(name="connector", kind=CONNECTORS, read=_connector),
    DexTable(
        name="device_request",
        kind=DEVICE_REQUESTS,
        read=_device_request,
        key=("user_code",),
        key_is_secret=True,
    ),
    DexTable(
        name="device_token", kind=DEVICE_TOKENS, read=_device_token, key=("device_code",), key_is_secret=True
    ),
    DexTable(name="keys", kind=KEYS, read=_keys),
)
