"""The connectors in use: each opened when it is first needed, and again when its record changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import Any, ClassVar

import attrs
from twisted.internet import defer
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    ClosableConnector,
    Connector,
    ConnectorError,
    Connectors,
    ConnectorUnavailable,
    OpenedConnector,
    PreparedConnector,
)
from dextwist.model.connector import CONNECTORS, ConnectorRecord
from dextwist.storage.interface import NotFound, Storage, every

#: What opening a connector came to; a failure is kept as a value, for all who waited.
Outcome = Connector | ConnectorUnavailable


@attrs.frozen(eq=False)
class NoConnectors(Exception):
    """Nobody could ever log in."""

    def __str__(self) -> str:
        return "no connectors specified"


@attrs.define(kw_only=True, eq=False)
class _Instance:
    """One opening of one record, shared by all who need it."""

    record: ConnectorRecord
    opening: Deferred[Outcome]
    outcome: Outcome | None = None
    #: once it is open.
    opened: OpenedConnector | None = None

    def __attrs_post_init__(self) -> None:
        self.opening.addCallback(self._opened)

    def _opened(self, outcome: Outcome) -> Outcome:
        self.outcome = outcome
        if not isinstance(outcome, ConnectorUnavailable):
            self.opened = OpenedConnector(self.record, outcome)
        return outcome

    @property
    def failed(self) -> bool:
        return isinstance(self.outcome, ConnectorUnavailable)

    async def settled(self) -> Outcome:
        """What the opening came to, once it has."""
        mine: Deferred[Outcome] = Deferred()  # cancelled alone: the opening goes on for the others

        def tell(outcome: Outcome) -> Outcome:
            mine.callback(outcome)
            return outcome

        self.opening.addCallback(tell)
        return await mine


@attrs.define(kw_only=True, eq=False)
class OpenedConnectors(Connectors):
    """Gives the connector of an id, opened as the storage describes it at that moment."""

    log: ClassVar[Logger] = Logger()

    storage: Storage
    clock: IReactorTime
    open_connector: Callable[[ConnectorRecord], Coroutine[Any, Any, Connector]]
    #: seconds in which a connector has to open, and to close.
    time_limit: float = 10.0
    #: seconds for which a connector that was replaced stays open: longer than any use of it lasts.
    grace: float = 60.0
    #: how many connectors there were when they were last listed.
    count: int = attrs.field(init=False, default=0)
    _instances: dict[str, _Instance] = attrs.field(init=False, factory=dict)
    _retired: dict[_Instance, IDelayedCall] = attrs.field(init=False, factory=dict)

    async def open_all(
        self, *, continue_on_failure: bool = True, configured: Collection[str] = ()
    ) -> list[ConnectorUnavailable]:
        """Open every connector, all at once; those that failed, which are tried again when used.

        All may fail: signing keys and stored logins serve without an upstream. Raises NoConnectors
        where there is none, and the first failure unless `continue_on_failure`. Wrong settings of one that
        is `configured` in the file, by its id, are raised in any case: waiting does not mend them.
        """
        records = await self.records()
        if not records:
            raise NoConnectors()
        start = self._settled if continue_on_failure else self._prepared
        outcomes = await gatherResults([Deferred.fromCoroutine(start(record)) for record in records])
        failures = [outcome for outcome in outcomes if isinstance(outcome, ConnectorUnavailable)]
        for failure in failures:
            self.log.error("server: Failed to open connector", id=failure.connector_id, err=failure.reason)
        for failure in failures:
            if not continue_on_failure or (failure.misconfigured and failure.connector_id in configured):
                raise failure
        return failures

    async def _settled(self, record: ConnectorRecord) -> Outcome:
        return await self._instance(record).settled()

    async def _prepared(self, record: ConnectorRecord) -> Outcome:
        """The same, but a failure where the upstream does not give what a login needs."""
        outcome = await self._settled(record)
        if isinstance(outcome, PreparedConnector):
            try:
                await Deferred.fromCoroutine(outcome.prepared()).addTimeout(self.time_limit, self.clock)
            except ConnectorError as error:
                return ConnectorUnavailable(record.id, str(error))
            except defer.TimeoutError:
                return ConnectorUnavailable(record.id, f"it was not ready within {self.time_limit:g} s")
        return outcome

    async def get(self, connector_id: str) -> OpenedConnector:
        """The connector as it is stored now.

        Raises ConnectorUnavailable where there is none or it does not open, and StorageUnavailable.
        """
        try:
            record = await self.storage.get(CONNECTORS, connector_id)
        except NotFound:
            self.forget(connector_id)
            raise ConnectorUnavailable(connector_id, "there is no such one") from None
        instance = self._instance(record)
        if instance.opened is not None:
            return instance.opened
        outcome = await instance.settled()
        if isinstance(outcome, ConnectorUnavailable):
            raise attrs.evolve(outcome, record=record)
        return OpenedConnector(record, outcome)

    async def records(self) -> list[ConnectorRecord]:
        """The records of all connectors, whether they open or not."""
        records = await every(self.storage, CONNECTORS)
        self.count = len(records)
        for removed in self._instances.keys() - {record.id for record in records}:
            self.forget(removed)
        return records

    def forget(self, connector_id: str) -> None:
        """Let the connector go, if it is open; its next use opens it anew."""
        instance = self._instances.pop(connector_id, None)
        if instance is not None and not instance.failed:
            self._retired[instance] = self.clock.callLater(self.grace, self._end, instance)

    async def close(self) -> None:
        """Close every connector at once."""
        for call in self._retired.values():
            call.cancel()
        instances = [*self._instances.values(), *self._retired]
        self._instances.clear()
        self._retired.clear()
        await gatherResults([Deferred.fromCoroutine(self._close(instance)) for instance in instances])

    def _instance(self, record: ConnectorRecord) -> _Instance:
        instance = self._instances.get(record.id)
        if instance is not None and instance.record == record and not instance.failed:
            return instance
        self.forget(record.id)
        instance = _Instance(record=record, opening=Deferred.fromCoroutine(self._open(record)))
        self._instances[record.id] = instance
        return instance

    async def _open(self, record: ConnectorRecord) -> Outcome:
        try:
            opening = Deferred.fromCoroutine(self.open_connector(record))
            return await opening.addTimeout(self.time_limit, self.clock)
        except ConnectorUnavailable as error:
            return error
        except defer.TimeoutError:
            return ConnectorUnavailable(record.id, f"it did not open within {self.time_limit:g} s")
        except defer.CancelledError:
            return ConnectorUnavailable(record.id, "it was closed while it opened")
        except Exception:
            # Connectors are written by others too: a fault in one must not stop the rest.
            self.log.failure("opening connector {connector_id} broke", connector_id=record.id)
            return ConnectorUnavailable(record.id, "opening it broke; the log says how")

    def _end(self, instance: _Instance) -> None:
        del self._retired[instance]
        Deferred.fromCoroutine(self._close(instance))

    async def _close(self, instance: _Instance) -> None:
        instance.opening.cancel()
        connector = await instance.settled()
        if not isinstance(connector, ClosableConnector):
            return
        try:
            await Deferred.fromCoroutine(connector.close()).addTimeout(self.time_limit, self.clock)
        except Exception:
            self.log.failure("closing connector {connector_id} broke", connector_id=instance.record.id)
