"""One at a time for a key: who comes meanwhile waits, and then does their own work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import attrs
from twisted.internet.defer import DeferredLock


@attrs.define
class Turns:
    """Hands out turns, in the order in which they are asked for."""

    _locks: dict[Hashable, DeferredLock] = attrs.field(factory=dict, init=False)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """A turn; nobody else has one for the key meanwhile."""
        lock = self._locks.setdefault(key, DeferredLock())
        await lock.acquire()
        try:
            yield
        finally:
            # Others may have their turns, and the last of them may tidy up, before this comes back.
            lock.release()
            if not lock.locked and self._locks.get(key) is lock:
                del self._locks[key]
