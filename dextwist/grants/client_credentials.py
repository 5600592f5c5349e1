"""The client_credentials grant: a client acts in its own name (RFC 6749 §4.4)."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.claims import Claims
from dextwist.model.client import Client
from dextwist.oauth.gate import check_machine_scopes
from dextwist.oauth.grant_types import CLIENT_CREDENTIALS
from dextwist.oauth.scopes import OPENID, parse_scopes
from dextwist.storage.interface import Storage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import TokenIssuer, existing_peers

#: A person always comes through a connector, so the `sub` of a machine is never that of a person.
NO_CONNECTOR = ""


@attrs.frozen(kw_only=True)
class ExaminedMachine:
    """A client that may have tokens about itself."""

    subject: TokenSubject
    connector_id: str = NO_CONNECTOR


@attrs.frozen(kw_only=True)
class ClientCredentialsGrant:
    """Gives a client tokens about itself; an ID token where it asks for `openid`, as dex does."""

    grant_type: ClassVar[str] = CLIENT_CREDENTIALS

    storage: Storage
    issuer: TokenIssuer

    async def examine(self, request: TokenRequest) -> ExaminedMachine:
        """The client and its scopes, if it may have them."""
        client, scopes = request.client, parse_scopes(request.form.get("scope"))
        check_machine_scopes(client, scopes, await existing_peers(self.storage, scopes))
        subject = TokenSubject(
            client_id=client.id,
            scopes=scopes,
            claims=_claims(client),
            connector_id=NO_CONNECTOR,
            nonce=request.form.get("nonce"),
        )
        return ExaminedMachine(subject=subject)

    async def redeem(self, examined: ExaminedMachine, opened: OpenedConnector | None) -> TokenResponse:
        """Sign. Nothing is stored, so there is never a refresh token."""
        wants_id_token = OPENID in examined.subject.scopes
        tokens = await self.issuer.issue(examined.subject, id_token=wants_id_token)
        return TokenResponse(
            access_token=tokens.access_token, id_token=tokens.id_token, expires_in=tokens.expires_in
        )


def _claims(client: Client) -> Claims:
    return Claims(
        user_id=client.id,
        username=client.name,
        preferred_username=client.name,
        groups=client.client_credentials_groups or (),
    )
