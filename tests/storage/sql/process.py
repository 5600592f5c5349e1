"""A server's storage in a process of its own: `python -m tests.storage.sql.process JOB FILE`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.client import CLIENTS, Client
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.storage.interface import Create, Update
from dextwist.storage.sql.sqlite import SqliteStorage
from tests.storage.samples import SAMPLES

CROWD = 8


def say(word: object) -> None:
    """A line for whoever started this process, at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def crowd(work: Callable[[], Awaitable[None]]) -> None:
    """The same by several at once."""
    await gatherResults([Deferred.fromCoroutine(one(work)) for _ in range(CROWD)])


async def one(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def write_for_ever(storage: SqliteStorage) -> None:
    """Two values a write, under a number that is said when the write was answered."""
    numbers: Iterator[int] = count()

    async def work() -> None:
        while True:
            name = str(next(numbers))
            code = attrs.evolve(SAMPLES[AUTH_CODES], id=name)
            await storage.write(Create(CLIENTS, Client(id=name)), Create(AUTH_CODES, code))
            say(name)

    await crowd(work)


async def increment(storage: SqliteStorage) -> None:
    """Add one to the token of the one refresh token, 400 times; say what it was each time."""

    def more(old: RefreshToken) -> RefreshToken:
        return attrs.evolve(old, token=str(int(old.token) + 1))

    async def work() -> None:
        for _ in range(400 // CROWD):
            (changed,) = await storage.write(Update(REFRESH_TOKENS, "refresh", more))
            say(changed.before.token)

    await crowd(work)


async def main(reactor: Any, job: str, file: str) -> None:
    storage = SqliteStorage(file=file, reactor=reactor, clock=reactor)
    await storage.start()
    say("started")
    await {"write-for-ever": write_for_ever, "increment": increment}[job](storage)
    await storage.stop()


if __name__ == "__main__":
    react(main, sys.argv[1:])
