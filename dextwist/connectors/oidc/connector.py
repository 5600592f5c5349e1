"""The `oidc` connector: logs in, refreshes, exchanges tokens and signs out at an OpenID provider."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ClosableConnector,
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginStart,
    LogoutConnector,
    PreparedConnector,
    RefreshConnector,
    TokenIdentityConnector,
    keeping,
)
from dextwist.connectors.oidc.config import KEYS, OIDCSettings
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.connectors.upstream.id_token import ANY, IDTokenRules, check_at_hash, check_nonce
from dextwist.connectors.upstream.oauth2 import OAuth2Client, check_callback
from dextwist.connectors.upstream.proof import S256, LoginProof
from dextwist.connectors.upstream.provider import Provider, ProviderDocument
from dextwist.connectors.upstream.tokens import UpstreamTokens
from dextwist.oauth.redirect_uris import with_query

_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a type's name
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name
#: What a userinfo answer does not replace: what was checked in the ID token.
_CHECKED = ("iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "sub")


@attrs.define(kw_only=True, eq=False)
class OIDCConnector(
    CallbackConnector,
    RefreshConnector,
    TokenIdentityConnector,
    LogoutConnector,
    PreparedConnector,
    ClosableConnector,
):
    """One registration at one provider."""

    log: ClassVar[Logger] = Logger()

    connector_id: str
    settings: OIDCSettings
    provider: Provider
    client: OAuth2Client
    clock: IReactorTime
    _preparing: Deferred[None] | None = attrs.field(init=False, default=None)

    def prepare(self) -> None:
        """Begin to ask for the document, so that a fault is told at once and not at the first login."""
        self._preparing = Deferred.fromCoroutine(self._prepare())

    async def prepared(self) -> None:
        """Return once the document is there. Raises ConnectorError."""
        await self.provider.document()

    async def close(self) -> None:
        """End what is under way."""
        self.provider.close()
        if self._preparing is not None:
            self._preparing.cancel()

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """The provider's authorization endpoint. Raises ConnectorError."""
        settings, document = self.settings, await self.provider.document()
        method = settings.code_challenge_method
        if not method and S256 in document.code_challenge_methods:
            method = S256
        proof = LoginProof.new(method)
        more = {**proof.challenge, "nonce": proof.nonce}
        if scopes.login_hint:
            more["login_hint"] = scopes.login_hint
        if settings.acr_values:
            more["acr_values"] = " ".join(settings.acr_values)
        if scopes.offline_access:
            more |= {"access_type": "offline", "prompt": settings.prompt_type}
        url = self.client.authorization_url(
            document.authorization_endpoint, callback_url, state, scopes=settings.scopes, more=more
        )
        return LoginStart(url=url, connector_data=proof.connector_data)

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The person of the ID token. Raises LoginRefused, LoginCancelled, ConnectorError."""
        check_callback(request.query)
        proof, document = LoginProof.of(connector_data), await self.provider.document()
        if document.names_itself and request.query.get("iss") not in document.issuers:
            raise ConnectorError("the browser comes from another issuer than it was sent to (RFC 9207)")
        self.client.learn(document.token_endpoint, document.token_auth_methods)
        tokens = await self.client.exchange(
            document.token_endpoint, request.query, code_verifier=proof.code_verifier
        )
        said = await self._said_with(tokens, document, proof.nonce)
        return Identity(
            claims=self.settings.mapping.claims(said),
            connector_data=_packed(tokens.refresh_token) if scopes.offline_access else b"",
            upstream_claims=said,
        )

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person as the provider knows them now.

        Raises IdentityGone, LoginRefused, ConnectorError; RefreshInterrupted around one of them.
        """
        refresh_token, document = _unpacked(identity.connector_data), await self.provider.document()
        self.client.learn(document.token_endpoint, document.token_auth_methods)
        tokens = await self.client.refreshed(document.token_endpoint, refresh_token)
        mapping, renewed = self.settings.mapping, _packed(tokens.refresh_token)
        with keeping(renewed):
            said = await self._said_with(tokens, document)
            user_id = mapping.user_id_in(said)
        if user_id != identity.claims.user_id:
            raise IdentityGone("the provider answered about somebody else")
        with keeping(renewed):
            claims = mapping.claims(said, known=identity.claims)
        return Identity(claims=claims, connector_data=renewed, upstream_claims=said)

    async def token_identity(self, subject_token_type: str, subject_token: str) -> Identity:
        """Whose token of the provider's it is. Raises LoginRefused, ConnectorError."""
        document = await self.provider.document()
        if subject_token_type == _ID_TOKEN:
            said = await self._said_in_handed_on(subject_token, document)
        elif subject_token_type == _ACCESS_TOKEN and self.settings.get_user_info:
            await self._check_access_token(subject_token, document)
            said = await self._userinfo(document, f"Bearer {subject_token}")
        elif subject_token_type == _ACCESS_TOKEN:
            raise ConnectorError("access tokens are only exchanged with getUserInfo: true")
        else:
            raise ConnectorError(f"{subject_token_type} is not exchanged")
        return Identity(claims=self.settings.mapping.claims(said), upstream_claims=said)

    async def logout_url(self, post_logout_url: str) -> str:
        """The provider's end-session endpoint (RP-Initiated Logout §2). Raises ConnectorError."""
        endpoint = (await self.provider.document()).end_session_endpoint
        if not endpoint or not post_logout_url:
            return endpoint
        return with_query(
            endpoint,
            [("client_id", self.settings.client_id), ("post_logout_redirect_uri", post_logout_url)],
        )

    async def handle_logout_callback(self, request: CallbackRequest) -> None:
        """There is nothing to check: what counts is the server's own session."""

    async def _prepare(self) -> None:
        try:
            document = await self.provider.document()
        except ConnectorError as error:
            self.log.error(
                "connector {connector_id} is not ready, and is tried again when it is used: {err}",
                connector_id=self.connector_id,
                err=str(error),
            )
            return
        except CancelledError:
            return
        method, offered = self.settings.code_challenge_method, document.code_challenge_methods
        if method and method not in offered:
            self.log.warn(
                "connector {connector_id}: the provider does not say that it knows pkceChallenge {method}",
                connector_id=self.connector_id,
                method=method,
            )

    async def _said_with(
        self, tokens: UpstreamTokens, document: ProviderDocument, nonce: str | None = None
    ) -> Mapping[str, Any]:
        """What the provider says with these tokens; with a nonce, in an ID token of that login."""
        said: Mapping[str, Any] = {}
        id_token = tokens.text("id_token")
        if id_token:
            token = await self.provider.verified(id_token)
            said = token.claims
            self._rules(document).check(said, self.clock.seconds())
            if nonce is not None:
                check_nonce(said, nonce)
            check_at_hash(said, token.header["alg"], tokens.access_token)
        elif nonce is not None:
            raise ConnectorError("the token answer has no id_token")
        if self.settings.get_user_info:
            said = _merged(said, await self._userinfo(document, tokens.authorization))
        return said

    async def _said_in_handed_on(self, id_token: str, document: ProviderDocument) -> Mapping[str, Any]:
        token = await self.provider.verified(id_token)
        # An access token of the same provider may look just like one (RFC 9068 §2.1).
        if str(token.header.get("typ", "")).lower().removeprefix("application/") == "at+jwt":
            raise ConnectorError("an access token is no ID token")
        self._rules(document).check_handed_on(
            token.claims, self.settings.token_exchange_audiences, self.clock.seconds()
        )
        return token.claims

    async def _check_access_token(self, access_token: str, document: ProviderDocument) -> None:
        """Return where the token is for an accepted audience, as far as it can be read.

        The userinfo endpoint answers to tokens of every client. Raises ConnectorError.
        """
        accepted = self.settings.token_exchange_audiences
        if ANY not in accepted and access_token.count(".") == 2:
            token = await self.provider.verified(access_token)
            self._rules(document).check_access_token(token.claims, accepted)

    async def _userinfo(self, document: ProviderDocument, authorization: str) -> Mapping[str, Any]:
        """What the userinfo endpoint says (OpenID Connect Core §5.3)."""
        if not document.userinfo_endpoint:
            raise ConnectorError("getUserInfo: the provider has no userinfo endpoint")
        answer = await self.client.http.get_json(
            document.userinfo_endpoint, operation="userinfo", headers={"Authorization": authorization}
        )
        if answer.media_type == "application/jwt":
            try:
                text = answer.body.decode("ascii").strip()
            except ValueError:
                raise answer.error("is no JWT") from None
            claims = (await self.provider.verified(text)).claims
            self._rules(document).check_named(claims)
            return claims
        claims = answer.json()
        if not isinstance(claims, dict):
            raise answer.error("is no JSON object")
        return claims

    def _rules(self, document: ProviderDocument) -> IDTokenRules:
        return IDTokenRules(issuers=document.issuers, client_id=self.settings.client_id)


def _merged(said: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ID token's claims with the userinfo's laid over them. Raises ConnectorError for somebody else's."""
    # Without this comparison an access token of another person would do (§5.3.2).
    if "sub" in said and userinfo.get("sub", said["sub"]) != said["sub"]:
        raise ConnectorError("the userinfo is about somebody else than the ID token")
    if not said:
        return userinfo
    return {**said, **{name: value for name, value in userinfo.items() if name not in _CHECKED}}


def _packed(refresh_token: str) -> bytes:
    """Connector data, as dex keeps it; none without a token, so that one that is kept is not overwritten."""
    if not refresh_token:
        return b""
    return json.dumps({"RefreshToken": base64.b64encode(refresh_token.encode()).decode("ascii")}).encode(
        "ascii"
    )


def _unpacked(connector_data: bytes) -> str:
    """The refresh token; empty where there is none. Raises ConnectorError."""
    if not connector_data:
        return ""
    try:
        kept = json.loads(connector_data)
        return base64.b64decode(kept["RefreshToken"] or "", validate=True).decode()
    except (ValueError, KeyError, TypeError):
        raise ConnectorError("what was kept for the refresh cannot be read") from None


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> OIDCConnector:
    settings = OIDCSettings.of(config)
    http = context.upstream_client(connector_id, settings.trust)
    connector = OIDCConnector(
        connector_id=connector_id,
        settings=settings,
        provider=Provider(
            http=http,
            issuer=settings.issuer,
            issuer_alias=settings.issuer_alias,
            overrides=settings.overrides,
            allow_http=settings.allow_http,
        ),
        client=OAuth2Client(
            http=http,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            redirect_uri=settings.redirect_uri,
            authentication=settings.authentication,
        ),
        clock=context.clock,
    )
    connector.prepare()
    return connector


OIDC = ConnectorType(name="oidc", open=_open, config_keys=KEYS)
