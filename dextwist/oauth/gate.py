"""The one gate: what a client may do, with which connector, by which grant, for which scopes.

Every endpoint asks these functions and decides nothing of the kind itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import attrs

from dextwist.model.client import Client
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import DEVICE_CODE, REFRESH_TOKEN
from dextwist.oauth.pkce import PLAIN
from dextwist.oauth.scopes import OFFLINE_ACCESS, OPENID, peer_of, unknown_scopes


@attrs.frozen(kw_only=True)
class ProofKeyPolicy:
    """Which code challenges are taken, and from whom one is demanded."""

    methods: tuple[str, ...]
    required_for_all: bool
    required_for_public_clients: bool


def may_use_connector(client: Client, connector_id: str) -> bool:
    """Whether the client's `allowedConnectors` let it use the connector."""
    return not client.allowed_connectors or connector_id in client.allowed_connectors


def serves_grant(connector: ConnectorRecord, grant_type: str) -> bool:
    """Whether the connector's `grantTypes` let it serve the grant."""
    return not connector.grant_types or grant_type in connector.grant_types


def usable_connectors(
    client: Client, connectors: Iterable[ConnectorRecord], grant_type: str
) -> list[ConnectorRecord]:
    """The connectors through which the client's person may log in for this grant, in order."""
    return [c for c in connectors if serves_grant(c, grant_type) and may_use_connector(client, c.id)]


def check_connector(client: Client, connector: ConnectorRecord, grant_type: str) -> None:
    """Raise OAuthError unless client and connector go together for the grant at the token endpoint."""
    if not may_use_connector(client, connector.id):
        raise OAuthError("invalid_grant", "the client may not use this connector")
    if not serves_grant(connector, grant_type):
        raise OAuthError("invalid_request", f"the connector does not serve the grant {grant_type}")


def gives_refresh_token(connector: ConnectorRecord, can_refresh: bool, scopes: Collection[str]) -> bool:
    """Whether a login through the connector gives a refresh token."""
    return can_refresh and serves_grant(connector, REFRESH_TOKEN) and OFFLINE_ACCESS in scopes


def trusts(peer: Client, client_id: str) -> bool:
    """Whether tokens of the client may have the peer in their audience."""
    return peer.id == client_id or client_id in peer.trusted_peers


def untrusted_peers(client_id: str, scopes: Iterable[str], peers: Mapping[str, Client]) -> list[str]:
    """The cross-client scopes whose peer does not trust the client. `peers` holds those that exist."""
    refused = []
    for scope in scopes:
        peer_id = peer_of(scope)
        if peer_id is not None and peer_id != client_id:
            peer = peers.get(peer_id)
            if peer is None or not trusts(peer, client_id):
                refused.append(scope)
    return refused


def check_authorization_scopes(client: Client, scopes: Collection[str], peers: Mapping[str, Client]) -> None:
    """Raise OAuthError (invalid_scope) unless an authorization request may ask for these scopes."""
    if OPENID not in scopes:
        raise OAuthError("invalid_scope", "the scope openid is missing")
    if unknown := unknown_scopes(scopes):
        raise OAuthError("invalid_scope", f"unknown scopes: {' '.join(unknown)}")
    if untrusted := untrusted_peers(client.id, scopes, peers):
        raise OAuthError("invalid_scope", f"no trust for the scopes: {' '.join(untrusted)}")


def check_refresh_scopes(asked: Collection[str], granted: Collection[str]) -> None:
    """Raise OAuthError (invalid_scope) where more is asked than was granted (RFC 6749 §6)."""
    if more := [scope for scope in asked if scope not in granted]:
        raise OAuthError("invalid_scope", f"scopes that were not granted: {' '.join(more)}")


def check_challenge(
    client: Client, challenge: str, method: str, grant_type: str, policy: ProofKeyPolicy
) -> None:
    """Raise OAuthError (invalid_request) unless the code challenge satisfies the policy.

    A device login carries none through the browser: its own proof is checked when the device polls.
    """
    if challenge:
        if (method or PLAIN) not in policy.methods:
            raise OAuthError(
                "invalid_request",
                f"code_challenge_method {method or PLAIN} is not one of {' '.join(policy.methods)}",
            )
        return
    if method and method not in policy.methods:
        raise OAuthError("invalid_request", f"code_challenge_method {method} is not supported")
    if grant_type == DEVICE_CODE:
        return
    if policy.required_for_all:
        raise OAuthError("invalid_request", "a code_challenge is required here")
    if client.public and policy.required_for_public_clients:
        raise OAuthError(
            "invalid_request",
            "a public client needs a code_challenge (oauth2.pkce.requiredForPublicClients)",
        )
