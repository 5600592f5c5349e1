"""How a login ends early: with a page for the person, or with an error at the client."""

from __future__ import annotations

import attrs

from dextwist.oauth.errors import OAuthError
from dextwist.oauth.response_types import ResponseMode


@attrs.frozen(eq=False)
class RefusedWithPage(Exception):
    """The person is told, since the client is not known or cannot be trusted with it."""

    status: int
    message: str
    #: seconds after which to try again, sent as Retry-After.
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.message


@attrs.frozen(kw_only=True)
class ResponseTarget:
    """Where and how an authorization response travels."""

    redirect_uri: str
    mode: ResponseMode
    #: empty: the client sent none.
    state: str


@attrs.frozen(eq=False)
class RefusedAtClient(Exception):
    """The client is told, at its redirect target (RFC 6749 §4.1.2.1)."""

    error: OAuthError
    target: ResponseTarget

    def __str__(self) -> str:
        return str(self.error)
