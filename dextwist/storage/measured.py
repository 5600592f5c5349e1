"""A storage whose operations are timed and counted."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.model.kind import Key, Kind
from dextwist.storage.interface import Change, Changed, Page, Storage

T = TypeVar("T", bound=attrs.AttrsInstance)
R = TypeVar("R")


class StorageMetrics(Protocol):
    """Counts operations."""

    def storage_operation_finished(self, *, operation: str, result: str, seconds: float) -> None:
        """An operation ended: `ok`, or with an error of that name."""

    def garbage_collected(self, *, counts: Mapping[str, int]) -> None:
        """So many expired values were removed, by the name of their kind."""


@attrs.frozen(kw_only=True, eq=False)
class MeasuredStorage:
    """The storage beneath, and how long it takes. What an operation raises is its result's name."""

    storage: Storage
    metrics: StorageMetrics
    clock: IReactorTime

    async def start(self) -> None:
        """Open the storage beneath."""
        await self.storage.start()

    async def stop(self) -> None:
        """Close the storage beneath."""
        await self.storage.stop()

    async def get(self, kind: Kind[T], key: Key) -> T:
        """Timed as `get`."""
        return await self._timed("get", self.storage.get(kind, key))

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """Timed as `page`."""
        page = self.storage.page(kind, after=after, limit=limit, narrowed_by=narrowed_by)
        return await self._timed("page", page)

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        """Timed as `write`."""
        return await self._timed("write", self.storage.write(*changes))

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        """Timed as `collect_garbage`; what was removed is counted by kind."""
        counts = await self._timed("collect_garbage", self.storage.collect_garbage(now))
        self.metrics.garbage_collected(counts=counts)
        return counts

    async def check(self) -> None:
        """Timed as `check`."""
        await self._timed("check", self.storage.check())

    async def _timed(self, operation: str, work: Awaitable[R]) -> R:
        began, result = self.clock.seconds(), "ok"
        try:
            return await work
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            seconds = self.clock.seconds() - began
            self.metrics.storage_operation_finished(operation=operation, result=result, seconds=seconds)
