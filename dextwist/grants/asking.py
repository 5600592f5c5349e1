"""Asking a connector who somebody is, for a client at the token endpoint."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import attrs

from dextwist.connectors.interface import ConnectorError, LoginRefused, Overloaded
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.telemetry.logins import LoginAudit

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class ConnectorAsker:
    """Turns what connectors raise into what the client is told; the reason is for the log alone."""

    audit: LoginAudit

    async def ask(
        self, answer: Awaitable[T], *, connector_id: str, client_id: str, unusable: OAuthError
    ) -> T:
        """What the connector answers.

        Raises OAuthError: access_denied where the policy refuses who it is, temporarily_unavailable where
        the upstream does not answer, and `unusable` where its answer is of no use.
        """
        try:
            return await answer
        except LoginRefused as refused:
            self.audit.failed("refused", str(refused), connector_id=connector_id, client_id=client_id)
            raise OAuthError("access_denied", "the person may not log in here") from None
        except Overloaded as overloaded:
            self.audit.failed("overloaded", str(overloaded), connector_id=connector_id, client_id=client_id)
            raise unavailable("too many people are logging in", overloaded.retry_after) from None
        except ConnectorError as error:
            self.audit.failed("error", str(error), connector_id=connector_id, client_id=client_id)
            if error.timed_out or error.unreachable:
                raise unavailable("the service that knows the person does not answer") from None
            raise unusable from None
