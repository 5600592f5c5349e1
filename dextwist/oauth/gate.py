"""The one gate: what a client may do, with which connector, by which grant, for which scopes.

Every endpoint asks these functions and decides nothing of the kind itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from dextwist.model.client import Client
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CALLBACK,
    IMPLICIT,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from dextwist.oauth.pkce import PLAIN
from dextwist.oauth.redirect_uris import allowed_redirect_uri
from dextwist.oauth.response_types import CODE, RESPONSE_TYPES, is_enabled
from dextwist.oauth.scopes import FEDERATED_ID, OFFLINE_ACCESS, OPENID, peer_of, unknown_scopes


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


def served_response_types(enabled: Sequence[str], listed_grants: Collection[str]) -> tuple[str, ...]:
    """The response types that are answered where these grants are listed; an empty list means all of them.

    A code can only be redeemed by the grant `authorization_code`; an answer without one is the grant
    `implicit`. What the enabled values stand for is spelled out once one of them is not served.
    """

    def is_served(response_type: str) -> bool:
        grant = AUTHORIZATION_CODE if CODE in response_type.split() else IMPLICIT
        return not listed_grants or grant in listed_grants

    if all(map(is_served, enabled)):
        return tuple(enabled)
    return tuple(each for each in RESPONSE_TYPES if is_served(each) and is_enabled(each.split(), enabled))


def check_grant(client: Client, grant_type: str) -> None:
    """Raise OAuthError (unauthorized_client) where the grant is not for this client (RFC 6749 §4.4)."""
    if client.public and grant_type == CLIENT_CREDENTIALS:
        raise OAuthError("unauthorized_client", "a public client cannot act in its own name")


def check_device(client: Client, issuer_path: str) -> None:
    """Raise OAuthError (unauthorized_client) where the client cannot sign in devices.

    As in dex, that is allowed by registering our callback for devices as a redirect target, or by being a
    public client without any.
    """
    device_callback = issuer_path + DEVICE_CALLBACK
    if allowed_redirect_uri(client, device_callback, issuer_path) is None:
        raise OAuthError("unauthorized_client", f"{device_callback} is no redirect URI of this client")


def check_introspection(client: Client) -> None:
    """Raise OAuthError (invalid_client) for a client whose name anybody can use (RFC 7662 §2.1)."""
    if client.public and not client.secret:
        raise OAuthError("invalid_client", "a public client cannot prove who it is", status=401)


def check_connector(client: Client, connector: ConnectorRecord, grant_type: str) -> None:
    """Raise OAuthError unless client and connector go together for the grant at the token endpoint."""
    if not may_use_connector(client, connector.id):
        raise OAuthError("invalid_grant", "the client may not use this connector")
    # Whether it serves a code was decided when the login began: there a hybrid request counts as implicit.
    if grant_type != AUTHORIZATION_CODE and not serves_grant(connector, grant_type):
        raise OAuthError("invalid_request", f"the connector does not serve the grant {grant_type}")


def unknown_connector(grant_type: str) -> OAuthError:
    """What a client is told about a connector that does not exist.

    A code or a refresh token died with its connector; elsewhere it is the request that names nothing.
    """
    error = "invalid_request" if grant_type in (PASSWORD, TOKEN_EXCHANGE) else "invalid_grant"
    return OAuthError(error, "there is no such connector")


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
    """Raise OAuthError (invalid_scope) unless a person's login may be asked for with these scopes."""
    if OPENID not in scopes:
        raise OAuthError("invalid_scope", "the scope openid is missing")
    _check_known(scopes)
    check_peers(client.id, scopes, peers)


def check_machine_scopes(client: Client, scopes: Collection[str], peers: Mapping[str, Client]) -> None:
    """Raise OAuthError (invalid_scope) unless a client may ask for these scopes in its own name.

    What is about a person's login makes no sense there.
    """
    if refused := [scope for scope in scopes if scope in (OFFLINE_ACCESS, FEDERATED_ID)]:
        raise OAuthError("invalid_scope", f"nobody logs in here, so not: {' '.join(refused)}")
    _check_known(scopes)
    check_peers(client.id, scopes, peers)


def check_peers(client_id: str, scopes: Collection[str], peers: Mapping[str, Client]) -> None:
    """Raise OAuthError (invalid_scope) where a cross-client scope's peer does not trust the client."""
    if untrusted := untrusted_peers(client_id, scopes, peers):
        raise OAuthError("invalid_scope", f"no trust for the scopes: {' '.join(untrusted)}")


def _check_known(scopes: Collection[str]) -> None:
    if unknown := unknown_scopes(scopes):
        raise OAuthError("invalid_scope", f"unknown scopes: {' '.join(unknown)}")


def check_refresh_scopes(asked: Collection[str], granted: Collection[str]) -> None:
    """Raise OAuthError (invalid_scope) where more is asked than was granted (RFC 6749 §6)."""
    if more := [scope for scope in asked if scope not in granted]:
        raise OAuthError("invalid_scope", f"scopes that were not granted: {' '.join(more)}")


def check_challenge(
    client: Client, challenge: str, method: str, policy: ProofKeyPolicy, *, client_gets_code: bool
) -> None:
    """Raise OAuthError (invalid_request) unless the code challenge satisfies the policy.

    None is demanded where the browser brings the client no code: a device's own proof is checked when it
    polls, and `id_token` alone gives nothing to redeem.
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
    if not client_gets_code:
        return
    if policy.required_for_all:
        raise OAuthError("invalid_request", "a code_challenge is required here")
    if client.public and policy.required_for_public_clients:
        raise OAuthError(
            "invalid_request",
            "a public client needs a code_challenge (oauth2.pkce.requiredForPublicClients)",
        )
