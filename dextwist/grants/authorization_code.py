"""The authorization_code grant: a code from the browser for tokens (RFC 6749 §4.1.3)."""

from __future__ import annotations

from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import OpenedConnector
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.login_tokens import LoginTokens
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.grant_types import AUTHORIZATION_CODE
from dextwist.oauth.pkce import check_verifier
from dextwist.storage.interface import Change, NotFound, Storage, Update
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import last_expiry, revocation
from dextwist.tokens.refresh_tokens import ending

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
    tokens: LoginTokens
    clock: IReactorTime

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
        code = examined.code
        due = await self.tokens.due(_subject(code), opened, code.connector_data)

        def spent(current: AuthCode) -> AuthCode:
            if current.redeemed:
                raise _Spent(current)
            return attrs.evolve(
                current,
                redeemed=True,
                access_token_id=due.access_token_id,
                refresh_token_id=due.refresh_token.id if due.refresh_token else "",
            )

        try:
            await self.storage.write(Update(AUTH_CODES, code.id, spent), *due.changes)
        except NotFound:
            raise _invalid() from None
        except _Spent as twice:
            await self._end_what_it_gave(twice.code)
            raise _invalid() from None
        return await self.tokens.signed(due, code=code.id)

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
        until = last_expiry(utc_now(self.clock), self.tokens.issuer.lifetime)
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
