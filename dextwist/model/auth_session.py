"""Browser sessions: that a browser has logged in, and which clients share in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class ClientState:
    """One client's part in a browser session."""

    authenticated_at: datetime = EPOCH
    last_activity_at: datetime = EPOCH
    last_token_issued_at: datetime = EPOCH
    via_sso: bool = False


@attrs.frozen(kw_only=True)
class LogoutState:
    """Where a logout goes on once the upstream's own logout has come back."""

    post_logout_redirect_uri: str = ""
    state: str = ""
    client_id: str = ""
    connector_id: str = ""


@attrs.frozen(kw_only=True)
class AuthSession:
    """A browser's session. The id is public (`sid`); the secret is only in the cookie."""

    id: str
    secret: str = attrs.field(repr=False)
    user_id: str
    connector_id: str
    client_states: Mapping[str, ClientState] = attrs.field(factory=dict)
    created_at: datetime = EPOCH
    last_activity_at: datetime = EPOCH
    ip_address: str = ""
    user_agent: str = ""
    #: EPOCH: no such limit.
    absolute_expires_at: datetime = EPOCH
    idle_expires_at: datetime = EPOCH
    logout_state: LogoutState | None = None

    @property
    def expires_at(self) -> datetime:
        """The earlier of the limits that are set; far away when none is."""
        limits = [at for at in (self.absolute_expires_at, self.idle_expires_at) if at > EPOCH]
        return min(limits, default=datetime.max.replace(tzinfo=EPOCH.tzinfo, microsecond=0))


AUTH_SESSIONS: Kind[AuthSession] = Kind(
    name="auth_session",
    model=AuthSession,
    key=lambda session: session.id,
    expires_at=lambda session: session.expires_at,
    narrowed_by={
        "user_id": lambda session: session.user_id,
        "connector_id": lambda session: session.connector_id,
    },
)
