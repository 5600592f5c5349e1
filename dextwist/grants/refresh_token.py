"""The refresh_token grant: rotation, the same successor for parallel requests, replay (RFC 6749 §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginRefused,
    OpenedConnector,
    RefreshConnector,
)
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.single_flight import SingleFlight
from dextwist.model.ids import new_id
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.gate import check_refresh_scopes
from dextwist.oauth.grant_types import REFRESH_TOKEN
from dextwist.oauth.scopes import GROUPS, parse_scopes
from dextwist.storage.interface import NotFound, Storage, Update
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.families import last_expiry, member_id
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy, Verdict, judge, redeemed
from dextwist.tokens.refresh_tokens import (
    ending,
    parse_refresh_token,
    refresh_token_string,
    session_key,
)

_REFUSED = "refresh: refused, {reason}"


@attrs.frozen(eq=False)
class _Changed(Exception):
    """The token is no longer what it was when the request came; what the secret amounts to now."""

    verdict: Verdict
    token: RefreshToken


@attrs.frozen(kw_only=True)
class ExaminedRefreshToken:
    """A refresh token that its client may redeem, and for which scopes."""

    token: RefreshToken
    secret: str = attrs.field(repr=False)
    scopes: tuple[str, ...]
    connector_id: str


@attrs.frozen(kw_only=True)
class RefreshTokenGrant:
    """Redeems refresh tokens.

    The person is looked up again before anything is written, one look-up at a time for a token; the write
    then judges the secret once more, so that two requests never get two successors.
    """

    log: ClassVar[Logger] = Logger()
    grant_type: ClassVar[str] = REFRESH_TOKEN

    storage: Storage
    issuer: TokenIssuer
    clock: IReactorTime
    policy: RefreshPolicy
    #: by connector id; connectors without one are asked at each refresh.
    rechecks: Mapping[str, RecheckPolicy] = attrs.field(factory=dict)
    new_id: Callable[[], str] = new_id
    flights: SingleFlight[RefreshToken] = attrs.field(factory=SingleFlight)

    async def examine(self, request: TokenRequest) -> ExaminedRefreshToken:
        """The token, if it is alive and this client's."""
        text = request.form.get("refresh_token")
        if not text:
            raise OAuthError("invalid_request", "refresh_token is missing")
        token_id, secret = parse_refresh_token(text)
        try:
            token = await self.storage.get(REFRESH_TOKENS, token_id)
        except NotFound:
            raise _invalid() from None
        if token.client_id != request.client.id:
            raise OAuthError("invalid_grant", "the refresh token belongs to another client")
        verdict = judge(token, secret, self.policy, utc_now(self.clock))
        if verdict not in (Verdict.CURRENT, Verdict.PREDECESSOR):
            raise await self._refusal(verdict, token)
        scopes = parse_scopes(request.form.get("scope"))
        check_refresh_scopes(scopes, token.scopes)
        scopes = scopes or token.scopes
        # Before the secret is spent: a client that asks again with it must not look like a thief.
        await self.issuer.check_peers(token.client_id, scopes)
        return ExaminedRefreshToken(
            token=token, secret=secret, scopes=scopes, connector_id=token.connector_id
        )

    async def redeem(self, examined: ExaminedRefreshToken, opened: OpenedConnector | None) -> TokenResponse:
        """Rotate, or answer with the successor that an earlier request made; then sign."""
        token = await self._redeemed(examined.token, examined.secret, opened)
        subject = TokenSubject(
            client_id=token.client_id,
            scopes=examined.scopes,
            claims=token.claims,
            connector_id=token.connector_id,
            nonce=token.nonce,
            auth_time=token.auth_time,
        )
        access_token_id = member_id(token.id, self.issuer.new_token_id())
        tokens = await self.issuer.issue(subject, access_token_id=access_token_id)
        return TokenResponse(
            access_token=tokens.access_token,
            id_token=tokens.id_token,
            expires_in=tokens.expires_in,
            refresh_token=refresh_token_string(token),
        )

    async def _redeemed(
        self, token: RefreshToken, secret: str, opened: OpenedConnector | None
    ) -> RefreshToken:
        """The token as it is once the secret is redeemed: its current secret is the answer."""
        while True:
            verdict = judge(token, secret, self.policy, utc_now(self.clock))
            if verdict is Verdict.PREDECESSOR:
                return token
            if verdict is not Verdict.CURRENT:
                raise await self._refusal(verdict, token)
            work = partial(self._rotated, token, secret, opened)
            token, mine = await self.flights.run(token.id, work)
            if mine or not self.policy.rotate:
                return token

    async def _rotated(
        self, token: RefreshToken, secret: str, opened: OpenedConnector | None
    ) -> RefreshToken:
        """The token after the person was looked up and the secret spent."""
        key = session_key(token.claims.user_id, token.connector_id)
        try:
            session = await self.storage.get(OFFLINE_SESSIONS, key)
        except NotFound:
            raise _invalid() from None
        fresh = await self._fresh_identity(token, session, opened)
        now, new_secret = utc_now(self.clock), self.new_id()

        def rotated(current: RefreshToken) -> RefreshToken:
            verdict = judge(current, secret, self.policy, now)
            if verdict is not Verdict.CURRENT:
                raise _Changed(verdict, current)
            claims = fresh.claims if fresh else current.claims
            after = redeemed(current, self.policy, now, new_secret=new_secret, claims=claims)
            return attrs.evolve(after, rechecked_at=now if fresh else current.rechecked_at)

        def remembered(current: OfflineSession) -> OfflineSession:
            data = fresh.connector_data if fresh else b""
            data = data or token.connector_data or current.connector_data
            return attrs.evolve(current, connector_data=data)

        def used(current: OfflineSession) -> OfflineSession:
            ref = current.refresh.get(token.id)
            if ref is None:
                raise _invalid()
            refs = {**current.refresh, token.id: attrs.evolve(ref, last_used_at=now)}
            return attrs.evolve(remembered(current), refresh=refs)

        try:
            changed, _ = await self.storage.write(
                Update(REFRESH_TOKENS, token.id, rotated), Update(OFFLINE_SESSIONS, key, used)
            )
        except NotFound:
            raise _invalid() from None
        except _Changed as other:
            # Somebody was faster. The upstream has answered us too, though, and may honour only its latest.
            if fresh and fresh.connector_data:
                with suppress(NotFound):
                    await self.storage.write(Update(OFFLINE_SESSIONS, key, remembered))
            if other.verdict is Verdict.PREDECESSOR:
                return other.token
            raise await self._refusal(other.verdict, other.token) from None
        after: RefreshToken = changed.after
        return after

    async def _fresh_identity(
        self, token: RefreshToken, session: OfflineSession, opened: OpenedConnector | None
    ) -> Identity | None:
        """The person as they are now; None where what is stored goes on to count."""
        recheck = self.rechecks.get(token.connector_id, RecheckPolicy())
        if opened is None or not recheck.is_due(token.rechecked_at, utc_now(self.clock)):
            return None
        connector = opened.connector
        if connector is None:
            self._unanswered(token, recheck, "the connector cannot be opened")
            return None
        if not isinstance(connector, RefreshConnector):
            return None
        stored = Identity(claims=token.claims, connector_data=token.connector_data or session.connector_data)
        scopes = ConnectorScopes(offline_access=True, groups=GROUPS in token.scopes)
        try:
            fresh = await connector.refresh(scopes, stored)
        except (IdentityGone, LoginRefused) as refused:
            self._log(token, _REFUSED, str(refused))
            raise OAuthError("invalid_grant", "the person may not log in any more") from None
        except ConnectorError as error:
            self._unanswered(token, recheck, str(error))
            return None
        if fresh.claims.user_id != token.claims.user_id:
            self._log(token, _REFUSED, "the upstream answered about somebody else")
            raise OAuthError("invalid_grant", "the person may not log in any more")
        return fresh

    def _unanswered(self, token: RefreshToken, recheck: RecheckPolicy, reason: str) -> None:
        """Go on with what is stored, if that is the operator's choice for an upstream that does not answer."""
        if not recheck.keep_on_error:
            self._log(token, _REFUSED, reason)
            raise unavailable("the person could not be looked up, try again")
        self._log(token, "refresh: goes on with what is known, {reason}", reason)

    async def _refusal(self, verdict: Verdict, token: RefreshToken) -> OAuthError:
        """The error for a secret that does not redeem; a replay ends the whole token first."""
        if verdict is Verdict.REPLAY:
            self.log.error(
                "refresh_replay: refresh token claimed twice, it is ended",
                token_id=token.id,
                client_id=token.client_id,
                connector_id=token.connector_id,
                user_id=token.claims.user_id,
            )
            until = last_expiry(utc_now(self.clock), self.issuer.lifetime)
            await self.storage.write(
                *ending(token.id, token.claims.user_id, token.connector_id, access_tokens_until=until)
            )
        elif verdict is Verdict.EXPIRED:
            self.log.info("refresh token expired", token_id=token.id, client_id=token.client_id)
        return _invalid()

    def _log(self, token: RefreshToken, event: str, reason: str) -> None:
        self.log.info(
            event,
            reason=reason,
            client_id=token.client_id,
            connector_id=token.connector_id,
            user_id=token.claims.user_id,
        )


def _invalid() -> OAuthError:
    return OAuthError("invalid_grant", "the refresh token is unknown, expired or used")
