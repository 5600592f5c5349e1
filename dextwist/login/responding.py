"""The authorization response: the login is consumed, and the client gets what it asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.login.loading import GONE
from dextwist.login.pending import PendingLogins
from dextwist.login.refusals import RefusedWithPage, ResponseTarget
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.ids import new_long_id
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.redirect_uris import OUT_OF_BAND
from dextwist.oauth.response_types import CODE, ID_TOKEN, TOKEN, in_front_channel, response_mode
from dextwist.storage.interface import Change, Create, Delete, NotFound, Storage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.issuer import TokenIssuer


@attrs.frozen(kw_only=True)
class AuthorizationResponse:
    """What the browser takes to the client."""

    target: ResponseTarget
    params: tuple[tuple[str, str], ...] = attrs.field(repr=False)


@attrs.frozen
class ShownCode:
    """A code that the person copies from a page of ours."""

    code: str = attrs.field(repr=False)


def target_of(request: AuthRequest) -> ResponseTarget:
    """Where the response of a stored login goes."""
    mode = response_mode(request.response_mode, " ".join(request.response_types))
    return ResponseTarget(redirect_uri=request.redirect_uri, mode=mode, state=request.state)


@attrs.frozen(kw_only=True)
class Responder:
    """Answers clients."""

    storage: Storage
    issuer: TokenIssuer
    clock: IReactorTime
    code_lifetime: timedelta
    pending: PendingLogins
    new_code: Callable[[], str] = new_long_id

    def refusal(self, error: OAuthError, target: ResponseTarget) -> AuthorizationResponse:
        """An error response (RFC 6749 §4.1.2.1, RFC 9207)."""
        params = [("error", error.error)]
        if error.description:
            params.append(("error_description", error.description))
        return self._response(target, params)

    async def refuse(self, request: AuthRequest, error: OAuthError) -> AuthorizationResponse:
        """End the login with an error. Raises RefusedWithPage where it has ended, StorageError."""
        await self._consume(request)
        return self.refusal(error, target_of(request))

    async def respond(self, request: AuthRequest) -> AuthorizationResponse | ShownCode:
        """Consume the login and answer it.

        Raises RefusedWithPage where it has ended, OAuthError, StorageError, SigningError.
        """
        words = request.response_types
        code = self._code(request) if CODE in words else None
        await self._consume(request, *([Create(AUTH_CODES, code)] if code else []))
        if code and request.redirect_uri == OUT_OF_BAND:
            return ShownCode(code.id)
        params = [("code", code.id)] if code else []
        if in_front_channel(words):
            tokens = await self.issuer.issue(
                TokenSubject(
                    client_id=request.client_id,
                    scopes=request.scopes,
                    claims=request.claims,
                    connector_id=request.connector_id,
                    nonce=request.nonce,
                    auth_time=request.auth_time,
                ),
                access_token=TOKEN in words,
                id_token=ID_TOKEN in words,
                code=code.id if code else "",
            )
            if tokens.access_token:
                params += [("access_token", tokens.access_token), ("token_type", "bearer")]
                params.append(("expires_in", str(tokens.expires_in)))
            if tokens.id_token:
                params.append(("id_token", tokens.id_token))
        return self._response(target_of(request), params)

    def _code(self, request: AuthRequest) -> AuthCode:
        return AuthCode(
            id=self.new_code(),
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            scopes=request.scopes,
            connector_id=request.connector_id,
            expires_at=utc_now(self.clock) + self.code_lifetime,
            nonce=request.nonce,
            claims=request.claims,
            connector_data=request.connector_data,
            auth_time=request.auth_time,
            proof_key=request.proof_key,
            user_code=request.user_code,
        )

    async def _consume(self, request: AuthRequest, *then: Change) -> None:
        """Removing the stored login is what makes the response single-use."""
        try:
            await self.storage.write(Delete(AUTH_REQUESTS, request.id), *then)
        except NotFound:
            raise RefusedWithPage(400, GONE) from None
        finally:
            self.pending.end(request.id)

    def _response(self, target: ResponseTarget, params: list[tuple[str, str]]) -> AuthorizationResponse:
        params = [*params, ("iss", self.issuer.issuer)]
        if target.state:
            params.append(("state", target.state))
        return AuthorizationResponse(target=target, params=tuple(params))
