"""The token exchange grant: a token of an upstream for one of ours (RFC 8693)."""

from __future__ import annotations

from typing import ClassVar

import attrs

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import TOKEN_EXCHANGE
from dextwist.oauth.scopes import parse_scopes, unknown_scopes
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import TokenIssuer

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a type's name
_TYPES = (ACCESS_TOKEN, ID_TOKEN)


@attrs.frozen(kw_only=True)
class ExaminedExchange:
    """An exchange that may be tried."""

    client_id: str
    connector_id: str
    subject_token: str = attrs.field(repr=False)
    subject_token_type: str
    requested_token_type: str
    scopes: tuple[str, ...]


@attrs.frozen(kw_only=True)
class TokenExchangeGrant:
    """Asks the connector that the request names whose the upstream's token is.

    Whether the upstream made the token for us, or for a client that we are told to accept, is the
    connector's to check: only it can read the token.
    """

    grant_type: ClassVar[str] = TOKEN_EXCHANGE

    issuer: TokenIssuer
    asker: ConnectorAsker

    async def examine(self, request: TokenRequest) -> ExaminedExchange:
        """What is to be exchanged for what, if all of it makes sense before anybody is asked."""
        form = request.form
        for name in ("connector_id", "subject_token", "subject_token_type"):
            if not form.get(name):
                raise OAuthError("invalid_request", f"{name} is missing")
        requested = form.get("requested_token_type") or ACCESS_TOKEN
        for name, token_type in (
            ("subject_token_type", form.get("subject_token_type")),
            ("requested_token_type", requested),
        ):
            if token_type not in _TYPES:
                raise OAuthError("invalid_request", f"{name} must be one of {' '.join(_TYPES)}")
        scopes = parse_scopes(form.get("scope"))
        await self.issuer.check_peers(request.client.id, scopes)
        return ExaminedExchange(
            client_id=request.client.id,
            connector_id=form.get("connector_id"),
            subject_token=form.get("subject_token"),
            subject_token_type=form.get("subject_token_type"),
            requested_token_type=requested,
            scopes=scopes,
        )

    async def redeem(self, examined: ExaminedExchange, opened: OpenedConnector | None) -> TokenResponse:
        """Ask the connector, then sign the one token that was requested."""
        if opened is None or opened.exchanger is None:
            raise OAuthError("invalid_request", "the connector exchanges no tokens")
        names = {"connector_id": examined.connector_id, "client_id": examined.client_id}
        identity = await self.asker.ask(
            opened.exchanger.token_identity(examined.subject_token_type, examined.subject_token),
            **names,
            # RFC 8693 §2.2.2, where dex answers 401 access_denied.
            unusable=OAuthError("invalid_request", "the subject token is not accepted"),
        )
        self.asker.audit.succeeded(
            identity.claims,
            **names,
            event="token exchange successful",
            subject_token_type=examined.subject_token_type,
            requested_token_type=examined.requested_token_type,
        )
        unknown = unknown_scopes(examined.scopes)
        granted = tuple(scope for scope in examined.scopes if scope not in unknown)
        subject = TokenSubject(
            client_id=examined.client_id,
            scopes=granted,
            claims=identity.claims,
            connector_id=examined.connector_id,
        )
        wants_id_token = examined.requested_token_type == ID_TOKEN
        tokens = await self.issuer.issue(subject, access_token=not wants_id_token, id_token=wants_id_token)
        return TokenResponse(
            # Whatever its type, the token is in this member (RFC 8693 §2.2.1).
            access_token=tokens.id_token or tokens.access_token,
            issued_token_type=examined.requested_token_type,
            expires_in=tokens.expires_in,
            scope=" ".join(granted) if unknown else "",
        )
