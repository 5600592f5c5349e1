"""Opens LDAP connectors for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from dextwist.connectors.interface import ConnectorScopes
from dextwist.connectors.ldap.connector import LdapConnector
from dextwist.connectors.registry import ConnectorContext, open_connector
from dextwist.model.connector import ConnectorRecord
from tests.connectors.fakes import CountedHashing, FakeStorage, immediate_checker
from tests.upstreams.network import CountedCalls, no_upstream

ALL_SCOPES = ConnectorScopes(offline_access=True, groups=True)


def context(
    reactor: Any, metrics: CountedCalls | None = None, name_servers: Sequence[tuple[str, int]] = ()
) -> ConnectorContext:
    """What the server lends."""
    return ConnectorContext(
        clock=reactor,
        storage=FakeStorage(),
        password_checker=immediate_checker(CountedHashing()),
        upstream_client=no_upstream,
        reactor=reactor,
        name_servers=name_servers,
        metrics=metrics or CountedCalls(),
    )


def opening(
    config: Mapping[str, Any],
    reactor: Any,
    metrics: CountedCalls | None = None,
    name_servers: Sequence[tuple[str, int]] = (),
) -> Deferred[LdapConnector]:
    """The connector with these settings, as the server opens it."""
    record = ConnectorRecord(id="ldap", type="ldap", name="LDAP", config=json.dumps(config).encode())

    async def opened() -> LdapConnector:
        connector = await open_connector(record, context=context(reactor, metrics, name_servers))
        assert isinstance(connector, LdapConnector)
        return connector

    return Deferred.fromCoroutine(opened())


class ConnectorCase(TestCase):
    """Has connectors to servers that listen."""

    async def connector(
        self,
        config: Mapping[str, Any],
        metrics: CountedCalls | None = None,
        name_servers: Sequence[tuple[str, int]] = (),
    ) -> LdapConnector:
        """A connector that is closed with the test."""
        opened = await opening(config, real_reactor, metrics, name_servers)
        self.addCleanup(lambda: Deferred.fromCoroutine(opened.close()))
        return opened
