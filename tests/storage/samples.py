"""One full value of each kind: every member differs from its default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.auth_session import AUTH_SESSIONS, AuthSession, ClientState, LogoutState
from dextwist.model.claims import Claims, ProofKey
from dextwist.model.client import CLIENTS, Client
from dextwist.model.connector import CONNECTORS, ConnectorRecord
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceLogin,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.model.keys import KEYS, KeyPair, Keys, VerificationKey
from dextwist.model.kind import Kind
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.password import PASSWORDS, Password
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.revoked_token import REVOKED_TOKENS, RevokedToken
from dextwist.model.used_assertion import USED_ASSERTIONS, UsedAssertion
from dextwist.model.user_identity import USER_IDENTITIES, MFASecret, UserIdentity, WebAuthnCredential

NOW = datetime(2026, 8, 1, 12, 30, 15, 123000, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

CLAIMS = Claims(
    user_id="1",
    username="jane",
    preferred_username="janey",
    email="jane.doe@example.com",
    email_verified=True,
    groups=("a", "b"),
)
PROOF_KEY = ProofKey(code_challenge="12345", code_challenge_method="S256")

CLIENT = Client(
    id="client",
    secret="foobar",
    name="dex client",
    public=True,
    logo_url="https://example.com/logo.png",
    redirect_uris=("foo://bar.com/", "https://auth.example.com"),
    post_logout_redirect_uris=("https://app.example.com/logout",),
    backchannel_logout_uri="https://app.example.com/backchannel",
    refresh_token_lifetime="session",
    trusted_peers=("other",),
    allowed_connectors=("ldap", "saml"),
    mfa_chain=("totp",),
    sso_shared_with=("other",),
    client_credentials_groups=("robots",),
    jwks=({"kty": "OKP", "crv": "Ed25519", "x": "AA"},),
)
AUTH_REQUEST = AuthRequest(
    id="request",
    client_id="client",
    response_types=("code",),
    scopes=("openid", "email"),
    redirect_uri="https://localhost:80/callback",
    expires_at=LATER,
    connector_id="ldap",
    nonce="foo",
    user_code="BCDF-GHJK",
    state="bar",
    response_mode="fragment",
    force_approval_prompt=True,
    prompt="login consent",
    max_age=600,
    hinted_subject="subject",
    hmac_key=b"hmac_key",
    browser_digest=b"\x00\xffdigest",
    proof_key=PROOF_KEY,
    connector_data=b'{"some":"data"}',
    logged_in=True,
    claims=CLAIMS,
    auth_time=NOW,
    mfa_validated=True,
    webauthn_session_data=b"session",
)
AUTH_CODE = AuthCode(
    id="code",
    client_id="client",
    redirect_uri="https://localhost:80/callback",
    scopes=("openid", "email"),
    connector_id="ldap",
    expires_at=LATER,
    nonce="foobar",
    claims=CLAIMS,
    connector_data=b'{"some":"data"}',
    auth_time=NOW,
    session_id="session",
    proof_key=PROOF_KEY,
    user_code="BCDF-GHJK",
    failed_attempts=2,
    redeemed=True,
    access_token_id="jti",
    refresh_token_id="refresh",
)
REFRESH_TOKEN = RefreshToken(
    id="refresh",
    client_id="client",
    connector_id="ldap",
    scopes=("openid", "email", "profile"),
    created_at=NOW,
    last_used_at=LATER,
    token="bar",
    obsolete_token="foo",
    spent_digests=("one", "two"),
    rotated_at=LATER,
    rechecked_at=NOW,
    nonce="foobar",
    claims=CLAIMS,
    connector_data=b"\x80\x00data",
    auth_time=NOW,
)
REFRESH_TOKEN_REF = RefreshTokenRef(
    id="refresh", client_id="client", created_at=NOW, last_used_at=LATER, session_id="session"
)
OFFLINE_SESSION = OfflineSession(
    user_id="user",
    connector_id="ldap",
    refresh={"refresh": REFRESH_TOKEN_REF},
    connector_data=b'{"some":"data"}',
)
USER_IDENTITY = UserIdentity(
    user_id="user",
    connector_id="ldap",
    claims=CLAIMS,
    consents={"client": ("openid", "email")},
    mfa_secrets={
        "totp": MFASecret(
            authenticator_id="totp",
            type="TOTP",
            secret="otpauth://totp/dex",
            confirmed=True,
            created_at=NOW,
            last_used_counter=7,
        )
    },
    webauthn_credentials={
        "key": (
            WebAuthnCredential(
                credential_id=b"\x01",
                public_key=b"\x02",
                attestation_type="none",
                aaguid=b"\x03",
                sign_count=4,
                clone_warning=True,
                transport=("usb",),
                backup_eligible=True,
                backup_state=True,
                display_name="my key",
                created_at=NOW,
            ),
        )
    },
    created_at=NOW,
    last_login_at=LATER,
    blocked_until=LATER,
)
AUTH_SESSION = AuthSession(
    id="session",
    secret="secret",
    user_id="user",
    connector_id="ldap",
    client_states={
        "client": ClientState(
            authenticated_at=NOW, last_activity_at=NOW, last_token_issued_at=NOW, via_sso=True
        )
    },
    created_at=NOW,
    last_activity_at=NOW,
    ip_address="192.0.2.1",
    user_agent="TestBrowser/1.0",
    absolute_expires_at=LATER,
    idle_expires_at=LATER,
    logout_state=LogoutState(
        post_logout_redirect_uri="https://app.example.com/logout",
        state="state",
        client_id="client",
        connector_id="ldap",
    ),
)
PASSWORD = Password(
    email="jane@example.com",
    hash=b"$2a$10$hash",
    user_id="user",
    username="jane",
    name="Jane Doe",
    preferred_username="janey",
    email_verified=False,
    groups=("a", "b"),
)
CONNECTOR = ConnectorRecord(
    id="stored",
    type="ldap",
    name="Directory",
    config=b'{"host":"ldap.example.com"}',
    grant_types=("authorization_code",),
    resource_version="1",
)
DEVICE_REQUEST = DeviceRequest(
    user_code="ABCD-WXYZ",
    device_code="device",
    client_id="client",
    client_secret="secret",
    scopes=("openid", "email"),
    expires_at=LATER,
    browser_digests=(b"\x00\xff", b"another"),
)
DEVICE_TOKEN = DeviceToken(
    device_code="device",
    client_id="client",
    status=DeviceTokenStatus.COMPLETE,
    login=DeviceLogin(
        scopes=("openid", "email"),
        connector_id="connector",
        claims=CLAIMS,
        connector_data=b"\x00\xff",
        auth_time=NOW,
        session_id="session",
    ),
    token_response='{"access_token":"x"}',
    expires_at=LATER,
    last_polled_at=NOW,
    poll_interval=5,
    proof_key=PROOF_KEY,
)
RSA_KEY = {"use": "sig", "kty": "RSA", "kid": "rsa", "alg": "RS256", "n": "AQAB", "e": "AQAB"}
EC_KEY = {"use": "sig", "kty": "EC", "kid": "ec", "alg": "ES256", "crv": "P-256", "x": "AA", "y": "BB"}
SIGNING_KEYS = Keys(
    signing_key=KeyPair(private={**RSA_KEY, "d": "CC"}, public=RSA_KEY),
    next_key=KeyPair(private={**EC_KEY, "d": "DD"}, public=EC_KEY),
    next_published_at=NOW,
    verification_keys=(
        VerificationKey(public_key=RSA_KEY, expires_at=NOW),
        VerificationKey(public_key=EC_KEY, expires_at=LATER),
    ),
    next_rotation_at=LATER,
)
REVOKED_TOKEN = RevokedToken(id="jti", expires_at=LATER)

SAMPLES: dict[Kind[Any], Any] = {
    CLIENTS: CLIENT,
    AUTH_REQUESTS: AUTH_REQUEST,
    AUTH_CODES: AUTH_CODE,
    REFRESH_TOKENS: REFRESH_TOKEN,
    OFFLINE_SESSIONS: OFFLINE_SESSION,
    USER_IDENTITIES: USER_IDENTITY,
    AUTH_SESSIONS: AUTH_SESSION,
    PASSWORDS: PASSWORD,
    CONNECTORS: CONNECTOR,
    DEVICE_REQUESTS: DEVICE_REQUEST,
    DEVICE_TOKENS: DEVICE_TOKEN,
    KEYS: SIGNING_KEYS,
    REVOKED_TOKENS: REVOKED_TOKEN,
    USED_ASSERTIONS: UsedAssertion(id="digest", expires_at=LATER),
}


def expiring(kind: Kind[Any], at: datetime) -> Any:
    """The sample of a kind, expiring at that instant."""
    if kind is AUTH_SESSIONS:
        return attrs.evolve(AUTH_SESSION, absolute_expires_at=at, idle_expires_at=at)
    return attrs.evolve(SAMPLES[kind], expires_at=at)
