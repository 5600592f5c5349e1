"""Connectors' HTTP clients without a network: they reach made-up upstreams in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
from treq.testing import RequestTraversalAgent
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource

from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.trust import UpstreamTrust
from dextwist.connectors.upstream.wire import answer_of


@attrs.define
class CountedCalls:
    """Remembers what became of calls, as operation and result."""

    calls: list[tuple[str, str]] = attrs.field(factory=list)

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        self.calls.append((operation, result))


def client_of(
    resource: IResource, clock: IReactorTime, metrics: CountedCalls | None = None, connector_id: str = "up"
) -> UpstreamClient:
    """A client for which every host is this resource."""
    return UpstreamClient(
        connector_id=connector_id,
        send=partial(answer_of, RequestTraversalAgent(resource)),
        clock=clock,
        metrics=metrics or CountedCalls(),
    )


def clients_of(resource: IResource, clock: IReactorTime) -> Callable[[str, UpstreamTrust], UpstreamClient]:
    """What a ConnectorContext wants, leading to this resource."""

    def make(connector_id: str, trust: UpstreamTrust) -> UpstreamClient:
        trust.policy()  # roots that are none are refused here as well
        return client_of(resource, clock, connector_id=connector_id)

    return make


def no_upstream(connector_id: str, trust: UpstreamTrust) -> Any:
    """For contexts of connectors that ask nobody."""
    raise AssertionError(f"{connector_id} wants an HTTP client")
