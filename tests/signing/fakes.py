"""A signer for tests of other rooms, and what the signing room's own tests need."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
from twisted.internet.defer import Deferred, maybeDeferred

from dextwist.jose.jws import VerifyingKey, verified
from dextwist.model.keys import KeyPair
from dextwist.model.kind import Key, Kind
from dextwist.signing.interface import PublishedKeys, Signature, VerifiedToken
from dextwist.signing.jwk import generate
from dextwist.signing.jws import KeySignature
from dextwist.storage.interface import Change, Changed
from dextwist.storage.memory import MemoryStorage

T = TypeVar("T")
Stored = TypeVar("Stored", bound=attrs.AttrsInstance)


@attrs.frozen(kw_only=True, eq=False)
class FakeSigner:
    """One ES256 key in memory: signs at once, never rotates, needs no start."""

    pair: KeyPair = attrs.field(factory=lambda: generate("ES256"), repr=False)
    max_age: int = 600
    _signature: KeySignature = attrs.field(
        init=False, default=attrs.Factory(lambda self: KeySignature.of(self.pair.private), takes_self=True)
    )
    _key: VerifyingKey = attrs.field(
        init=False, default=attrs.Factory(lambda self: VerifyingKey.of(self.pair.public), takes_self=True)
    )

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def with_signature(self, job: Callable[[Signature], T]) -> T:
        """Run the job now."""
        return job(self._signature)

    async def verify(self, token: str) -> VerifiedToken:
        """What the token says, if the one key signed it."""
        return verified(token, [self._key])

    async def published_keys(self) -> PublishedKeys:
        """The one key."""
        return PublishedKeys(keys=[self.pair.public], max_age=self.max_age)

    async def algorithms(self) -> Sequence[str]:
        """ES256."""
        return ["ES256"]


@functools.cache
def _key(algorithm: str, number: int) -> KeyPair:
    return generate(algorithm)


def key_source() -> Callable[[str], KeyPair]:
    """Something that makes new keys; every source makes the same ones, because RSA keys take long."""
    numbers = itertools.count()
    return lambda algorithm: _key(algorithm, next(numbers))


@attrs.define(eq=False)
class InlineThreads:
    """No threads: what is to run there runs at once, and is counted."""

    runs: int = 0
    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    async def run(self, function: Callable[[], T]) -> T:
        assert self.running
        self.runs += 1
        return function()


@attrs.define(eq=False)
class HeldThreads:
    """Threads that are busy with something else until they are released."""

    free: Deferred[None] = attrs.field(factory=Deferred)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    async def run(self, function: Callable[[], T]) -> T:
        await self.free
        return function()


def nothing() -> Deferred[None] | None:
    """What happens around a storage's operations where nothing does."""
    return None


@attrs.define(kw_only=True, eq=False)
class UnsteadyStorage(MemoryStorage):
    """A memory storage around whose operations things happen: failures, waits, other instances."""

    before_get: Callable[[], Deferred[None] | None] = nothing
    before_write: Callable[[], Deferred[None] | None] = nothing
    after_write: Callable[[], Deferred[None] | None] = nothing
    gets: int = 0
    writes: int = 0

    async def get(self, kind: Kind[Stored], key: Key) -> Stored:
        self.gets += 1
        await maybeDeferred(self.before_get)
        return await MemoryStorage.get(self, kind, key)

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        self.writes += 1
        await maybeDeferred(self.before_write)
        changed = await MemoryStorage.write(self, *changes)
        await maybeDeferred(self.after_write)
        return changed
