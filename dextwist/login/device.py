"""The login of a device in its user's browser, from the code that is typed (RFC 8628 §3.3).

Whoever gets a person to log in for a device that is not theirs has their tokens (RFC 8628 §5.4). So a
login for a device only begins and only ends in a browser in which that device's code was typed.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.login.browser_binding import browser_digest, usable_secret
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.client import CLIENTS, Client
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceLogin,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.model.ids import normal_user_code
from dextwist.model.times import utc_now
from dextwist.storage.interface import Delete, NotFound, Storage, Update

#: Browsers in which one code may be typed; the oldest goes first.
MAX_BROWSERS = 5

_ENDED = "This device's sign-in has ended, or never was."


@attrs.frozen(eq=False)
class WrongUserCode(Exception):
    """No device waits with this user code."""


@attrs.frozen(kw_only=True)
class DeviceLogins:
    """Takes the logins of devices from the code that was typed to the token that the device finds."""

    log: ClassVar[Logger] = Logger()

    storage: Storage
    clock: IReactorTime

    async def enter(self, typed: str, browser_secret: str) -> DeviceRequest:
        """The request of the device whose code was typed in this browser.

        Raises WrongUserCode, StorageError.
        """
        now, digest = utc_now(self.clock), browser_digest(browser_secret)
        user_code = normal_user_code(typed)
        if not user_code:
            raise WrongUserCode

        def entered(request: DeviceRequest) -> DeviceRequest:
            if request.expires_at <= now:
                raise WrongUserCode
            others = tuple(other for other in request.browser_digests if other != digest)
            return attrs.evolve(request, browser_digests=(digest, *others)[:MAX_BROWSERS])

        try:
            (changed,) = await self.storage.write(Update(DEVICE_REQUESTS, user_code, entered))
        except NotFound:
            raise WrongUserCode from None
        after: DeviceRequest = changed.after
        return after

    async def check(
        self, user_code: str, cookie: str | None, *, client_id: str, scopes: Collection[str]
    ) -> None:
        """Return if this browser may log somebody in for the device. Raises RefusedWithPage, StorageError.

        Client and scopes must be those of the device, which may have asked for more.
        """
        request = await self._request(user_code, cookie)
        if request.client_id != client_id or not set(scopes) <= set(request.scopes):
            raise RefusedWithPage(400, "The address does not go with the code of the device.")

    async def complete(self, code_id: str, user_code: str, cookie: str | None) -> Client:
        """Give the device the login that the code stands for; the client that is signed in there.

        Code and user code are spent in the same write. Raises RefusedWithPage, StorageError.
        """
        request = await self._request(user_code, cookie)
        if not code_id:
            raise RefusedWithPage(400, "The address is not complete.")
        now = utc_now(self.clock)
        try:
            code = await self.storage.get(AUTH_CODES, code_id)
            client = await self.storage.get(CLIENTS, request.client_id)
        except NotFound:
            raise RefusedWithPage(400, _ENDED) from None
        if code.user_code != user_code or code.client_id != client.id or code.expires_at <= now:
            raise RefusedWithPage(400, _ENDED)

        def completed(token: DeviceToken) -> DeviceToken:
            _check_waiting(token, now)
            return attrs.evolve(
                token,
                status=DeviceTokenStatus.COMPLETE,
                client_id=client.id,
                login=_device_login(code),
            )

        try:
            await self.storage.write(
                Delete(AUTH_CODES, code_id),
                Update(DEVICE_TOKENS, request.device_code, completed),
                Delete(DEVICE_REQUESTS, user_code),
            )
        except NotFound:
            raise RefusedWithPage(400, _ENDED) from None
        self.log.info(
            "device_approved: somebody logged in for a device",
            client_id=client.id,
            connector_id=code.connector_id,
            user_id=code.claims.user_id,
        )
        return client

    async def deny(self, user_code: str, cookie: str | None) -> None:
        """Let the device know that it was refused. Raises RefusedWithPage, StorageError."""
        request = await self._request(user_code, cookie)
        now = utc_now(self.clock)

        def denied(token: DeviceToken) -> DeviceToken:
            _check_waiting(token, now)
            return attrs.evolve(token, status=DeviceTokenStatus.DENIED)

        try:
            await self.storage.write(
                Update(DEVICE_TOKENS, request.device_code, denied), Delete(DEVICE_REQUESTS, user_code)
            )
        except NotFound:
            raise RefusedWithPage(400, _ENDED) from None
        self.log.info("device_denied: a device was refused", client_id=request.client_id)

    async def _request(self, user_code: str, cookie: str | None) -> DeviceRequest:
        """The waiting device's request, in a browser in which its code was typed.

        Whether there is one at all, nobody else can tell from the answer.
        """
        refused = RefusedWithPage(400, "First enter the code that your device shows, in this browser.")
        secret = usable_secret(cookie)
        if secret is None or not user_code:
            raise refused
        try:
            request = await self.storage.get(DEVICE_REQUESTS, user_code)
        except NotFound:
            raise refused from None
        digest = browser_digest(secret)
        entered_here = any(hmac.compare_digest(digest, other) for other in request.browser_digests)
        if not entered_here or request.expires_at <= utc_now(self.clock):
            raise refused
        return request


def _check_waiting(token: DeviceToken, now: datetime) -> None:
    if token.status is not DeviceTokenStatus.PENDING or token.expires_at <= now:
        raise RefusedWithPage(400, _ENDED)


def _device_login(code: AuthCode) -> DeviceLogin:
    return DeviceLogin(
        scopes=code.scopes,
        connector_id=code.connector_id,
        claims=code.claims,
        connector_data=code.connector_data,
        auth_time=code.auth_time,
        session_id=code.session_id,
    )
