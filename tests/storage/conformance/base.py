"""What the suites share: an opened storage and ways to look at it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from dextwist.model.kind import Key, Kind
from dextwist.storage.interface import (
    Create,
    NotFound,
    Storage,
    Update,
)

if TYPE_CHECKING:
    Base = TestCase
else:
    Base = object


class StorageSuite(Base):
    """Tests of a storage, in the terms of a caller; mixed into a TestCase."""

    #: seconds after which a test that hangs has failed.
    timeout = 30

    def build_storage(self) -> Storage:
        """A storage that has not been started, and is empty but for static objects under other keys."""
        raise NotImplementedError

    async def opened(self, *values: tuple[Kind[Any], Any]) -> Storage:
        """A started storage with these values, closed when the test ends."""
        storage = self.build_storage()
        await storage.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(storage.stop()))
        for kind, value in values:
            await storage.write(Create(kind, value))
        return storage

    async def refusal(self, error: type[BaseException], work: Coroutine[Any, Any, Any]) -> Any:
        """The exception of that type with which the work ends."""
        return await self.assertFailure(Deferred.fromCoroutine(work), error)

    async def outcomes(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """What each of these gave, or the exception that it raised, all started at the same time."""

        async def outcome(each: Coroutine[Any, Any, Any]) -> Any:
            try:
                return await each
            except Exception as error:
                return error

        return await gatherResults([Deferred.fromCoroutine(outcome(each)) for each in work])

    async def assert_stored(self, storage: Storage, kind: Kind[Any], value: Any) -> None:
        self.assertEqual(await storage.get(kind, kind.key_of(value)), value)

    async def assert_gone(self, storage: Storage, kind: Kind[Any], key: Key) -> None:
        await self.refusal(NotFound, storage.get(kind, key))

    async def updated(self, storage: Storage, kind: Kind[Any], key: Key, **members: Any) -> None:
        """Change these members; everything else must be read back as it was."""
        before = await storage.get(kind, key)
        (changed,) = await storage.write(Update(kind, key, lambda old: attrs.evolve(old, **members)))
        self.assertEqual(changed.before, before)
        self.assertEqual(changed.after, attrs.evolve(before, **members))
        await self.assert_stored(storage, kind, changed.after)
