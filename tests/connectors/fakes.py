"""What connectors are tested with: a storage of a few values, hash work and openings that are counted."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, succeed

from dextwist.connectors.mock import MockCallbackConnector
from dextwist.connectors.password_hash import PasswordChecker
from dextwist.model.connector import ConnectorRecord
from dextwist.model.kind import Key, Kind
from dextwist.storage.interface import Change, Changed, NotFound, Page, Storage, StorageError

T = TypeVar("T", bound=attrs.AttrsInstance)
R = TypeVar("R")


def started(work: Coroutine[Any, Any, R]) -> Deferred[R]:
    """A coroutine under way."""
    return Deferred.fromCoroutine(work)


@attrs.define(kw_only=True)
class FakeStorage(Storage):
    """Keeps values under their keys, and fails with `failure` while there is one."""

    failure: StorageError | None = None
    _values: dict[tuple[str, Key], Any] = attrs.field(init=False, factory=dict)

    def put(self, kind: Kind[T], *values: T) -> None:
        self._values |= {(kind.name, kind.key_of(value)): value for value in values}

    def remove(self, kind: Kind[T], key: Key) -> None:
        del self._values[kind.name, kind.normal_key(key)]

    async def get(self, kind: Kind[T], key: Key) -> T:
        self._fail()
        try:
            value: T = self._values[kind.name, kind.normal_key(key)]
        except KeyError:
            raise NotFound() from None
        return value

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        self._fail()
        return Page(tuple(value for (name, _), value in sorted(self._values.items()) if name == kind.name))

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        raise NotImplementedError

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        raise NotImplementedError

    async def check(self) -> None:
        raise NotImplementedError

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def fake_hash(password: str, cost: int = 10) -> bytes:
    """Something like a bcrypt hash, which `CountedHashing` can compare with."""
    return b"$2b$%02d$" % cost + password.encode().ljust(53, b"_")


@attrs.define
class CountedHashing:
    """Compares with fake hashes, and remembers the cost of every comparison."""

    costs: list[int] = attrs.field(factory=list)

    def __call__(self, secret: bytes, password_hash: bytes) -> bool:
        self.costs.append(int(password_hash[4:6]))
        return secret.ljust(53, b"_") == password_hash[7:]


@attrs.define
class HeldThreads:
    """Threads in which nothing goes on until the test says so."""

    _held: list[tuple[Callable[[], bool], Deferred[bool]]] = attrs.field(factory=list)

    def run(self, work: Callable[[], bool]) -> Deferred[bool]:
        done: Deferred[bool] = Deferred()
        self._held.append((work, done))
        return done

    @property
    def busy(self) -> int:
        return len(self._held)

    def finish_one(self) -> None:
        work, done = self._held.pop(0)
        done.callback(work())


def immediate_checker(hashing: Callable[[bytes, bytes], bool]) -> PasswordChecker:
    """A checker that needs no threads."""
    return PasswordChecker(run=lambda work: succeed(work()), at_once=1, compare=hashing)


@attrs.define(kw_only=True, eq=False)
class FakeConnector(MockCallbackConnector):
    """Remembers from which record it was opened, and tells when it is closed."""

    record: ConnectorRecord
    upstream: FakeUpstream

    async def close(self) -> None:
        self.upstream.closed.append(self.record)
        if self.upstream.close_failure is not None:
            raise self.upstream.close_failure
        if self.upstream.closing is not None:
            await self.upstream.closing


@attrs.define(kw_only=True, eq=False)
class FakeUpstream:
    """Opens connectors, and counts."""

    opened: list[ConnectorRecord] = attrs.field(factory=list)
    closed: list[ConnectorRecord] = attrs.field(factory=list)
    #: what opening raises, by connector id.
    failures: dict[str, Exception] = attrs.field(factory=dict)
    #: openings wait for these, by connector id.
    gates: dict[str, Deferred[None]] = attrs.field(factory=dict)
    close_failure: Exception | None = None
    closing: Deferred[None] | None = None

    async def open(self, record: ConnectorRecord) -> FakeConnector:
        self.opened.append(record)
        if record.id in self.gates:
            await self.gates[record.id]
        if record.id in self.failures:
            raise self.failures[record.id]
        return FakeConnector(record=record, upstream=self)
