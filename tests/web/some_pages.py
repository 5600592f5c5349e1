"""Pages, and what to show on them, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from dextwist.model.auth_session import AuthSession
from dextwist.model.claims import Claims
from dextwist.oauth.parameters import Form
from dextwist.web.assets import builtin_frontend
from dextwist.web.http import Request
from dextwist.web.pages import ConnectorChoice, Pages, SignedIn

FRONTEND = builtin_frontend()
DISCOVERY = "https://idp.example/dex/.well-known/openid-configuration"

REQUEST = Request(
    method="GET",
    full_path="/dex/auth/local/login",
    query=Form(),
    body=Form(),
    headers={},
    cookies={},
    request_id="3f9a1c52",
)

SESSION = AuthSession(
    id="s",
    secret="never shown",
    user_id="u",
    connector_id="local",
    created_at=datetime(2026, 7, 28, 9, 5, tzinfo=UTC),
    ip_address="203.0.113.9",
    user_agent="Some Browser/1.0",
)
ALICE = SignedIn(
    session=SESSION,
    claims=Claims(
        username="Alice Doe",
        preferred_username="alice",
        email="alice@example.com",
        email_verified=True,
        groups=("engineering", "on call"),
    ),
    connector_name="Company directory",
)


def pages(**more: object) -> Pages:
    return Pages(**{"frontend": FRONTEND, "issuer_path": "/dex", "new_nonce": lambda: "the-nonce", **more})  # type: ignore[arg-type]  # each test names what it changes


PAGES = pages()


def connector(name: str, kind: str = "oidc", connector_id: str = "c") -> ConnectorChoice:
    return ConnectorChoice(id=connector_id, type=kind, name=name, url=f"/dex/auth/{connector_id}")
