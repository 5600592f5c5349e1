"""The device_code grant: a device polls until somebody has logged in for it (RFC 8628 §3.4 and §3.5)."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import ClassVar

import attrs
import orjson
from twisted.internet.interfaces import IReactorTime

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.login_tokens import LoginTokens
from dextwist.model.device import DEVICE_TOKENS, DeviceToken, DeviceTokenStatus
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import DEVICE_CODE
from dextwist.oauth.pkce import check_verifier
from dextwist.storage.interface import Change, Delete, NotFound, Storage, Update
from dextwist.tokens.claims import TokenSubject, client_of

#: Seconds between two polls; each one that comes too soon adds as many.
POLL_INTERVAL = 5


@attrs.frozen(eq=False)
class _Complete(Exception):
    """Somebody has logged in; what the device finds."""

    token: DeviceToken


@attrs.frozen(kw_only=True)
class ExaminedDevice:
    """A device whose login is finished."""

    token: DeviceToken
    #: empty where dex has made the tokens already.
    connector_id: str


@attrs.frozen(kw_only=True)
class DeviceCodeGrant:
    """Gives a polling device the tokens of its login, once."""

    grant_type: ClassVar[str] = DEVICE_CODE

    storage: Storage
    tokens: LoginTokens
    clock: IReactorTime

    async def examine(self, request: TokenRequest) -> ExaminedDevice:
        """The finished login; otherwise the OAuthError that tells the device what to do.

        One write reads and counts the poll, so that of two at once only one keeps the interval.
        """
        device_code = request.form.get("device_code")
        if not device_code:
            raise OAuthError("invalid_request", "device_code is missing")
        now, verifier = utc_now(self.clock), request.form.get("code_verifier")

        def polled(token: DeviceToken) -> DeviceToken:
            # What is raised here leaves no trace: another client cannot slow down the owner.
            if _owner(token) not in ("", request.client.id):
                raise _invalid()
            if token.expires_at <= now:
                raise OAuthError("expired_token")
            if token.status is DeviceTokenStatus.DENIED:
                raise OAuthError("access_denied")
            if token.status is DeviceTokenStatus.COMPLETE:
                check_verifier(verifier, token.proof_key)
                raise _Complete(token)
            interval = POLL_INTERVAL + (token.poll_interval if _too_soon(token, now) else 0)
            return attrs.evolve(token, last_polled_at=now, poll_interval=interval)

        try:
            (poll,) = await self.storage.write(Update(DEVICE_TOKENS, device_code, polled))
        except NotFound:
            raise _invalid() from None
        except _Complete as complete:
            login = complete.token.login
            return ExaminedDevice(token=complete.token, connector_id=login.connector_id if login else "")
        raise OAuthError("slow_down" if _too_soon(poll.before, now) else "authorization_pending")

    async def redeem(self, examined: ExaminedDevice, opened: OpenedConnector | None) -> TokenResponse:
        """Spend the device code, store the refresh token in the same write, then sign."""
        token, login = examined.token, examined.token.login
        if login is None:
            await self._spend(token)
            return _response_of_dex(token)
        subject = TokenSubject(
            client_id=token.client_id,
            scopes=login.scopes,
            claims=login.claims,
            connector_id=login.connector_id,
            auth_time=login.auth_time,
            session_id=login.session_id,
        )
        due = await self.tokens.due(subject, opened, login.connector_data)
        await self._spend(token, *due.changes)
        return await self.tokens.signed(due)

    async def _spend(self, token: DeviceToken, *creation: Change) -> None:
        try:
            await self.storage.write(Delete(DEVICE_TOKENS, token.device_code), *creation)
        except NotFound:
            raise _invalid() from None


def _too_soon(token: DeviceToken, now: datetime) -> bool:
    return now - token.last_polled_at < timedelta(seconds=token.poll_interval)


def _owner(token: DeviceToken) -> str:
    """The client that may poll. Empty: dex stored this, nobody has logged in, and so nobody can tell."""
    if token.client_id or not token.token_response:
        return token.client_id
    claims = _response_of_dex(token).id_token.split(".")[1]
    return client_of(orjson.loads(base64.urlsafe_b64decode(claims + "==")))


def _response_of_dex(token: DeviceToken) -> TokenResponse:
    """The tokens that dex made for a device that had not fetched them when its data was taken over."""
    members = orjson.loads(token.token_response)
    return TokenResponse(
        access_token=members["access_token"],
        expires_in=members["expires_in"],
        refresh_token=members.get("refresh_token", ""),
        id_token=members["id_token"],
    )


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "the device code is unknown, used, or another client's")
