"""The device authorization endpoint: a device asks for the codes of a login (RFC 8628 §3.1 and §3.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.grants.device_code import POLL_INTERVAL
from dextwist.model.claims import ProofKey
from dextwist.model.client import Client
from dextwist.model.device import DEVICE_REQUESTS, DEVICE_TOKENS, DeviceRequest, DeviceToken
from dextwist.model.ids import new_long_id, new_user_code
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.gate import (
    ProofKeyPolicy,
    check_authorization_scopes,
    check_challenge,
    check_device,
)
from dextwist.oauth.issuer import Issuer
from dextwist.oauth.parameters import Form, MalformedForm
from dextwist.oauth.pkce import PLAIN
from dextwist.oauth.scopes import OPENID, parse_scopes
from dextwist.storage.interface import AlreadyExists, Create, Storage
from dextwist.tokens.issuer import existing_peers

#: User codes to try before the server says that it has too many of them out.
_ATTEMPTS = 10


@attrs.frozen(kw_only=True)
class DeviceAuthorization:
    """What a device is told."""

    device_code: str = attrs.field(repr=False)
    user_code: str = attrs.field(repr=False)
    verification_uri: str
    #: seconds
    expires_in: int

    def as_dict(self) -> dict[str, Any]:
        """The members as they are sent."""
        return {
            "device_code": self.device_code,
            "user_code": self.user_code,
            "verification_uri": self.verification_uri,
            "verification_uri_complete": f"{self.verification_uri}?user_code={self.user_code}",
            "expires_in": self.expires_in,
            "interval": POLL_INTERVAL,
        }


@attrs.frozen(kw_only=True)
class DeviceAuthorizer:
    """Gives codes to the devices of clients that are known and may sign in devices."""

    storage: Storage
    authenticator: ClientAuthenticator
    issuer: Issuer
    clock: IReactorTime
    lifetime: timedelta
    proof_keys: ProofKeyPolicy
    new_device_code: Callable[[], str] = new_long_id
    new_user_code: Callable[[], str] = new_user_code

    async def answer(self, form: Form, authorization: str | None) -> DeviceAuthorization:
        """The codes for a device's request. Raises OAuthError, StorageError."""
        try:
            form.refuse_repeats()
        except MalformedForm as error:
            raise OAuthError("invalid_request", error.reason) from None
        client = await self.authenticator.client(form, authorization)
        check_device(client, self.issuer.path)
        challenge, method = form.get("code_challenge"), form.get("code_challenge_method")
        check_challenge(client, challenge, method, self.proof_keys, client_gets_code=False)
        scopes = parse_scopes(form.get("scope")) or (OPENID,)
        check_authorization_scopes(client, scopes, await existing_peers(self.storage, scopes))
        proof_key = ProofKey(
            code_challenge=challenge, code_challenge_method=(method or PLAIN) if challenge else ""
        )
        request = await self._stored(client, scopes, proof_key)
        return DeviceAuthorization(
            device_code=request.device_code,
            user_code=request.user_code,
            verification_uri=self.issuer.url_of("/device"),
            expires_in=int(self.lifetime.total_seconds()),
        )

    async def _stored(self, client: Client, scopes: tuple[str, ...], proof_key: ProofKey) -> DeviceRequest:
        """A new login, both its halves. User codes are short: one that is taken is drawn again."""
        for _ in range(_ATTEMPTS):
            now = utc_now(self.clock)
            request = DeviceRequest(
                user_code=self.new_user_code(),
                device_code=self.new_device_code(),
                client_id=client.id,
                scopes=scopes,
                expires_at=now + self.lifetime,
            )
            token = DeviceToken(
                device_code=request.device_code,
                client_id=client.id,
                expires_at=request.expires_at,
                last_polled_at=now,
                proof_key=proof_key,
            )
            try:
                await self.storage.write(Create(DEVICE_REQUESTS, request), Create(DEVICE_TOKENS, token))
            except AlreadyExists:
                continue
            return request
        raise unavailable("no user code is free, try again")
