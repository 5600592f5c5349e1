"""Garbage: what has expired goes, whatever the time zone, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import attrs

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_session import AUTH_SESSIONS, AuthSession
from dextwist.model.kinds import ALL_KINDS
from dextwist.storage.interface import (
    Change,
    Create,
    Update,
    every,
)
from tests.storage.conformance.base import StorageSuite
from tests.storage.samples import (
    AUTH_SESSION,
    LATER,
    NOW,
    SAMPLES,
    expiring,
)

EXPIRING = [kind for kind in ALL_KINDS if kind.expires_at is not None]
ZONES = [UTC, timezone(timedelta(hours=-4)), timezone(timedelta(hours=-7))]


class GarbageSuite(StorageSuite):
    """dex's suite of garbage collection and time zones."""

    async def test_collection_before_the_expiry_removes_nothing(self) -> None:
        storage = await self.opened(*((kind, expiring(kind, NOW)) for kind in EXPIRING))
        for zone in ZONES:
            counts = await storage.collect_garbage((NOW - timedelta(hours=1)).astimezone(zone))
            for kind in EXPIRING:
                self.assertEqual(counts.get(kind.name, 0), 0)
                await storage.get(kind, kind.key_of(expiring(kind, NOW)))

    async def test_collection_at_the_very_instant_removes_nothing(self) -> None:
        storage = await self.opened((AUTH_CODES, expiring(AUTH_CODES, NOW)))
        self.assertEqual((await storage.collect_garbage(NOW)).get("auth_code", 0), 0)
        counts = await storage.collect_garbage(NOW + timedelta(milliseconds=1))
        self.assertEqual(counts["auth_code"], 1)

    async def test_collection_after_the_expiry_removes_each_kind(self) -> None:
        for zone in ZONES:
            storage = await self.opened(*((kind, expiring(kind, NOW.astimezone(zone))) for kind in EXPIRING))
            counts = await storage.collect_garbage((NOW + timedelta(hours=1)).astimezone(zone))
            for kind in EXPIRING:
                self.assertEqual(counts[kind.name], 1)
                await self.assert_gone(storage, kind, kind.key_of(expiring(kind, NOW)))
            counts = await storage.collect_garbage(NOW + timedelta(hours=1))
            self.assertFalse(any(counts.values()))

    async def test_collection_leaves_what_never_expires(self) -> None:
        storage = await self.opened(*SAMPLES.items())
        await storage.collect_garbage(datetime(2100, 1, 1, tzinfo=UTC))
        for kind, value in SAMPLES.items():
            if kind.expires_at is None:
                await self.assert_stored(storage, kind, value)

    async def test_session_is_collected_at_the_earlier_of_its_limits(self) -> None:
        hour = timedelta(hours=1)
        for absolute, idle in ((NOW - hour, NOW + hour), (NOW + hour, NOW - hour)):
            session = attrs.evolve(AUTH_SESSION, absolute_expires_at=absolute, idle_expires_at=idle)
            storage = await self.opened((AUTH_SESSIONS, session))
            self.assertEqual((await storage.collect_garbage(NOW))["auth_session"], 1)
            await self.assert_gone(storage, AUTH_SESSIONS, "session")

    async def test_session_that_was_used_again_is_not_collected(self) -> None:
        storage = await self.opened((AUTH_SESSIONS, expiring(AUTH_SESSIONS, NOW)))

        def used(session: AuthSession) -> AuthSession:
            return attrs.evolve(session, absolute_expires_at=LATER, idle_expires_at=LATER)

        await storage.write(Update(AUTH_SESSIONS, "session", used))
        counts = await storage.collect_garbage(NOW + timedelta(minutes=30))
        self.assertEqual(counts.get("auth_session", 0), 0)

    async def test_session_without_limits_is_never_collected(self) -> None:
        session = AuthSession(id="session", secret="", user_id="user", connector_id="ldap")
        storage = await self.opened((AUTH_SESSIONS, session))
        await storage.collect_garbage(datetime(2100, 1, 1, tzinfo=UTC))
        await self.assert_stored(storage, AUTH_SESSIONS, session)

    async def test_instant_of_another_zone_stays_the_same_instant(self) -> None:
        code = expiring(AUTH_CODES, LATER.astimezone(ZONES[1]))
        storage = await self.opened((AUTH_CODES, code))
        self.assertEqual((await storage.get(AUTH_CODES, "code")).expires_at, LATER)

    async def test_collection_of_many_leaves_the_living(self) -> None:
        storage = await self.opened()
        changes: list[Change] = []
        for number in range(900):
            at = NOW + timedelta(seconds=1 if number % 3 == 0 else -1)
            changes.append(Create(AUTH_CODES, attrs.evolve(expiring(AUTH_CODES, at), id=f"code{number}")))
        await storage.write(*changes)
        self.assertEqual((await storage.collect_garbage(NOW))["auth_code"], 600)
        self.assertEqual(len(await every(storage, AUTH_CODES)), 300)
