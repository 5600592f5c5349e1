"""Threads for signatures and new keys: OpenSSL works outside the GIL, so they use the other processors."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.threadpool import ThreadPool

from dextwist.signing.interface import SigningError

T = TypeVar("T")


class Threads(Protocol):
    """Where slow work runs."""

    def start(self) -> None:
        """Be ready to run."""

    def stop(self) -> None:
        """Finish what is under way."""

    async def run(self, function: Callable[[], T]) -> T:
        """What the function gives or raises, called elsewhere. SigningError where it cannot be run."""


@attrs.define(kw_only=True, eq=False)
class SigningThreads:
    """A thread a processor, and a queue that does not grow without end."""

    reactor: IReactorFromThreads
    size: int = attrs.field(factory=lambda: os.cpu_count() or 1)
    #: jobs that may wait or run at once; two signatures take 1.5 ms.
    most_jobs: int = 1000
    _jobs: int = attrs.field(default=0, init=False)
    _pool: ThreadPool | None = attrs.field(default=None, init=False)

    def start(self) -> None:
        """Be ready; threads begin when there is work for them."""
        self._pool = ThreadPool(minthreads=0, maxthreads=self.size, name="signing")
        self._pool.start()

    def stop(self) -> None:
        """Let the threads finish what they have, and end them."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()

    async def run(self, function: Callable[[], T]) -> T:
        """What the function gives or raises in a thread. SigningError when too much waits, or stopped."""
        if self._pool is None:
            raise SigningError("the signing threads are not running")
        if self._jobs >= self.most_jobs:
            raise SigningError("too many signatures are waiting")
        result: Deferred[T] = Deferred()

        def finished(success: bool, outcome: Any) -> None:
            # Counted here and not where `result` is awaited: that wait may have been cancelled.
            self._jobs -= 1
            if success:
                result.callback(outcome)
            else:
                result.errback(outcome)

        def in_thread_finished(success: bool, outcome: Any) -> None:
            self.reactor.callFromThread(finished, success, outcome)

        self._jobs += 1
        self._pool.callInThreadWithCallback(in_thread_finished, function)
        return await result
