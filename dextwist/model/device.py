"""The two halves of a device login (RFC 8628): what the person types, what the device polls."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from dextwist.model.claims import Claims, ProofKey
from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH


@attrs.frozen(kw_only=True)
class DeviceRequest:
    """A device that asked for a code, found by the code that its user types."""

    user_code: str = attrs.field(repr=False)
    device_code: str = attrs.field(repr=False)
    client_id: str
    #: only in requests that dex stored: here the client authenticates before it gets a code.
    client_secret: str = attrs.field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: datetime
    #: SHA-256 of the cookies of the browsers in which the code was typed, the latest first.
    browser_digests: tuple[bytes, ...] = attrs.field(default=(), repr=False)


class DeviceTokenStatus(enum.Enum):
    """How far a device login has come; the values are those of dex's storage."""

    PENDING = "authorization_pending"
    COMPLETE = "complete"
    DENIED = "access_denied"


@attrs.frozen(kw_only=True)
class DeviceLogin:
    """Who logged in for a device and for what: all that its tokens are made from when it fetches them."""

    scopes: tuple[str, ...]
    connector_id: str
    claims: Claims
    connector_data: bytes = attrs.field(default=b"", repr=False)
    auth_time: datetime = EPOCH
    #: the browser session, or empty.
    session_id: str = ""


@attrs.frozen(kw_only=True)
class DeviceToken:
    """What a polling device finds. No token is made, and so none is kept, before the device asks."""

    device_code: str = attrs.field(repr=False)
    #: the client that may poll; empty where dex stored it and nobody has logged in yet.
    client_id: str = ""
    status: DeviceTokenStatus = DeviceTokenStatus.PENDING
    #: the finished login, once the status is COMPLETE.
    login: DeviceLogin | None = None
    #: only in what dex stored: the finished token response, JSON text.
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
