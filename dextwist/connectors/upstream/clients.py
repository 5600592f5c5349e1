"""Making the client of a connector. The client itself is imported for the first one that needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from dextwist.connectors.upstream.metrics import UpstreamMetrics

if TYPE_CHECKING:
    from dextwist.connectors.upstream.client import UpstreamClient
    from dextwist.connectors.upstream.trust import UpstreamTrust


@attrs.frozen(kw_only=True)
class UpstreamClients:
    """Makes clients that use the network."""

    reactor: Any
    metrics: UpstreamMetrics
    #: HTTPS_PROXY, HTTP_PROXY and NO_PROXY count.
    environ: Mapping[str, str]

    def __call__(self, connector_id: str, trust: UpstreamTrust) -> UpstreamClient:
        """A connector's own client. Raises ConnectorError for roots or proxies that cannot be used."""
        from dextwist.connectors.upstream.client import UpstreamClient
        from dextwist.connectors.upstream.proxies import Proxies
        from dextwist.connectors.upstream.wire import Wire

        wire = Wire(reactor=self.reactor, policy=trust.policy(), proxies=Proxies.of(self.environ))
        return UpstreamClient(
            connector_id=connector_id, send=wire.send, clock=self.reactor, metrics=self.metrics
        )
