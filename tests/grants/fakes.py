"""What grants are tested with: an upstream and a storage that stop where the test says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from dextwist.connectors.interface import (
    Connectors,
    ConnectorScopes,
    ConnectorUnavailable,
    Identity,
    OpenedConnector,
    RefreshConnector,
)
from dextwist.grants.login_tokens import LoginTokens
from dextwist.model.claims import Claims
from dextwist.model.connector import ConnectorRecord
from dextwist.model.kind import Key, Kind
from dextwist.model.times import EPOCH
from dextwist.storage.interface import Change, Changed
from dextwist.storage.memory import MemoryStorage
from dextwist.telemetry.metrics import NoMetrics
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.refresh_tokens import RefreshTokenMaker
from tests.signing.fakes import FakeSigner

Stored = TypeVar("Stored", bound=attrs.AttrsInstance)

ISSUER = "https://idp.test/dex"
BEGAN = EPOCH + timedelta(days=19_000)
KILGORE = Claims(
    user_id="0-385-28089-0",
    username="Kilgore Trout",
    email="kilgore@kilgore.trout",
    email_verified=True,
    groups=("authors",),
)


def clock_at_the_beginning() -> Clock:
    """A clock that says BEGAN."""
    clock = Clock()
    clock.advance(BEGAN.timestamp())
    return clock


def new_issuer(storage: MemoryStorage, clock: Clock, signer: FakeSigner) -> TokenIssuer:
    """An issuer of tokens that live for an hour."""
    return TokenIssuer(
        issuer=ISSUER, signer=signer, storage=storage, clock=clock, lifetime=timedelta(hours=1)
    )


def new_login_tokens(storage: MemoryStorage, clock: Clock, signer: FakeSigner) -> LoginTokens:
    """What makes the tokens of logins: those of an issuer as above, and up to 20 refresh tokens a client."""
    return LoginTokens(
        issuer=new_issuer(storage, clock, signer),
        refresh_tokens=RefreshTokenMaker(storage=storage, max_per_client=20),
        clock=clock,
    )


@attrs.define(eq=False)
class Turnstile:
    """Lets everybody through until it is shut; then everybody waits to be let on, one by one."""

    shut: bool = False
    waiting: list[Deferred[None]] = attrs.field(factory=list)

    def passing(self) -> Deferred[None]:
        if not self.shut:
            return succeed(None)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def let_on(self, index: int = 0) -> None:
        self.waiting.pop(index).callback(None)

    def open(self) -> None:
        self.shut = False
        while self.waiting:
            self.let_on()


@attrs.define(kw_only=True, eq=False)
class SteppedStorage(MemoryStorage):
    """A memory storage with a turnstile before and behind each operation. Fails with what it is told to."""

    turnstile: Turnstile = attrs.field(factory=Turnstile)
    read_failure: Exception | None = None
    write_failure: Exception | None = None

    async def get(self, kind: Kind[Stored], key: Key) -> Stored:
        await self.turnstile.passing()
        if self.read_failure is not None:
            raise self.read_failure
        value = await MemoryStorage.get(self, kind, key)
        await self.turnstile.passing()
        return value

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        await self.turnstile.passing()
        if self.write_failure is not None:
            raise self.write_failure
        changed = await MemoryStorage.write(self, *changes)
        await self.turnstile.passing()
        return changed


@attrs.define(kw_only=True, eq=False)
class FakeUpstream(RefreshConnector):
    """Knows one person; tells every look-up apart by the connector data that it gives."""

    claims: Claims = KILGORE
    turnstile: Turnstile = attrs.field(factory=Turnstile)
    failure: Exception | None = None
    gives_data: bool = True
    asked: list[tuple[ConnectorScopes, Identity]] = attrs.field(factory=list)

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        self.asked.append((scopes, identity))
        number = len(self.asked)
        await self.turnstile.passing()
        if self.failure is not None:
            raise self.failure
        return Identity(claims=self.claims, connector_data=b"data-%d" % number if self.gives_data else b"")


def opened(connector: object, *grant_types: str) -> OpenedConnector:
    """The connector as if it were configured under the id `mock`."""
    return OpenedConnector(
        ConnectorRecord(id="mock", type="mockCallback", name="Mock", grant_types=grant_types), connector
    )


@attrs.define(kw_only=True, eq=False)
class FakeConnectors(Connectors):
    """One connector, under the id `mock`; none while `failure` says so."""

    connector: OpenedConnector
    failure: ConnectorUnavailable | None = None

    async def get(self, connector_id: str) -> OpenedConnector:
        if self.failure is not None:
            raise self.failure
        if connector_id != self.connector.record.id:
            raise ConnectorUnavailable(connector_id, "there is no such one")
        return self.connector

    async def records(self) -> list[ConnectorRecord]:
        return [self.connector.record]


@attrs.frozen
class CountedMetrics(NoMetrics):
    """Remembers for which grants tokens were issued, and how logins ended."""

    issued: list[str] = attrs.field(factory=list)
    logins: list[tuple[str, str]] = attrs.field(factory=list)

    def login_finished(self, *, connector_id: str, result: str) -> None:
        self.logins.append((connector_id, result))

    def tokens_issued(self, *, grant_type: str) -> None:
        self.issued.append(grant_type)


Choose = Callable[[int], int]


def every_schedule(scenario: Callable[[Choose], None]) -> int:
    """Run the scenario once for each way of choosing in it; how many there were.

    The scenario gets a function that takes how many can be chosen from, and gives the one to choose.
    """
    choices = _Choices()
    runs = 0
    while True:
        scenario(choices.choose)
        runs += 1
        if not choices.go_on():
            return runs


@attrs.define
class _Choices:
    """What one run chose, each time of how many; the next run chooses otherwise at the end."""

    prefix: list[int] = attrs.field(factory=list)
    made: list[tuple[int, int]] = attrs.field(factory=list)

    def choose(self, options: int) -> int:
        at = len(self.made)
        choice = self.prefix[at] if at < len(self.prefix) else 0
        self.made.append((choice, options))
        return choice

    def go_on(self) -> bool:
        while self.made and self.made[-1][0] == self.made[-1][1] - 1:
            self.made.pop()
        self.prefix = [choice for choice, _ in self.made]
        self.made = []
        if self.prefix:
            self.prefix[-1] += 1
        return bool(self.prefix)
