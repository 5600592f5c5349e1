"""What every token request goes through: client, grant, connector, answer (RFC 6749 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from twisted.logger import Logger

from dextwist.connectors.interface import Connectors, ConnectorUnavailable, OpenedConnector
from dextwist.grants.interface import Grant, TokenRequest, TokenResponse
from dextwist.model.client import CLIENTS, Client
from dextwist.oauth.client_authentication import client_credentials, is_client_secret
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.gate import check_connector
from dextwist.oauth.parameters import Form, MalformedForm
from dextwist.storage.interface import NotFound, Storage
from dextwist.telemetry.metrics import Metrics


@attrs.frozen(kw_only=True)
class ClientAuthenticator:
    """Says which client a request comes from."""

    log: ClassVar[Logger] = Logger()

    storage: Storage

    async def client(self, form: Form, authorization: str | None) -> Client:
        """The client that authenticated. Raises OAuthError (invalid_client), StorageError.

        An unknown client and a wrong secret are answered alike.
        """
        credentials = client_credentials(authorization, form.get)
        try:
            client = await self.storage.get(CLIENTS, credentials.client_id)
        except NotFound:
            self.log.info("unknown client on token request", client_id=credentials.client_id)
            raise _invalid_client() from None
        if not is_client_secret(client, credentials.client_secret):
            what = "invalid" if credentials.client_secret else "missing"
            self.log.info("{what} client_secret on token request", what=what, client_id=client.id)
            raise _invalid_client()
        return client


@attrs.frozen(kw_only=True)
class TokenEndpoint:
    """Redeems grants for clients."""

    grants: Mapping[str, Grant[Any]]
    authenticator: ClientAuthenticator
    connectors: Connectors
    metrics: Metrics

    async def answer(self, form: Form, authorization: str | None) -> TokenResponse:
        """The tokens for a request. Raises OAuthError, StorageError, SigningError."""
        try:
            form.refuse_repeats()
        except MalformedForm as error:
            raise OAuthError("invalid_request", error.reason) from None
        grant = self.grants.get(form.get("grant_type"))
        if grant is None:
            raise OAuthError("unsupported_grant_type")
        client = await self.authenticator.client(form, authorization)
        examined = await grant.examine(TokenRequest(client=client, form=form))
        opened = None
        if examined.connector_id:
            opened = await self._opened(client, examined.connector_id, grant.grant_type)
        response = await grant.redeem(examined, opened)
        self.metrics.tokens_issued(grant_type=grant.grant_type)
        return response

    async def _opened(self, client: Client, connector_id: str, grant_type: str) -> OpenedConnector:
        try:
            opened = await self.connectors.get(connector_id)
        except ConnectorUnavailable as error:
            if error.unknown:
                raise OAuthError("invalid_grant", "the connector exists no more") from None
            raise unavailable("the connector is not available now") from error
        check_connector(client, opened.record, grant_type)
        return opened


def _invalid_client() -> OAuthError:
    return OAuthError("invalid_client", "invalid client credentials", status=401)
