"""Connector records: how a connector is configured, whether in the file or in the storage."""

from __future__ import annotations

import attrs

from dextwist.model.kind import Kind


@attrs.frozen(kw_only=True)
class ConnectorRecord:
    """A configured connector. An opened one is kept until the resource version changes."""

    id: str
    type: str
    name: str
    #: the type's own settings as JSON; may hold secrets, never logged.
    config: bytes = attrs.field(default=b"{}", repr=False)
    #: empty: every grant.
    grant_types: tuple[str, ...] = ()
    resource_version: str = ""


CONNECTORS: Kind[ConnectorRecord] = Kind(
    name="connector", model=ConnectorRecord, key=lambda connector: connector.id
)
