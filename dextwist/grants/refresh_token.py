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
    RefreshInterrupted,
)
from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.single_flight import SingleFlight
from dextwist.grants.turns import Turns
from dextwist.model.claims import Claims
from dextwist.model.ids import new_id
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.gate import check_refresh_scopes
from dextwist.oauth.grant_types import REFRESH_TOKEN
from dextwist.oauth.scopes import GROUPS, parse_scopes
from dextwist.storage.interface import Change, NotFound, Storage, Update
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
class _LookUp:
    """What the upstream was asked, and gave."""

    #: the person as they are now; None where what is stored goes on to count.
    claims: Claims | None = None
    #: what dex kept on the token and the session is to have; empty: what is in the session.
    connector_data: bytes = attrs.field(default=b"", repr=False)


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
    turns: Turns = attrs.field(factory=Turns)

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
        found = await self._looked_up(token, opened)
        now, new_secret = utc_now(self.clock), self.new_id()

        def rotated(current: RefreshToken) -> RefreshToken:
            verdict = judge(current, secret, self.policy, now)
            if verdict is not Verdict.CURRENT:
                raise _Changed(verdict, current)
            return redeemed(current, self.policy, now, new_secret=new_secret, claims=found.claims)

        def used(current: OfflineSession) -> OfflineSession:
            ref = current.refresh.get(token.id)
            if ref is None:
                raise _invalid()
            refs = {**current.refresh, token.id: attrs.evolve(ref, last_used_at=now)}
            data = found.connector_data or current.connector_data
            return attrs.evolve(current, refresh=refs, connector_data=data)

        try:
            changed, _ = await self.storage.write(
                Update(REFRESH_TOKENS, token.id, rotated), Update(OFFLINE_SESSIONS, key, used)
            )
        except NotFound:
            raise _invalid() from None
        except _Changed as other:
            # Somebody was faster.
            if other.verdict is Verdict.PREDECESSOR:
                return other.token
            raise await self._refusal(other.verdict, other.token) from None
        after: RefreshToken = changed.after
        return after

    async def _looked_up(self, token: RefreshToken, opened: OpenedConnector | None) -> _LookUp:
        """The person as they are now, if it is time to ask."""
        known = _LookUp(connector_data=token.connector_data)
        recheck = self.rechecks.get(token.connector_id, RecheckPolicy())
        if opened is None or not recheck.is_due(token.rechecked_at, utc_now(self.clock)):
            return known
        if opened.connector is None:
            self._unanswered(token, recheck, "the connector cannot be opened")
            return known
        if opened.refresher is None:
            return known
        # All the tokens of a session share what the upstream gave, and it may be good for one use.
        async with self.turns.of(session_key(token.claims.user_id, token.connector_id)):
            return await self._asked(token, recheck, opened.refresher)

    async def _asked(
        self, token: RefreshToken, recheck: RecheckPolicy, connector: RefreshConnector
    ) -> _LookUp:
        """What the upstream says; what it will want next time is then written down."""
        known = _LookUp(connector_data=token.connector_data)
        try:
            key = session_key(token.claims.user_id, token.connector_id)
            session = await self.storage.get(OFFLINE_SESSIONS, key)
        except NotFound:
            raise _invalid() from None
        stored = Identity(
            claims=token.claims.unmapped or token.claims,
            connector_data=token.connector_data or session.connector_data,
        )
        scopes = ConnectorScopes(offline_access=True, groups=GROUPS in token.scopes)
        try:
            fresh = await connector.refresh(scopes, stored)
        except RefreshInterrupted as interrupted:
            # The rest must not cost the upstream's new token: the old one may be worth nothing now.
            await self._keep(token, interrupted.connector_data)
            self._failed(token, recheck, interrupted.cause)
            return _LookUp()
        except (IdentityGone, LoginRefused, ConnectorError) as failure:
            self._failed(token, recheck, failure)
            return known
        if fresh.claims.user_id != token.claims.user_id:
            self._failed(token, recheck, IdentityGone("the upstream answered about somebody else"))
        if fresh.connector_data in (b"", stored.connector_data):
            return _LookUp(claims=fresh.claims, connector_data=token.connector_data)
        await self._keep(token, fresh.connector_data)
        return _LookUp(claims=fresh.claims)

    async def _keep(self, token: RefreshToken, connector_data: bytes) -> None:
        """Write down what the upstream will want next time, whatever becomes of this request."""

        def moved(current: RefreshToken) -> RefreshToken:
            return attrs.evolve(current, connector_data=b"")

        def kept(current: OfflineSession) -> OfflineSession:
            return attrs.evolve(current, connector_data=connector_data)

        key = session_key(token.claims.user_id, token.connector_id)
        changes: list[Change] = [Update(OFFLINE_SESSIONS, key, kept)]
        if token.connector_data:  # it would be believed before the session's
            changes.append(Update(REFRESH_TOKENS, token.id, moved))
        with suppress(NotFound):
            await self.storage.write(*changes)

    def _failed(
        self,
        token: RefreshToken,
        recheck: RecheckPolicy,
        failure: IdentityGone | LoginRefused | ConnectorError,
    ) -> None:
        """Refuse; only an upstream that gave no answer may be done without."""
        if isinstance(failure, ConnectorError):
            self._unanswered(token, recheck, str(failure))
            return
        self._log(token, _REFUSED, str(failure))
        raise OAuthError("invalid_grant", "the person may not log in any more")

    def _unanswered(self, token: RefreshToken, recheck: RecheckPolicy, reason: str) -> None:
        """Go on with what is stored, if that is the operator's choice where an upstream does not answer."""
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
