"""Passwords against bcrypt hashes: in threads of their own, bounded, and at one price for all names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import attrs
import bcrypt
from twisted.internet.defer import Deferred, DeferredSemaphore, maybeDeferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from dextwist.connectors.interface import ConnectorError, Overloaded
from dextwist.model.bcrypt_hash import MAX_COST, MIN_COST, bcrypt_cost

T = TypeVar("T")

RECOMMENDED_COST = 12
#: What is longer is refused before any work.
MAX_PASSWORD_BYTES = 1024
#: bcrypt sees no more than this of a password.
BCRYPT_BYTES = 72


def cost_of(password_hash: bytes) -> int:
    """The cost that a bcrypt hash names; ConnectorError where the text is no bcrypt hash."""
    cost = bcrypt_cost(password_hash)
    if cost is None:
        raise ConnectorError("parsing bcrypt hash: this is not one")
    return cost


def usable_cost(password_hash: bytes) -> int:
    """The cost of a bcrypt hash that may be logged in with; ConnectorError for too weak and too slow ones."""
    cost = cost_of(password_hash)
    if cost < MIN_COST:
        raise ConnectorError(f"given hash cost = {cost} does not meet minimum cost requirement = {MIN_COST}")
    if cost > MAX_COST:
        raise ConnectorError(
            f"given hash cost = {cost} is above upper bound cost = {MAX_COST},"
            f" recommended cost = {RECOMMENDED_COST}"
        )
    return cost


@attrs.frozen(kw_only=True, eq=False)
class HashThreads:
    """Threads in which nothing but password hashes is worked out, one a core unless told otherwise."""

    reactor: IReactorFromThreads
    count: int = attrs.field(factory=lambda: os.cpu_count() or 1)
    _pool: ThreadPool = attrs.field(init=False)

    @_pool.default
    def _named_pool(self) -> ThreadPool:
        return ThreadPool(minthreads=0, maxthreads=self.count, name="password-hashes")

    def start(self) -> None:
        """Be ready; a thread starts when it is first needed."""
        self._pool.start()

    def stop(self) -> None:
        """End the threads, once the hashes under way are worked out."""
        self._pool.stop()

    def run(self, work: Callable[[], bool]) -> Deferred[bool]:
        """What `work` gives in a thread."""
        return deferToThreadPool(self.reactor, self._pool, work)


@attrs.define(kw_only=True, eq=False)
class PasswordChecker:
    """Compares passwords with bcrypt hashes, few at once, and refuses what would wait too long."""

    #: where a comparison happens, and how many may happen there at once.
    run: Callable[[Callable[[], bool]], Deferred[bool]]
    at_once: int
    #: how many may wait for their turn.
    queue_limit: int = 64
    #: the cost that an unknown user is given until a known one has shown theirs.
    assumed_cost: int = MIN_COST
    #: (password, hash) -> whether they belong together; ValueError for a hash it cannot read.
    compare: Callable[[bytes, bytes], bool] = bcrypt.checkpw
    #: how many checks were refused because too many were waiting.
    refused: int = attrs.field(init=False, default=0)
    _turns: DeferredSemaphore = attrs.field(init=False)
    _costs_seen: Counter[int] = attrs.field(init=False, factory=Counter)

    @_turns.default
    def _all_turns(self) -> DeferredSemaphore:
        return DeferredSemaphore(self.at_once)

    @property
    def waiting(self) -> int:
        """How many checks wait for their turn."""
        return len(self._turns.waiting)

    async def check(self, password_hash: bytes | None, password: str) -> bool:
        """Whether the password belongs to the hash; None stands for a user who is unknown.

        An unknown user takes the same work as a wrong password. So does a password that bcrypt would
        cut; an empty one and one beyond any use are refused at once, whoever they are for. Raises
        ConnectorError for a hash whose cost is out of range, and Overloaded.
        """
        if password_hash is not None:
            self._costs_seen[usable_cost(password_hash)] += 1
        # No more than this is encoded: a character has at least one byte.
        secret = password[: MAX_PASSWORD_BYTES + 1].encode()
        if not secret or len(secret) > MAX_PASSWORD_BYTES:
            return False
        compared_with = self._decoy() if password_hash is None else password_hash
        matched = await self._compared(secret[:BCRYPT_BYTES], compared_with)
        return matched and password_hash is not None and len(secret) <= BCRYPT_BYTES

    async def _compared(self, secret: bytes, password_hash: bytes) -> bool:
        if self.waiting >= self.queue_limit:
            self.refused += 1
            raise Overloaded()
        await self._turns.acquire()

        def comparison() -> bool:
            try:
                return self.compare(secret, password_hash)
            except ValueError:
                return False

        def turn_ended(outcome: T) -> T:
            self._turns.release()
            return outcome

        # A thread cannot be stopped: whoever gives up leaves the turn taken until the thread is done.
        answer: Deferred[bool] = Deferred()
        work = maybeDeferred(self.run, comparison)
        work.addBoth(turn_ended)
        work.chainDeferred(answer)
        return await answer

    def _decoy(self) -> bytes:
        """A hash of nothing, at the cost that most known users have."""
        most_common = self._costs_seen.most_common(1)
        cost = most_common[0][0] if most_common else self.assumed_cost
        return b"$2b$%02d$" % cost + b"." * 53
