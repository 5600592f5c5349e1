"""Static objects: what the configuration file names, laid over a storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from dextwist.model.kind import Key, Kind
from dextwist.storage.changes import changed_key
from dextwist.storage.interface import Change, Changed, Page, ReadOnly, Storage

T = TypeVar("T", bound=attrs.AttrsInstance)


def _by_key(static: Mapping[Kind[Any], Sequence[Any]]) -> dict[Kind[Any], dict[Key, Any]]:
    return {kind: {kind.key_of(value): value for value in values} for kind, values in static.items()}


@attrs.frozen(kw_only=True, eq=False)
class StaticOverlay:
    """A storage in which the configured objects are always found and never change.

    A stored object under the key of a static one is kept, unseen, and comes back when the static one goes.
    """

    storage: Storage
    #: the configured objects of each kind, in their order, by their key.
    static: Mapping[Kind[Any], Mapping[Key, Any]] = attrs.field(converter=_by_key)

    async def start(self) -> None:
        """Open the storage beneath."""
        await self.storage.start()

    async def stop(self) -> None:
        """Close the storage beneath."""
        await self.storage.stop()

    async def check(self) -> None:
        """Ask the storage beneath."""
        await self.storage.check()

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        """Collect in the storage beneath."""
        return await self.storage.collect_garbage(now)

    async def get(self, kind: Kind[T], key: Key) -> T:
        """The static object, without asking the storage beneath; otherwise the stored one."""
        value: T | None = self._of(kind).get(kind.normal_key(key))
        return value if value is not None else await self.storage.get(kind, key)

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        """Make the changes beneath, unless one is about a static object: ReadOnly."""
        for change in changes:
            if changed_key(change) in self._of(change.kind):
                name, verb = change.kind.name, type(change).__name__.lower()
                raise ReadOnly(f"static {name}s: read-only cannot {verb} {name}")
        return await self.storage.write(*changes)

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """The stored objects that no static one hides, then the static ones in their configured order."""
        static = self._of(kind)
        keys = list(static)
        found: list[T] = []
        more = after is None or kind.normal_key(after) not in static
        if not more and after is not None:
            keys = keys[keys.index(kind.normal_key(after)) + 1 :]
        while more and len(found) < limit:
            stored = await self.storage.page(kind, after=after, limit=limit, narrowed_by=narrowed_by)
            found += [value for value in stored.values if kind.key_of(value) not in static]
            after, more = stored.after, stored.after is not None
        if not more:
            wanted = (narrowed_by or {}).items()
            found += [static[key] for key in keys if wanted <= kind.narrowing(static[key]).items()]
            more = len(found) > limit
        values = tuple(found[:limit])
        return Page(values, after=kind.key_of(values[-1]) if more else None)

    def _of(self, kind: Kind[Any]) -> Mapping[Key, Any]:
        return self.static.get(kind, {})
