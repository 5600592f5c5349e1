"""Finishing a login: what the connector found out is written down, once, with all that follows from it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, TypeVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    CallbackRequest,
    ConnectorError,
    Connectors,
    ConnectorScopes,
    ConnectorUnavailable,
    Identity,
    LoginCancelled,
    LoginRefused,
    Negotiation,
    OpenedConnector,
    Overloaded,
)
from dextwist.login.beginning import upstream_status
from dextwist.login.loading import GONE
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.times import utc_now
from dextwist.oauth.scopes import OFFLINE_ACCESS
from dextwist.storage.interface import Change, NotFound, Storage, Update
from dextwist.telemetry.logins import LoginAudit
from dextwist.tokens.refresh_tokens import session_key

T = TypeVar("T")

#: Seconds after which an upstream that was away may have been tried again.
_RETRY_AFTER = 5
AUTHENTICATION_FAILED = "Authentication failed: the service that knows you gave no usable answer."


@attrs.frozen(kw_only=True)
class LoginFinisher:
    """Asks connectors who somebody is, and keeps the answer."""

    log: ClassVar[Logger] = Logger()

    storage: Storage
    connectors: Connectors
    clock: IReactorTime
    audit: LoginAudit

    async def opened(self, request: AuthRequest) -> OpenedConnector:
        """The connector of a login under way. Raises RefusedWithPage, StorageError."""
        try:
            return await self.connectors.get(request.connector_id)
        except ConnectorUnavailable as error:
            self.log.error("login failed: {err}", err=str(error), connector_id=request.connector_id)
            raise RefusedWithPage(503, "This way to sign in is not available now.", _RETRY_AFTER) from None

    async def password(
        self, request: AuthRequest, opened: OpenedConnector, username: str, password: str
    ) -> AuthRequest | None:
        """The login once user name and password were right; None where they were not.

        Raises RefusedWithPage, StorageError.
        """
        if opened.password is None:
            raise RefusedWithPage(400, "This way to sign in takes no password.")
        login = opened.password.login(ConnectorScopes.of(request.scopes), username, password)
        identity = await self._answer(request, login)
        if identity is None:
            self.audit.invalid_credentials(
                username, connector_id=request.connector_id, client_id=request.client_id
            )
            return None
        return await self._finish(request, opened, identity, again=True)

    async def ticket(
        self, request: AuthRequest, opened: OpenedConnector, negotiation: Negotiation
    ) -> AuthRequest | None:
        """The login where the browser showed a ticket that counts; None where the negotiation goes on.

        Raises RefusedWithPage, StorageError.
        """
        if opened.negotiator is None:
            return None
        answer = opened.negotiator.negotiate(ConnectorScopes.of(request.scopes), negotiation)
        try:
            identity = await self._answer(request, answer)
        except RefusedWithPage as refused:
            # The ticket was read, and nobody could be made of it: the browser has nothing better.
            raise attrs.evolve(refused, status=401) if refused.status == 500 else refused from None
        return None if identity is None else await self._finish(request, opened, identity, again=True)

    async def callback(
        self, request: AuthRequest, opened: OpenedConnector, brought: CallbackRequest
    ) -> AuthRequest:
        """The login after the browser came back from the upstream.

        Raises RefusedWithPage, StorageError.
        """
        if opened.callback is None:
            raise RefusedWithPage(400, "This way to sign in has no such callback.")
        if request.logged_in:
            raise RefusedWithPage(400, GONE)
        answer = opened.callback.handle_callback(
            ConnectorScopes.of(request.scopes), request.connector_data, brought
        )
        return await self._finish(request, opened, await self._answer(request, answer), again=False)

    async def _answer(self, request: AuthRequest, answer: Awaitable[T]) -> T:
        """What the connector says; what it raises becomes what the person or the client is told."""
        try:
            return await answer
        except LoginRefused as refused:
            self._failed(request, "refused", str(refused))
            wanted = (
                "You are not a member of any group that may sign in here."
                if refused.required_groups
                else refused.message or "You may not sign in here."
            )
            raise RefusedWithPage(403, wanted) from None
        except LoginCancelled as cancelled:
            self._failed(request, "cancelled", str(cancelled))
            raise RefusedWithPage(403, "You did not sign in: you said no, or the other side did.") from None
        except ConnectorError as failed:
            self._failed(request, "error", str(failed))
            raise RefusedWithPage(upstream_status(failed), AUTHENTICATION_FAILED) from None
        except Overloaded as overloaded:
            self._failed(request, "overloaded", str(overloaded))
            raise RefusedWithPage(503, "Too many people are signing in.", overloaded.retry_after) from None

    async def _finish(
        self, request: AuthRequest, opened: OpenedConnector, identity: Identity, *, again: bool
    ) -> AuthRequest:
        now, claims = utc_now(self.clock), identity.claims

        def finished(current: AuthRequest) -> AuthRequest:
            if current.logged_in and not again:
                raise RefusedWithPage(400, GONE)
            return attrs.evolve(
                current,
                logged_in=True,
                claims=claims,
                connector_data=identity.connector_data,
                auth_time=now,
            )

        def kept(session: OfflineSession) -> OfflineSession:
            data = identity.connector_data or session.connector_data
            return attrs.evolve(session, connector_data=data)

        changes: list[Change] = [Update(AUTH_REQUESTS, request.id, finished)]
        if OFFLINE_ACCESS in request.scopes and opened.refresher is not None:
            empty = OfflineSession(user_id=claims.user_id, connector_id=request.connector_id)
            key = session_key(claims.user_id, request.connector_id)
            changes.append(Update(OFFLINE_SESSIONS, key, kept, default=empty))
        try:
            changed = await self.storage.write(*changes)
        except NotFound:
            raise RefusedWithPage(400, GONE) from None
        self.audit.succeeded(claims, connector_id=request.connector_id, client_id=request.client_id)
        after: AuthRequest = changed[0].after
        return after

    def _failed(self, request: AuthRequest, result: str, reason: str) -> None:
        self.audit.failed(result, reason, connector_id=request.connector_id, client_id=request.client_id)
