"""Storage in this process's memory: for tests, trials and servers that may forget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import DeferredLock

from dextwist.model.kind import Key, Kind
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.times import to_milliseconds
from dextwist.storage.changes import changed_key, outcome
from dextwist.storage.codec import decode, encode, expiry, key_text
from dextwist.storage.interface import Change, Changed, NotFound, Page

T = TypeVar("T", bound=attrs.AttrsInstance)


@attrs.frozen
class _Row:
    """A value as it is kept: as its document, so that nobody shares a mutable part of it."""

    document: str
    expires_at: int | None
    narrowing: Mapping[str, str]


@attrs.define(kw_only=True, eq=False)
class MemoryStorage:
    """Keeps everything until the process ends. Writes take turns."""

    _rows: dict[Kind[Any], dict[str, _Row]] = attrs.field(init=False, factory=dict, repr=False)
    _turn: DeferredLock = attrs.field(init=False, factory=DeferredLock)

    async def start(self) -> None:
        """Nothing has to be opened."""

    async def stop(self) -> None:
        """Nothing has to be closed."""

    async def check(self) -> None:
        """Memory always takes a write."""

    async def get(self, kind: Kind[T], key: Key) -> T:
        """The value under the key; NotFound."""
        row = self._of(kind).get(key_text(kind.normal_key(key)))
        if row is None:
            raise NotFound
        return decode(kind, row.document)

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """At most `limit` values after the key `after`, in the order of the keys' texts."""
        wanted = (narrowed_by or {}).items()
        behind = None if after is None else key_text(kind.normal_key(after))
        found = [
            row.document
            for text, row in sorted(self._of(kind).items())
            if (behind is None or text > behind) and wanted <= row.narrowing.items()
        ]
        values = tuple(decode(kind, document) for document in found[:limit])
        return Page(values, after=kind.key_of(values[-1]) if len(found) > limit else None)

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        """Make the changes, all or none. A write that a `change` starts waits for its turn."""
        made: tuple[Changed, ...] = await self._turn.run(self._write, changes)
        return made

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        """Remove the values whose expiry lies before `now`; how many, by kind name."""
        counts: dict[str, int] = await self._turn.run(self._collect, to_milliseconds(now))
        return counts

    def _of(self, kind: Kind[Any]) -> dict[str, _Row]:
        return self._rows.setdefault(kind, {})

    def _write(self, changes: tuple[Change, ...]) -> tuple[Changed, ...]:
        new: dict[tuple[Kind[Any], str], _Row | None] = {}
        made = []
        for change in changes:
            kind, text = change.kind, key_text(changed_key(change))
            old = new[kind, text] if (kind, text) in new else self._of(kind).get(text)
            changed = outcome(change, None if old is None else decode(kind, old.document))
            new[kind, text] = None if changed.after is None else _row(kind, changed.after, old)
            made.append(changed)
        # Nothing has failed: now it counts.
        for (kind, text), row in new.items():
            if row is None:
                self._of(kind).pop(text, None)
            else:
                self._of(kind)[text] = row
        return tuple(made)

    def _collect(self, now: int) -> dict[str, int]:
        counts = {}
        for kind in ALL_KINDS:
            if kind.expires_at is not None:
                rows = self._of(kind)
                expired = [
                    text for text, row in rows.items() if row.expires_at is not None and row.expires_at < now
                ]
                for text in expired:
                    del rows[text]
                counts[kind.name] = len(expired)
        return counts


def _row(kind: Kind[T], value: T, old: _Row | None) -> _Row:
    return _Row(
        document=encode(kind, value, over=None if old is None else old.document),
        expires_at=expiry(kind, value),
        narrowing=kind.narrowing(value),
    )
