"""Scopes (RFC 6749 §3.3, OpenID Connect Core §5.4) and dex's cross-client audiences."""

from __future__ import annotations

from collections.abc import Iterable

from dextwist.oauth.errors import OAuthError

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
EMAIL = "email"
PROFILE = "profile"
GROUPS = "groups"
FEDERATED_ID = "federated:id"
_CROSS_CLIENT = "audience:server:client_id:"

MAX_SCOPES = 100
KNOWN_SCOPES = frozenset({OPENID, OFFLINE_ACCESS, EMAIL, PROFILE, GROUPS, FEDERATED_ID})


def parse_scopes(text: str) -> tuple[str, ...]:
    """The scopes of a request, in order, without repeats. More blanks than one do no harm.

    Raises OAuthError (invalid_scope) for more than anybody needs: each may be a look into the storage.
    """
    scopes = tuple(dict.fromkeys(text.split()))
    if len(scopes) > MAX_SCOPES:
        raise OAuthError("invalid_scope", f"more than {MAX_SCOPES} scopes")
    return scopes


def peer_of(scope: str) -> str | None:
    """The client that a cross-client scope asks tokens for; None for every other scope."""
    return scope.removeprefix(_CROSS_CLIENT) if scope.startswith(_CROSS_CLIENT) else None


def peers_of(scopes: Iterable[str]) -> list[str]:
    """The clients that the cross-client scopes name, in order."""
    return [scope.removeprefix(_CROSS_CLIENT) for scope in scopes if scope.startswith(_CROSS_CLIENT)]


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes that mean nothing here."""
    return [scope for scope in scopes if scope not in KNOWN_SCOPES and peer_of(scope) is None]
