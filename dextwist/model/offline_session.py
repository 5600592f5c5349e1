"""Offline sessions: what one person, through one connector, left running at clients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from dextwist.model.kind import Kind
from dextwist.model.mappings import frozen_mapping


@attrs.frozen(kw_only=True)
class RefreshTokenRef:
    """That a refresh token exists, for whom, and how recently it was used."""

    id: str
    client_id: str
    created_at: datetime
    last_used_at: datetime
    #: the browser session that it came from, or empty.
    session_id: str = ""


@attrs.frozen(kw_only=True)
class OfflineSession:
    """The refresh tokens of a person and a connector, by their id, and the connector's memory."""

    user_id: str
    connector_id: str
    refresh: Mapping[str, RefreshTokenRef] = attrs.field(factory=dict, converter=frozen_mapping)
    connector_data: bytes = attrs.field(default=b"", repr=False)

    def of_client(self, client_id: str) -> list[RefreshTokenRef]:
        """The client's references, the least recently used first."""
        refs = (ref for ref in self.refresh.values() if ref.client_id == client_id)
        return sorted(refs, key=lambda ref: (ref.last_used_at, ref.id))


OFFLINE_SESSIONS: Kind[OfflineSession] = Kind(
    name="offline_session",
    model=OfflineSession,
    key=lambda session: (session.user_id, session.connector_id),
)
