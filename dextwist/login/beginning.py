"""Beginning a login: entering a connector with a good authorization request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import (
    ConnectorError,
    Connectors,
    ConnectorScopes,
    ConnectorUnavailable,
    OpenedConnector,
)
from dextwist.login.browser_binding import browser_digest
from dextwist.login.checking import CheckedRequest
from dextwist.login.pending import PendingLogins
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.claims import ProofKey
from dextwist.model.ids import new_id, new_long_id
from dextwist.model.times import utc_now
from dextwist.oauth.gate import may_use_connector, serves_grant
from dextwist.storage.interface import Change, Create, Delete, Storage
from dextwist.telemetry.metrics import Metrics

LOGIN_ERROR = "The sign-in could not be started: the service that knows you does not work as it should."


@attrs.frozen
class SendTo:
    """Send the browser to the upstream."""

    url: str


@attrs.frozen
class AskForPassword:
    """Show the password form of this login."""

    request_id: str


Beginning = SendTo | AskForPassword


@attrs.frozen(kw_only=True)
class LoginBeginner:
    """Enters connectors."""

    log: ClassVar[Logger] = Logger()

    storage: Storage
    connectors: Connectors
    clock: IReactorTime
    callback_url: str
    lifetime: timedelta
    pending: PendingLogins
    metrics: Metrics
    new_id: Callable[[], str] = new_id
    new_key: Callable[[], str] = new_long_id

    async def usable_connector(self, checked: CheckedRequest, connector_id: str) -> OpenedConnector:
        """The connector, if client and request may use it. Raises RefusedWithPage, StorageError."""
        if not may_use_connector(checked.client, connector_id):
            raise RefusedWithPage(403, "The application does not accept this way to sign in.")
        try:
            opened = await self.connectors.get(connector_id)
        except ConnectorUnavailable as error:
            self.log.warn("login not started: {err}", err=str(error), connector_id=connector_id)
            raise RefusedWithPage(400, "This way to sign in is not available.") from None
        if not serves_grant(opened.record, checked.grant_type):
            raise RefusedWithPage(400, "This way to sign in does not serve what the application asked for.")
        return opened

    async def begin(
        self,
        checked: CheckedRequest,
        opened: OpenedConnector,
        browser_secret: str,
        *,
        client_address: str,
    ) -> Beginning:
        """Store the login and say where the browser goes. Raises RefusedWithPage, StorageError."""
        request_id = self.new_id()
        scopes = attrs.evolve(ConnectorScopes.of(checked.scopes), login_hint=checked.login_hint)
        beginning: Beginning
        connector_data = b""
        try:
            if opened.callback is not None:
                start = await opened.callback.login_url(scopes, self.callback_url, request_id)
                beginning, connector_data = SendTo(start.url), start.connector_data
            elif opened.password is not None:
                beginning = AskForPassword(request_id)
            else:
                raise RefusedWithPage(400, "This way to sign in is not available.")
        except ConnectorError as error:
            self.log.error("login not started: {err}", err=str(error), connector_id=opened.record.id)
            raise RefusedWithPage(upstream_status(error), LOGIN_ERROR) from None
        request = AuthRequest(
            id=request_id,
            client_id=checked.client.id,
            response_types=checked.response_types,
            scopes=checked.scopes,
            redirect_uri=checked.target.redirect_uri,
            expires_at=utc_now(self.clock) + self.lifetime,
            connector_id=opened.record.id,
            nonce=checked.nonce,
            state=checked.target.state,
            user_code=checked.user_code,
            response_mode=checked.response_mode,
            force_approval_prompt=checked.force_approval_prompt,
            prompt=checked.prompt,
            max_age=checked.max_age,
            hinted_subject=checked.hinted_subject,
            hmac_key=self.new_key().encode("ascii"),
            browser_digest=browser_digest(browser_secret),
            proof_key=ProofKey(
                code_challenge=checked.code_challenge,
                code_challenge_method=checked.code_challenge_method,
            ),
            connector_data=connector_data,
        )
        giving_way = self.pending.begin(request_id, client_address)
        changes: list[Change] = [Create(AUTH_REQUESTS, request)]
        if giving_way is not None:
            self.metrics.limit_hit(limit="maxPendingLogins")
            changes.append(Delete(AUTH_REQUESTS, giving_way, missing_ok=True))
        await self.storage.write(*changes)
        return beginning


def upstream_status(error: ConnectorError) -> int:
    """The status of the page that says an upstream failed."""
    return 504 if error.timed_out else 502 if error.unreachable else 500
