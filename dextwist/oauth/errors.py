"""Errors in the specifications' words."""

from __future__ import annotations

import attrs


def allowed_text(text: str) -> str:
    """The text with only the characters that RFC 6749 §5.2 allows in a description."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)


@attrs.frozen
class OAuthError(Exception):
    """An error for the client (RFC 6749 §4.1.2.1 and §5.2).

    `description` is plain ASCII without `"` and `\\`; `status` counts at the endpoints that answer JSON.
    """

    error: str
    description: str = attrs.field(default="", converter=allowed_text)
    status: int = 400
    #: seconds after which to try again, sent as Retry-After.
    retry_after: int | None = None

    def __str__(self) -> str:
        return f"{self.error}: {self.description}" if self.description else self.error


def unavailable(
    description: str = "the server cannot do this now, try again", retry_after: int = 5
) -> OAuthError:
    """What a client is told when the storage or an upstream does not answer."""
    return OAuthError("temporarily_unavailable", description, status=503, retry_after=retry_after)
