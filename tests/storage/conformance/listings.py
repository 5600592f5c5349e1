"""Listings: paged, narrowed, in a stable order."""

from __future__ import annotations

import attrs

from dextwist.model.auth_session import AUTH_SESSIONS
from dextwist.model.connector import CONNECTORS
from dextwist.model.kind import Key
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.user_identity import USER_IDENTITIES
from dextwist.storage.interface import (
    Create,
    Delete,
    Storage,
    every,
)
from tests.storage.conformance.base import StorageSuite
from tests.storage.samples import (
    AUTH_SESSION,
    CONNECTOR,
    PASSWORD,
    REFRESH_TOKEN,
    SAMPLES,
    USER_IDENTITY,
)


class ListingSuite(StorageSuite):
    """What `page` promises."""

    async def tokens(self, count: int) -> Storage:
        """A storage with so many refresh tokens, of three people at two clients."""
        storage = await self.opened()
        await storage.write(
            *(
                Create(
                    REFRESH_TOKENS,
                    attrs.evolve(
                        REFRESH_TOKEN,
                        id=f"token{number:02}",
                        client_id=f"client{number % 2}",
                        claims=attrs.evolve(REFRESH_TOKEN.claims, user_id=f"user{number % 3}"),
                    ),
                )
                for number in range(count)
            )
        )
        return storage

    async def test_listings_hold_exactly_what_is_stored(self) -> None:
        storage = await self.opened()
        for kind, second in (
            (PASSWORDS, attrs.evolve(PASSWORD, email="john@example.com")),
            (CONNECTORS, attrs.evolve(CONNECTOR, id="other", grant_types=())),
            (USER_IDENTITIES, attrs.evolve(USER_IDENTITY, user_id="john")),
            (AUTH_SESSIONS, attrs.evolve(AUTH_SESSION, id="other")),
        ):
            self.assertEqual(await every(storage, kind), [])
            await storage.write(Create(kind, SAMPLES[kind]), Create(kind, second))
            self.assertCountEqual(await every(storage, kind), [SAMPLES[kind], second])

    async def test_pages_follow_each_other_without_gap_or_repeat(self) -> None:
        storage = await self.tokens(23)
        everything = [f"token{number:02}" for number in range(23)]
        for limit in (1, 5, 22, 23, 24):
            found: list[str] = []
            after: Key | None = None
            while True:
                page = await storage.page(REFRESH_TOKENS, after=after, limit=limit)
                self.assertLessEqual(len(page.values), limit)
                found += [token.id for token in page.values]
                if page.after is None:
                    break
                self.assertEqual(len(page.values), limit)
                after = page.after
            self.assertEqual(found, everything)

    async def test_paging_goes_on_when_what_it_stood_on_is_deleted(self) -> None:
        storage = await self.tokens(10)
        page = await storage.page(REFRESH_TOKENS, limit=4)
        assert page.after is not None
        await storage.write(Delete(REFRESH_TOKENS, page.after), Delete(REFRESH_TOKENS, "token05"))
        page = await storage.page(REFRESH_TOKENS, after=page.after, limit=2)
        self.assertEqual([token.id for token in page.values], ["token04", "token06"])

    async def test_pages_of_two_part_keys_follow_each_other(self) -> None:
        storage = await self.opened()
        keys = [(user, connector) for user in ("a", "ab", "b") for connector in ("c", "", "bc")]
        for user_id, connector_id in keys:
            identity = attrs.evolve(USER_IDENTITY, user_id=user_id, connector_id=connector_id)
            await storage.write(Create(USER_IDENTITIES, identity))
        found: list[Key] = []
        after: Key | None = None
        while True:
            page = await storage.page(USER_IDENTITIES, after=after, limit=2)
            found += [USER_IDENTITIES.key_of(identity) for identity in page.values]
            if page.after is None:
                break
            after = page.after
        self.assertEqual(len(found), 9)
        self.assertCountEqual(found, keys)

    async def test_listing_is_narrowed_by_fields(self) -> None:
        storage = await self.tokens(12)
        for narrowed_by, expected in (
            ({"user_id": "user1"}, [1, 4, 7, 10]),
            ({"client_id": "client0"}, [0, 2, 4, 6, 8, 10]),
            ({"user_id": "user1", "client_id": "client0"}, [4, 10]),
            ({"user_id": "user1", "connector_id": "ldap", "client_id": "client1"}, [1, 7]),
            ({"connector_id": "saml"}, []),
            ({}, list(range(12))),
        ):
            found = await every(storage, REFRESH_TOKENS, narrowed_by=narrowed_by)
            self.assertEqual([int(token.id[5:]) for token in found], expected)
        page = await storage.page(REFRESH_TOKENS, narrowed_by={"user_id": "user1"}, limit=2)
        self.assertEqual((len(page.values), page.after), (2, "token04"))
        page = await storage.page(REFRESH_TOKENS, narrowed_by={"user_id": "user1"}, limit=2, after=page.after)
        self.assertEqual(([token.id for token in page.values], page.after), (["token07", "token10"], None))

    async def test_narrowing_follows_an_update(self) -> None:
        storage = await self.tokens(3)
        await self.updated(
            storage, REFRESH_TOKENS, "token00", claims=attrs.evolve(REFRESH_TOKEN.claims, user_id="new")
        )
        self.assertEqual(len(await every(storage, REFRESH_TOKENS, narrowed_by={"user_id": "new"})), 1)
        self.assertEqual(await every(storage, REFRESH_TOKENS, narrowed_by={"user_id": "user0"}), [])
