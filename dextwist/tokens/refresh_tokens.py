"""Making and ending refresh tokens: the changes that belong together in one storage write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from dextwist.model.ids import new_id
from dextwist.model.kind import Key
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.oauth.packed import packed, unpacked
from dextwist.storage.interface import Change, Create, Delete, NotFound, Storage, Update
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import family_of, revocation


def refresh_token_string(token: RefreshToken) -> str:
    """What the client gets: id and secret, as dex packs them."""
    return packed(token.id, token.token)


def parse_refresh_token(text: str) -> tuple[str, str]:
    """The id and the secret. Text of another form is the bare id of a very old token."""
    try:
        token_id, secret = unpacked(text)
    except ValueError:
        return text, ""
    return token_id, secret


def session_key(user_id: str, connector_id: str) -> Key:
    """Under which offline session the refresh tokens of a person and connector are listed."""
    return (user_id, connector_id)


@attrs.frozen(kw_only=True)
class RefreshTokenMaker:
    """Makes refresh tokens, and lets the oldest go where one person has too many at one client."""

    storage: Storage
    max_per_client: int
    new_id: Callable[[], str] = new_id

    async def creation(
        self, subject: TokenSubject, now: datetime, connector_data: bytes
    ) -> tuple[RefreshToken, tuple[Change, ...]]:
        """A new refresh token for the subject, and the changes that store it. Raises StorageError."""
        token = RefreshToken(
            id=self.new_id(),
            token=self.new_id(),
            client_id=subject.client_id,
            connector_id=subject.connector_id,
            scopes=subject.scopes,
            nonce=subject.nonce,
            claims=subject.claims,
            auth_time=subject.auth_time,
            created_at=now,
            last_used_at=now,
            rechecked_at=now,
        )
        ref = RefreshTokenRef(
            id=token.id,
            client_id=token.client_id,
            created_at=now,
            last_used_at=now,
            session_id=subject.session_id,
        )
        key = session_key(subject.claims.user_id, subject.connector_id)
        oldest = await self._too_many(key, token.client_id)

        def listed(session: OfflineSession) -> OfflineSession:
            kept = {name: old for name, old in session.refresh.items() if name not in oldest}
            return attrs.evolve(
                session,
                refresh={**kept, token.id: ref},
                connector_data=connector_data or session.connector_data,
            )

        empty = OfflineSession(user_id=subject.claims.user_id, connector_id=subject.connector_id)
        return token, (
            Create(REFRESH_TOKENS, token),
            Update(OFFLINE_SESSIONS, key, listed, default=empty),
            *(Delete(REFRESH_TOKENS, name, missing_ok=True) for name in oldest),
        )

    async def _too_many(self, key: Key, client_id: str) -> list[str]:
        """The ids of the refresh tokens that make room for one more."""
        try:
            session = await self.storage.get(OFFLINE_SESSIONS, key)
        except NotFound:
            return []
        refs = session.of_client(client_id)
        return [ref.id for ref in refs[: max(0, len(refs) + 1 - self.max_per_client)]]


def ending(
    token_id: str, user_id: str, connector_id: str, *, access_tokens_until: datetime
) -> tuple[Change, ...]:
    """The changes that end a refresh token, all that rotation made of it and all access tokens given with it.

    Those access tokens have expired by `access_tokens_until`. Their end comes first: as long as the
    refresh token is there, all of it can be tried again.
    """

    def unlisted(session: OfflineSession) -> OfflineSession:
        kept = {name: ref for name, ref in session.refresh.items() if name != token_id}
        return attrs.evolve(session, refresh=kept)

    return (
        revocation(family_of(token_id), access_tokens_until),
        Delete(REFRESH_TOKENS, token_id, missing_ok=True),
        Update(
            OFFLINE_SESSIONS,
            session_key(user_id, connector_id),
            unlisted,
            default=OfflineSession(user_id=user_id, connector_id=connector_id),
        ),
    )
