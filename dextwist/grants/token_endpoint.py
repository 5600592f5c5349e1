"""What every token request goes through: client, grant, connector, answer (RFC 6749 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dextwist.connectors.interface import Connectors, ConnectorUnavailable, OpenedConnector
from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.grants.interface import Grant, TokenRequest, TokenResponse
from dextwist.model.client import Client
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.gate import check_connector, check_grant, unknown_connector
from dextwist.oauth.grant_types import REFRESH_TOKEN
from dextwist.oauth.parameters import Form, MalformedForm
from dextwist.telemetry.metrics import Metrics

#: The grants that decide for themselves what a connector means that cannot be opened now.
_CAN_DO_WITHOUT = frozenset({REFRESH_TOKEN})
#: What a client may name several of (RFC 8693 §2.1, RFC 8707 §2). Nothing here looks at them.
_MANY = frozenset({"audience", "resource"})


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
            form.refuse_repeats(but=_MANY)
        except MalformedForm as error:
            raise OAuthError("invalid_request", error.reason) from None
        grant = self.grants.get(form.get("grant_type"))
        if grant is None:
            raise OAuthError("unsupported_grant_type")
        client = await self.authenticator.client(form, authorization)
        check_grant(client, grant.grant_type)
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
            if error.record is None:
                raise unknown_connector(grant_type) from None
            opened = OpenedConnector(error.record, None)
        check_connector(client, opened.record, grant_type)
        if opened.connector is None and grant_type not in _CAN_DO_WITHOUT:
            raise unavailable("the connector is not available now")
        return opened
