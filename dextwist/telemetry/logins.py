"""What is said of every login, to the log and to the metrics, wherever it happened."""

from __future__ import annotations

from typing import ClassVar

import attrs
from twisted.logger import Logger

from dextwist.model.claims import Claims
from dextwist.telemetry.metrics import Metrics


@attrs.frozen(kw_only=True)
class LoginAudit:
    """Writes one record of each login, however it ended. Passwords and tokens are never in it."""

    log: ClassVar[Logger] = Logger()

    metrics: Metrics

    def succeeded(
        self,
        claims: Claims,
        *,
        connector_id: str,
        client_id: str,
        event: str = "login successful",
        **more: str,
    ) -> None:
        """A connector said who somebody is; `more` is what else belongs into the record."""
        self._count(connector_id, "success")
        self.log.info(
            event,
            connector_id=connector_id,
            client_id=client_id,
            user_id=claims.user_id,
            username=claims.username,
            preferred_username=claims.preferred_username,
            email=claims.email + ("" if claims.email_verified else " (unverified)"),
            groups=list(claims.groups),
            **more,
        )

    def invalid_credentials(self, username: str, *, connector_id: str, client_id: str) -> None:
        """User name and password do not belong together."""
        self._count(connector_id, "invalid")
        self.log.info(
            "login failed: invalid credentials",
            connector_id=connector_id,
            client_id=client_id,
            username=username,
        )

    def failed(self, result: str, reason: str, *, connector_id: str, client_id: str) -> None:
        """There is no login, for another reason; `result` is its name in the metrics."""
        self._count(connector_id, result)
        self.log.info("login failed: {err}", err=reason, connector_id=connector_id, client_id=client_id)

    def _count(self, connector_id: str, result: str) -> None:
        self.metrics.login_finished(connector_id=connector_id, result=result)
