"""The two halves of a device login (RFC 8628): what the person types, what the device polls."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from dextwist.model.claims import ProofKey
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class DeviceRequest:
    """A device that asked for a code, found by the code that its user types."""

    user_code: str = attrs.field(repr=False)
    device_code: str = attrs.field(repr=False)
    client_id: str
    client_secret: str = attrs.field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: datetime


class DeviceTokenStatus(enum.Enum):
    """How far a device login has come; the values are those of dex's storage."""

    PENDING = "authorization_pending"
    COMPLETE = "complete"
    DENIED = "access_denied"


@attrs.frozen(kw_only=True)
class DeviceToken:
    """What a polling device finds."""

    device_code: str = attrs.field(repr=False)
    status: DeviceTokenStatus = DeviceTokenStatus.PENDING
    #: the finished token response, JSON text.
    token_response: str = attrs.field(default="", repr=False)
    expires_at: datetime
    last_polled_at: datetime = EPOCH
    #: seconds that the device must wait between polls.
    poll_interval: int = 0
    proof_key: ProofKey = ProofKey()


DEVICE_REQUESTS: Kind[DeviceRequest] = Kind(
    name="device_request",
    model=DeviceRequest,
    key=lambda request: request.user_code,
    expires_at=lambda request: request.expires_at,
)
DEVICE_TOKENS: Kind[DeviceToken] = Kind(
    name="device_token",
    model=DeviceToken,
    key=lambda token: token.device_code,
    expires_at=lambda token: token.expires_at,
)
