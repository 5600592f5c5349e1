"""What a token is worth at this moment, told to those it is for (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.model.auth_session import AUTH_SESSIONS
from dextwist.model.client import CLIENTS, Client
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.packed import packed_subject
from dextwist.signing.interface import InvalidToken
from dextwist.storage.interface import NotFound, Storage
from dextwist.tokens.claims import client_of
from dextwist.tokens.refresh_policy import RefreshPolicy, Verdict, judge
from dextwist.tokens.refresh_tokens import parse_refresh_token, session_key
from dextwist.tokens.verifier import TokenVerifier

Answer = dict[str, Any]

#: The members that `ext` takes over from an access token.
_EXTENDED = (
    "azp",
    "sid",
    "email",
    "email_verified",
    "groups",
    "name",
    "preferred_username",
    "federated_claims",
)


@attrs.frozen(kw_only=True)
class TokenIntrospector:
    """Answers about access tokens and refresh tokens, in dex's members and their order.

    A token is active if it could be used now. A client learns nothing about a token that it neither
    got nor is in the audience of: for it that token is inactive like any text.
    """

    issuer: str
    storage: Storage
    verifier: TokenVerifier
    clock: IReactorTime
    policy: RefreshPolicy

    async def introspect(self, token: str, caller: Client | None) -> Answer:
        """The answer for the caller; without one, for anybody. Raises StorageError."""
        try:
            verified = await self.verifier.access_token(token)
        except InvalidToken:
            answer = await self._refresh_token(token)
        else:
            answer = await self._access_token(verified.claims)
        if answer is None or not _is_for(answer, caller):
            return {"active": False}
        return answer

    async def _access_token(self, claims: Mapping[str, Any]) -> Answer | None:
        client = await self._client(client_of(claims))
        if client is None or await self._session_has_ended(client, str(claims.get("sid", ""))):
            return None
        return _answer(
            client_id=client.id,
            subject=claims.get("sub"),
            expires_at=claims["exp"],
            issued_at=claims.get("iat"),
            username=claims.get("preferred_username"),
            audience=claims.get("aud"),
            issuer=self.issuer,
            use="access_token",
            ext={name: claims[name] for name in _EXTENDED if name in claims},
        )

    async def _refresh_token(self, text: str) -> Answer | None:
        token_id, secret = parse_refresh_token(text)
        try:
            token = await self.storage.get(REFRESH_TOKENS, token_id)
            session = await self.storage.get(
                OFFLINE_SESSIONS, session_key(token.claims.user_id, token.connector_id)
            )
        except NotFound:
            return None
        verdict = judge(token, secret, self.policy, utc_now(self.clock))
        client, ref = await self._client(token.client_id), session.refresh.get(token.id)
        if verdict not in (Verdict.CURRENT, Verdict.PREDECESSOR) or client is None or ref is None:
            return None
        if await self._session_has_ended(client, ref.session_id):
            return None
        lifetime = self.policy.absolute_lifetime
        return _answer(
            client_id=client.id,
            subject=packed_subject(token.claims.user_id, token.connector_id),
            expires_at=_seconds(token.created_at + lifetime) if lifetime is not None else None,
            issued_at=_seconds(token.created_at),
            username=token.claims.preferred_username,
            audience=client.id,
            issuer=self.issuer,
            use="refresh_token",
            ext=_extension(token, ref.session_id),
        )

    async def _client(self, client_id: str) -> Client | None:
        try:
            return await self.storage.get(CLIENTS, client_id)
        except NotFound:
            return None

    async def _session_has_ended(self, client: Client, session_id: str) -> bool:
        """Whether the token ended with the browser session that it came from."""
        if not session_id or client.refresh_token_lifetime != "session":  # noqa: S105 - no password
            return False
        try:
            session = await self.storage.get(AUTH_SESSIONS, session_id)
        except NotFound:
            return True
        return session.expires_at <= utc_now(self.clock)


def _is_for(answer: Answer, caller: Client | None) -> bool:
    """Whether the caller got the token, or is in its audience (RFC 7662 §4)."""
    if caller is None or caller.id == answer["client_id"]:
        return True
    audience = answer["aud"]
    return caller.id in ([audience] if isinstance(audience, str) else audience)


def _answer(
    *,
    client_id: str,
    subject: Any,
    expires_at: int | None,
    issued_at: int | None,
    username: str | None,
    audience: Any,
    issuer: str,
    use: str,
    ext: Mapping[str, Any],
) -> Answer:
    answer = {
        "active": True,
        "client_id": client_id,
        "sub": subject,
        "exp": expires_at,
        "iat": issued_at,
        "nbf": issued_at,
        "username": username or None,
        "aud": audience,
        "iss": issuer,
        "token_type": "Bearer",
        "token_use": use,
        "ext": ext,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _extension(token: RefreshToken, session_id: str) -> Mapping[str, Any]:
    """What is known of the person, whatever scopes were granted, as in dex."""
    person = token.claims
    federated = {"connector_id": token.connector_id, "user_id": person.user_id}
    members = {
        "sid": session_id,
        "email": person.email,
        "email_verified": person.email_verified,
        "groups": list(person.groups),
        "name": person.username,
        "preferred_username": person.preferred_username,
        "federated_claims": {name: value for name, value in federated.items() if value},
    }
    return {name: value for name, value in members.items() if value or value is False}


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
