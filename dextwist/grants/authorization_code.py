"""The authorization_code grant: a code from the browser for tokens (RFC 6749 §4.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.ids import new_uuid
from dextwist.model.refresh_token import RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import gives_refresh_token
from dextwist.oauth.grant_types import AUTHORIZATION_CODE
from dextwist.oauth.pkce import check_verifier
from dextwist.storage.interface import Change, NotFound, Storage, Update
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import last_expiry, member_id, revocation
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.refresh_tokens import RefreshTokenMaker, ending, refresh_token_string

#: Redemptions that may fail for the verifier or the client before a code counts as spent.
MAX_FAILED_ATTEMPTS = 5


@attrs.frozen(eq=False)
class _Spent(Exception):
    """The code had been redeemed; as it was then."""

    code: AuthCode


@attrs.frozen(kw_only=True)
class ExaminedCode:
    """A code that may be redeemed by who presents it."""

    code: AuthCode
    connector_id: str


@attrs.frozen(kw_only=True)
class AuthorizationCodeGrant:
    """Redeems a code once. Presenting it again ends what it gave (RFC 6749 §4.1.2)."""

    log: ClassVar[Logger] = Logger()
    grant_type: ClassVar[str] = AUTHORIZATION_CODE

    storage: Storage
    issuer: TokenIssuer
    refresh_tokens: RefreshTokenMaker
    clock: IReactorTime
    new_token_id: Callable[[], str] = new_uuid

    async def examine(self, request: TokenRequest) -> ExaminedCode:
        """The code, if this client may redeem it with what it presents."""
        code_id = request.form.get("code")
        if not code_id:
            raise OAuthError("invalid_request", "code is missing")
        try:
            code = await self.storage.get(AUTH_CODES, code_id)
        except NotFound:
            raise _invalid() from None
        if code.expires_at <= utc_now(self.clock) or code.failed_attempts >= MAX_FAILED_ATTEMPTS:
            raise _invalid()
        if code.user_code:
            # It ends a device's login, whose proof key is checked when the device polls.
            raise _invalid()
        if code.client_id != request.client.id:
            await self._count_failure(code)
            raise _invalid()
        if code.redeemed:
            await self._end_what_it_gave(code)
            raise _invalid()
        try:
            check_verifier(request.form.get("code_verifier"), code.proof_key)
        except OAuthError as error:
            if error.error == "invalid_grant":
                await self._count_failure(code)
            raise
        if request.form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one that the code was sent to")
        return ExaminedCode(code=code, connector_id=code.connector_id)

    async def redeem(self, examined: ExaminedCode, opened: OpenedConnector | None) -> TokenResponse:
        """Spend the code, store the refresh token in the same write, then sign."""
        code, now = examined.code, utc_now(self.clock)
        subject = _subject(code)
        refresh_token: RefreshToken | None = None
        creation: tuple[Change, ...] = ()
        if opened is not None and gives_refresh_token(
            opened.record, opened.refresher is not None, code.scopes
        ):
            refresh_token, creation = await self.refresh_tokens.creation(subject, now, code.connector_data)
        access_token_id = self.new_token_id()
        if refresh_token:
            access_token_id = member_id(refresh_token.id, access_token_id)

        def spent(current: AuthCode) -> AuthCode:
            if current.redeemed:
                raise _Spent(current)
            return attrs.evolve(
                current,
                redeemed=True,
                access_token_id=access_token_id,
                refresh_token_id=refresh_token.id if refresh_token else "",
            )

        try:
            await self.storage.write(Update(AUTH_CODES, code.id, spent), *creation)
        except NotFound:
            raise _invalid() from None
        except _Spent as twice:
            await self._end_what_it_gave(twice.code)
            raise _invalid() from None
        tokens = await self.issuer.issue(subject, access_token_id=access_token_id, code=code.id)
        return TokenResponse(
            access_token=tokens.access_token,
            id_token=tokens.id_token,
            expires_in=tokens.expires_in,
            refresh_token=refresh_token_string(refresh_token) if refresh_token else "",
        )

    async def _count_failure(self, code: AuthCode) -> None:
        def failed(current: AuthCode) -> AuthCode:
            return attrs.evolve(current, failed_attempts=current.failed_attempts + 1)

        try:
            await self.storage.write(Update(AUTH_CODES, code.id, failed))
        except NotFound:
            return

    async def _end_what_it_gave(self, code: AuthCode) -> None:
        self.log.warn(
            "code_replay: an authorization code was presented twice, what it gave is ended",
            client_id=code.client_id,
            connector_id=code.connector_id,
            user_id=code.claims.user_id,
        )
        until = last_expiry(utc_now(self.clock), self.issuer.lifetime)
        changes: tuple[Change, ...] = (revocation(code.access_token_id, until),)
        if code.refresh_token_id:
            changes += ending(
                code.refresh_token_id,
                code.claims.user_id,
                code.connector_id,
                access_tokens_until=until,
            )
        await self.storage.write(*changes)


def _subject(code: AuthCode) -> TokenSubject:
    return TokenSubject(
        client_id=code.client_id,
        scopes=code.scopes,
        claims=code.claims,
        connector_id=code.connector_id,
        nonce=code.nonce,
        auth_time=code.auth_time,
        session_id=code.session_id,
    )


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "the code is unknown, expired, used, or another client's")
