"""Which client a request comes from: by its secret, or by an assertion that it signed (RFC 6749 §2.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.model.client import CLIENTS, Client
from dextwist.model.times import EPOCH
from dextwist.model.used_assertion import USED_ASSERTIONS, UsedAssertion
from dextwist.oauth.client_assertion import (
    JWT_BEARER,
    UnusableAssertion,
    check_assertion,
    claimed_client_id,
)
from dextwist.oauth.client_authentication import client_credentials, is_client_secret
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.parameters import Form
from dextwist.signing.interface import AssertionReader, InvalidToken
from dextwist.storage.interface import AlreadyExists, Create, NotFound, Storage


@attrs.frozen(kw_only=True)
class ClientAuthenticator:
    """Says which client a request comes from.

    Whatever is wrong with what a client presents, it is told the same; the log says more.
    """

    log: ClassVar[Logger] = Logger()

    storage: Storage
    clock: IReactorTime
    assertions: AssertionReader
    #: whom an assertion may be made for: the issuer, and the token endpoint.
    audiences: tuple[str, ...]

    async def client(self, form: Form, authorization: str | None) -> Client:
        """The client that authenticated. Raises OAuthError (invalid_client), StorageError."""
        credentials = client_credentials(authorization, form.get)
        if form.get("client_assertion_type") or form.get("client_assertion"):
            if credentials.by_basic or credentials.client_secret:
                raise OAuthError("invalid_request", "a secret and an assertion in one request")
            return await self._by_assertion(form, credentials.client_id)
        client = await self._known(credentials.client_id)
        if not is_client_secret(client, credentials.client_secret):
            what = "invalid" if credentials.client_secret else "missing"
            self.log.info("{what} client_secret on token request", what=what, client_id=client.id)
            raise _invalid_client()
        return client

    async def _known(self, client_id: str) -> Client:
        try:
            return await self.storage.get(CLIENTS, client_id)
        except NotFound:
            self.log.info("unknown client on token request", client_id=client_id)
            raise _invalid_client() from None

    async def _by_assertion(self, form: Form, named: str) -> Client:
        """The client that signed the assertion, which is then used up."""
        assertion, client_id = form.get("client_assertion"), named
        try:
            if form.get("client_assertion_type") != JWT_BEARER:
                raise UnusableAssertion("an assertion of an unknown type")
            client_id = claimed_client_id(self.assertions.unverified_claims(assertion))
            if named and named != client_id:
                raise UnusableAssertion("client_id is not the assertion's")
            client = await self._known(client_id)
            claims = self.assertions.claims(assertion, client)
            checked = check_assertion(claims, self.audiences, self.clock.seconds())
            expires_at = EPOCH + timedelta(seconds=checked.expires_at)
            await self.storage.write(
                Create(USED_ASSERTIONS, UsedAssertion(id=checked.id, expires_at=expires_at))
            )
        except (InvalidToken, UnusableAssertion) as wrong:
            self._refused(client_id, str(wrong))
            raise _invalid_client() from None
        except AlreadyExists:
            self._refused(client_id, "it was used before")
            raise _invalid_client() from None
        return client

    def _refused(self, client_id: str, reason: str) -> None:
        self.log.info(
            "client_assertion on token request refused: {reason}", reason=reason, client_id=client_id
        )


def _invalid_client() -> OAuthError:
    return OAuthError("invalid_client", "invalid client credentials", status=401)
