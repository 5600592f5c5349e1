"""Writes: one unit each, and many at the same time."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.client import CLIENTS, Client
from dextwist.model.keys import KEYS, Keys, VerificationKey
from dextwist.model.kind import Kind
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.storage.interface import (
    AlreadyExists,
    Create,
    Delete,
    NotFound,
    Storage,
    Update,
    every,
)
from tests.storage.conformance.base import StorageSuite
from tests.storage.samples import (
    CLIENT,
    NOW,
    REFRESH_TOKEN,
    SAMPLES,
)


class Refused(Exception):
    """What a change raises to end its write."""


def with_mark(kind: Kind[Any], value: Any, mark: str) -> Any:
    """A value that remembers which changes were made to it, and in which order."""
    if kind is KEYS:
        key = VerificationKey(public_key={"kid": mark}, expires_at=NOW)
        return attrs.evolve(value, verification_keys=(*value.verification_keys, key))
    member = {CLIENTS: "name", AUTH_REQUESTS: "state", PASSWORDS: "username", REFRESH_TOKENS: "token"}[kind]
    return attrs.evolve(value, **{member: getattr(value, member) + mark})


class WriteSuite(StorageSuite):
    """dex's suites of transactions and of crowds."""

    # A write is one unit.

    async def test_write_of_many_changes_makes_them_in_order(self) -> None:
        storage = await self.opened((AUTH_CODES, SAMPLES[AUTH_CODES]))
        first, second, third = await storage.write(
            Delete(AUTH_CODES, "code"),
            Create(REFRESH_TOKENS, REFRESH_TOKEN),
            Update(REFRESH_TOKENS, "refresh", lambda old: attrs.evolve(old, token="rotated")),
        )
        self.assertEqual((first.after, second.after, third.before), (None, REFRESH_TOKEN, REFRESH_TOKEN))
        self.assertEqual((await storage.get(REFRESH_TOKENS, "refresh")).token, "rotated")
        await self.assert_gone(storage, AUTH_CODES, "code")

    async def test_deleted_and_created_anew_in_one_write(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT))
        other = Client(id="client", name="another")
        await storage.write(Delete(CLIENTS, "client"), Create(CLIENTS, other))
        await self.assert_stored(storage, CLIENTS, other)

    async def test_first_change_gates_the_others(self) -> None:
        storage = await self.opened()
        await self.refusal(
            NotFound, storage.write(Delete(AUTH_CODES, "code"), Create(REFRESH_TOKENS, REFRESH_TOKEN))
        )
        await self.assert_gone(storage, REFRESH_TOKENS, "refresh")

    async def test_last_change_undoes_the_others_when_it_fails(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT), (AUTH_CODES, SAMPLES[AUTH_CODES]))
        await self.refusal(
            AlreadyExists,
            storage.write(
                Delete(AUTH_CODES, "code"),
                Create(REFRESH_TOKENS, REFRESH_TOKEN),
                Update(CLIENTS, "client", lambda old: attrs.evolve(old, name="changed")),
                Create(CLIENTS, CLIENT),
            ),
        )
        await self.assert_stored(storage, AUTH_CODES, SAMPLES[AUTH_CODES])
        await self.assert_stored(storage, CLIENTS, CLIENT)
        await self.assert_gone(storage, REFRESH_TOKENS, "refresh")

    async def test_what_a_change_raises_arrives_itself_and_leaves_nothing(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT))
        raised = Refused("not this one")

        def refuse(_: Client) -> Client:
            raise raised

        error = await self.refusal(
            Refused,
            storage.write(Create(REFRESH_TOKENS, REFRESH_TOKEN), Update(CLIENTS, "client", refuse)),
        )
        self.assertIs(error, raised)
        await self.assert_gone(storage, REFRESH_TOKENS, "refresh")
        await self.assert_stored(storage, CLIENTS, CLIENT)

    async def test_write_without_changes_does_nothing(self) -> None:
        storage = await self.opened()
        self.assertEqual(await storage.write(), ())

    async def test_read_sees_every_write_that_was_answered(self) -> None:
        storage = await self.opened((REFRESH_TOKENS, REFRESH_TOKEN))
        for number in range(20):
            await self.updated(storage, REFRESH_TOKENS, "refresh", token=str(number))
            (listed,) = await every(storage, REFRESH_TOKENS)
            self.assertEqual(listed.token, str(number))

    async def test_storage_says_that_it_takes_writes(self) -> None:
        storage = await self.opened()
        for _ in range(2):
            await storage.check()

    # Writes at the same time.

    async def test_hundred_parallel_updates_all_count(self) -> None:
        storage = await self.opened((REFRESH_TOKENS, attrs.evolve(REFRESH_TOKEN, token="0")))

        def increment(old: RefreshToken) -> RefreshToken:
            return attrs.evolve(old, token=str(int(old.token) + 1))

        made = await self.outcomes(
            *(storage.write(Update(REFRESH_TOKENS, "refresh", increment)) for _ in range(100))
        )
        self.assertEqual(sorted(int(changed.before.token) for (changed,) in made), list(range(100)))
        self.assertEqual(sorted(int(changed.after.token) for (changed,) in made), list(range(1, 101)))
        self.assertEqual((await storage.get(REFRESH_TOKENS, "refresh")).token, "100")

    async def test_failing_write_in_a_crowd_fails_alone(self) -> None:
        storage = await self.opened((REFRESH_TOKENS, attrs.evolve(REFRESH_TOKEN, token="")))
        raised = Refused()

        def refuse(_: Client) -> Client:
            raise raised

        def write(number: int) -> Coroutine[Any, Any, Any]:
            mark = Update(REFRESH_TOKENS, "refresh", lambda old: with_mark(REFRESH_TOKENS, old, "+"))
            client = Create(CLIENTS, attrs.evolve(CLIENT, id=f"client{number}"))
            spoiled = Update(CLIENTS, f"client{number}", refuse)
            return storage.write(mark, client, *([spoiled] if number % 3 == 0 else []))

        outcomes = await self.outcomes(*(write(number) for number in range(30)))
        self.assertEqual(
            [outcome is raised for outcome in outcomes], [number % 3 == 0 for number in range(30)]
        )
        self.assertEqual((await storage.get(REFRESH_TOKENS, "refresh")).token, "+" * 20)
        await self.assert_gone(storage, CLIENTS, "client0")
        await storage.get(CLIENTS, "client1")

    async def test_write_started_inside_a_change_neither_hangs_nor_loses_one(self) -> None:
        """dex's transaction suite. A change cannot wait for another write, but it can start one, for the same
        key. Then both are made, one after the other, or one fails; what was answered is what is stored."""
        for kind in (CLIENTS, AUTH_REQUESTS, PASSWORDS, KEYS):
            storage = await self.opened((kind, SAMPLES[kind]))
            await self._nested(storage, kind, SAMPLES[kind], None)

    async def test_write_started_inside_the_first_update_of_the_keys(self) -> None:
        storage = await self.opened()
        await self._nested(storage, KEYS, Keys(), Keys())

    async def _nested(self, storage: Storage, kind: Kind[Any], value: Any, default: Any) -> None:
        key = kind.key_of(value)
        started: list[Deferred[Any]] = []

        def inner(old: Any) -> Any:
            return with_mark(kind, old, "inner")

        def outer(old: Any) -> Any:
            if not started:
                update = Update(kind, key, inner, default=default)
                started.append(Deferred.fromCoroutine(self.outcomes(storage.write(update))))
            return with_mark(kind, old, "outer")

        (outer_outcome,) = await self.outcomes(storage.write(Update(kind, key, outer, default=default)))
        (inner_outcome,) = await started[0]
        stored = await storage.get(kind, key)
        both = [with_mark(kind, inner(value), "outer"), inner(with_mark(kind, value, "outer"))]
        if isinstance(outer_outcome, Exception):
            self.assertEqual(stored, inner(value))
        elif isinstance(inner_outcome, Exception):
            self.assertEqual(stored, with_mark(kind, value, "outer"))
        else:
            self.assertIn(stored, both)
