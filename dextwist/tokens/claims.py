"""What ID tokens and access tokens say (OpenID Connect Core §2); both have the same shape, as in dex."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from dextwist.model.claims import Claims
from dextwist.model.times import EPOCH
from dextwist.oauth.packed import packed_subject
from dextwist.oauth.scopes import EMAIL, FEDERATED_ID, GROUPS, PROFILE, peers_of


@attrs.frozen(kw_only=True)
class TokenSubject:
    """Whom a set of tokens is about, for which client, and how they came to be asked for."""

    client_id: str
    scopes: tuple[str, ...]
    claims: Claims
    connector_id: str
    nonce: str = ""
    #: EPOCH: not known, or nobody authenticated.
    auth_time: datetime = EPOCH
    #: the browser session, or empty.
    session_id: str = ""


def audience(client_id: str, scopes: Collection[str]) -> list[str]:
    """The audience: the peers of the cross-client scopes in their order, then the client itself."""
    peers = peers_of(scopes)
    return peers if client_id in peers else [*peers, client_id]


def token_claims(
    subject: TokenSubject, *, issuer: str, token_id: str, issued_at: int, expires_at: int
) -> dict[str, Any]:
    """The claims that ID token and access token share. Times are in seconds since 1970."""
    person, scopes = subject.claims, subject.scopes
    names = audience(subject.client_id, scopes)
    content: dict[str, Any] = {
        "iss": issuer,
        "sub": packed_subject(person.user_id, subject.connector_id),
        "aud": names[0] if len(names) == 1 else names,
        "exp": expires_at,
        "iat": issued_at,
        "jti": token_id,
    }
    if len(names) > 1:
        content["azp"] = subject.client_id
    if subject.nonce:
        content["nonce"] = subject.nonce
    if subject.auth_time > EPOCH:
        content["auth_time"] = int(subject.auth_time.timestamp())
    if subject.session_id:
        content["sid"] = subject.session_id
    if EMAIL in scopes:
        if person.email:
            content["email"] = person.email
        content["email_verified"] = person.email_verified
    if GROUPS in scopes and person.groups:
        content["groups"] = person.groups
    if PROFILE in scopes:
        if person.username:
            content["name"] = person.username
        if person.preferred_username:
            content["preferred_username"] = person.preferred_username
    if FEDERATED_ID in scopes:
        content["federated_claims"] = _without_empty(
            {"connector_id": subject.connector_id, "user_id": person.user_id}
        )
    return content


def client_of(claims: Mapping[str, Any]) -> str:
    """The client that a token was issued to: its only audience, or else `azp`. Empty: none is named."""
    named: Sequence[Any] = claims.get("aud") or ()
    if isinstance(named, str):
        return named
    if len(named) == 1:
        return str(named[0])
    return str(claims.get("azp", "")) if named else ""


def _without_empty(content: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in content.items() if value}
