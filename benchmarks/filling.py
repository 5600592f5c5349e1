"""Fills a database with what years of logins leave behind: `python -m benchmarks.filling FILE ROWS`.

It writes through the storage engine itself, so that the rows are what the daemon would have written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from twisted.internet.task import react

from benchmarks.application import SCOPE
from benchmarks.daemon import CLIENT_ID, REDIRECT_URI, SEATS
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.claims import Claims, ProofKey
from dextwist.model.ids import new_id, new_long_id
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.storage.interface import Create, Storage
from dextwist.storage.sql.sqlite import SqliteStorage

#: People whose rows share a write.
_AT_ONCE = 500
_SCOPES = tuple(SCOPE.split())
_PROOF_KEY = ProofKey(code_challenge="x" * 43, code_challenge_method="S256")


async def fill(storage: Storage, people: int, now: datetime) -> None:
    """Store a refresh token, an offline session, and an expired login or code for each of so many people."""
    for first in range(0, people, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, people))
        await storage.write(*(change for number in numbers for change in _left_by(number, now)))


def _left_by(number: int, now: datetime) -> Iterator[Create[Any]]:
    """What one person has left: half of them a login that never ended, half of them a code."""
    claims = Claims(
        user_id=f"person-{number}",
        username=f"Person {number}",
        email=f"person{number}@example.com",
        email_verified=True,
        groups=("authors",),
    )
    connector_id = f"mock{number % SEATS}"
    token = RefreshToken(
        id=new_id(),
        token=new_id(),
        client_id=CLIENT_ID,
        connector_id=connector_id,
        scopes=_SCOPES,
        claims=claims,
        created_at=now,
        last_used_at=now,
        rechecked_at=now,
        auth_time=now,
    )
    ref = RefreshTokenRef(id=token.id, client_id=CLIENT_ID, created_at=now, last_used_at=now)
    session = OfflineSession(user_id=claims.user_id, connector_id=connector_id, refresh={token.id: ref})
    yield Create(REFRESH_TOKENS, token)
    yield Create(OFFLINE_SESSIONS, session)
    expired_at = now - timedelta(hours=1)
    if number % 2:
        yield Create(
            AUTH_CODES,
            AuthCode(
                id=new_long_id(),
                client_id=CLIENT_ID,
                redirect_uri=REDIRECT_URI,
                scopes=_SCOPES,
                connector_id=connector_id,
                expires_at=expired_at,
                claims=claims,
                proof_key=_PROOF_KEY,
            ),
        )
    else:
        yield Create(
            AUTH_REQUESTS,
            AuthRequest(
                id=new_id(),
                client_id=CLIENT_ID,
                response_types=("code",),
                scopes=_SCOPES,
                redirect_uri=REDIRECT_URI,
                expires_at=expired_at,
                connector_id=connector_id,
                state="x" * 16,
                proof_key=_PROOF_KEY,
                hmac_key=new_long_id().encode(),
                browser_digest=bytes(32),
            ),
        )


async def main(reactor: Any, file: str, people: str) -> None:
    """Make the database, or add to it."""
    storage = SqliteStorage(file=file, reactor=reactor, clock=reactor)
    await storage.start()
    try:
        await fill(storage, int(people), utc_now(reactor))
    finally:
        await storage.stop()


if __name__ == "__main__":
    react(main, sys.argv[1:])
