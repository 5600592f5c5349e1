"""The storage seam: five operations over kinds.

A storage keeps values of the kinds in `dextwist.model.kinds`. Reads see every write that was answered.
A write is one unit: the engines that can make it atomic; the others apply its changes in order
and stop at the first that fails, so the change that decides (deleting a code, rotating a token) comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import attrs

from dextwist.model.kind import Key, Kind

T = TypeVar("T", bound=attrs.AttrsInstance)


@attrs.frozen(eq=False)
class StorageError(Exception):
    """The storage did not do what was asked, for the reason given; nothing was changed."""

    reason: str = "storage error"

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class NotFound(StorageError):
    """There is no such value."""

    reason: str = "not found"


@attrs.frozen(eq=False)
class AlreadyExists(StorageError):
    """The key is taken."""

    reason: str = "already exists"


@attrs.frozen(eq=False)
class ReadOnly(StorageError):
    """The value comes from the configuration file and cannot be changed."""

    reason: str = "read-only"


@attrs.frozen(eq=False)
class Conflict(StorageError):
    """Others changed the value at the same time, more often than was worth trying again."""

    reason: str = "conflict"


@attrs.frozen(eq=False)
class StorageUnavailable(StorageError):
    """The storage cannot be used now: unreachable, locked, full, read-only or too slow."""

    reason: str = "storage unavailable"


@attrs.frozen
class Create(Generic[T]):
    """Store a new value. AlreadyExists when its key is taken."""

    kind: Kind[T]
    value: T


@attrs.frozen
class Update(Generic[T]):
    """Replace a value by what `change` makes of it.

    `change` is a pure function that never waits; it may run more than once and must keep the key.
    What it raises ends the write and reaches the caller as that very exception. A missing value is
    NotFound, unless there is a `default` to start from, which is then stored changed.
    """

    kind: Kind[T]
    key: Key
    change: Callable[[T], T]
    default: T | None = None


@attrs.frozen
class Delete(Generic[T]):
    """Remove a value. A missing one is NotFound unless `missing_ok`."""

    kind: Kind[T]
    key: Key
    missing_ok: bool = False


Change = Create[Any] | Update[Any] | Delete[Any]


@attrs.frozen
class Changed:
    """What one change of a write did: None before a creation, None after a removal."""

    before: Any
    after: Any


@attrs.frozen
class Page(Generic[T]):
    """Part of a listing, in the order of the keys; `after` continues it, None ends it."""

    values: tuple[T, ...]
    after: Key | None = None


class Storage(Protocol):
    """A storage engine, or something laid over one.

    Every operation may raise StorageUnavailable.
    """

    async def start(self) -> None:
        """Open the storage: connect, make or adopt the schema.

        Raises StorageError with one sentence for the operator, having left everything as it was.
        """

    async def stop(self) -> None:
        """Finish what is under way and close."""

    async def get(self, kind: Kind[T], key: Key) -> T:
        """The value under the key; NotFound."""

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """At most `limit` values whose narrowing fields equal `narrowed_by`, after the key `after`."""

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        """Make the changes, in order, as one unit; what each did. None at all if one fails.

        Raises NotFound, AlreadyExists, ReadOnly, Conflict, or what an Update's `change` raised.
        """

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        """Remove, in batches, the values whose expiry lies before `now`; how many, by kind name."""

    async def check(self) -> None:
        """Return if a write would be accepted now; raise StorageUnavailable otherwise."""


async def every(storage: Storage, kind: Kind[T], *, narrowed_by: Mapping[str, str] | None = None) -> list[T]:
    """All values of a kind, page by page. Only for kinds that are few: clients, connectors."""
    found: list[T] = []
    after: Key | None = None
    while True:
        page = await storage.page(kind, after=after, limit=500, narrowed_by=narrowed_by)
        found += page.values
        if page.after is None:
            return found
        after = page.after
