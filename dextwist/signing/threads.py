"""Threads for signatures and new keys: OpenSSL works outside the GIL, so they use the other processors."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
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
    """A thread a processor, and a queue that does not grow without end.

    A thread that was woken goes on until nothing waits, and what is done while the reactor is busy comes
    back to it in one call: to wake somebody for each signature would cost a good part of one.
    """

    reactor: IReactorFromThreads
    size: int = attrs.field(factory=lambda: os.cpu_count() or 1)
    #: jobs that may wait or run at once; two signatures take 1.5 ms.
    most_jobs: int = 1000
    _jobs: int = attrs.field(default=0, init=False)
    _pool: ThreadPool | None = attrs.field(default=None, init=False)
    #: held for what the threads share: all below.
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _waiting: deque[tuple[Callable[[], Any], Deferred[Any]]] = attrs.field(factory=deque, init=False)
    _awake: int = attrs.field(default=0, init=False)
    _done: list[tuple[Deferred[Any], Any]] = attrs.field(factory=list, init=False)

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
        # Counted until it is done: whoever waits for it may give up before.
        self._jobs += 1
        with self._lock:
            self._waiting.append((function, result))
            wake = self._awake < self.size
            self._awake += wake
        if wake:
            self._pool.callInThread(self._work)
        return await result

    def _work(self) -> None:
        """In a thread: do what waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._awake -= 1
                    return
                function, result = self._waiting.popleft()
            try:
                outcome = function()
            except BaseException:
                outcome = Failure()
            with self._lock:
                self._done.append((result, outcome))
                first = len(self._done) == 1
            if first:
                self.reactor.callFromThread(self._answer)

    def _answer(self) -> None:
        with self._lock:
            done, self._done = self._done, []
        self._jobs -= len(done)
        for result, outcome in done:
            result.callback(outcome)
