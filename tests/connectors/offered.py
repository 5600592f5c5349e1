"""What an installed package might offer."""

# What a contract hands over is not always needed.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dextwist.connectors.interface import Connector
from dextwist.connectors.mock import MockCallbackConnector
from dextwist.connectors.registry import ConnectorContext, ConnectorType


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> Connector:
    return MockCallbackConnector()


PIGEON = ConnectorType(name="carrier-pigeon", open=_open, config_keys=frozenset({"loft", "route.via"}))
NO_TYPE = object()
