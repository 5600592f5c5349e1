"""What token endpoints answer (RFC 6749 §5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.answer import UpstreamAnswer, excerpt

#: How long before its end an access token counts as expired.
EARLY = timedelta(seconds=10)
_FORMS = ("application/x-www-form-urlencoded", "text/plain")
#: Seconds: what is longer is as good as for ever.
_LONGEST = 100 * 365 * 24 * 3600


@attrs.frozen(eq=False)
class TokenRefused(ConnectorError):
    """The token endpoint gives no token, and says so."""

    #: its `error`: `invalid_grant`, `invalid_client`, ...; empty where it names none.
    error: str = ""
    status: int = 0


@attrs.frozen(kw_only=True)
class UpstreamTokens:
    """What an upstream has given us for a person."""

    access_token: str = attrs.field(repr=False)
    token_type: str = ""
    #: empty: none.
    refresh_token: str = attrs.field(default="", repr=False)
    #: None: never, as far as is known.
    expires_at: datetime | None = None
    #: all members of the answer, such as `id_token`.
    members: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def authorization(self) -> str:
        """The value of `Authorization` for calls with the access token (RFC 6750 §2.1)."""
        of_bearer = self.token_type.lower() in ("", "bearer")
        return f"{'Bearer' if of_bearer else self.token_type} {self.access_token}"

    def text(self, name: str) -> str:
        """A member of the answer; empty where there is none. Raises ConnectorError where it is no text."""
        return _text(self.members, name)

    def expired(self, now: datetime) -> bool:
        """Whether the access token is at its end, or will be in a moment."""
        return self.expires_at is not None and now >= self.expires_at - EARLY

    @classmethod
    def of(cls, answer: UpstreamAnswer, now: datetime) -> UpstreamTokens:
        """The tokens of an answer: in JSON or as a form, `expires_in` a number or its digits.

        Raises TokenRefused where the status is not of success or there is an `error`, whatever the status;
        ConnectorError where the answer cannot be understood. Neither quotes it: it may hold tokens.
        """
        succeeded = 200 <= answer.status < 300
        try:
            members = _members(answer)
        except ConnectorError:
            if succeeded:
                raise
            members = {}
        error = members.get("error")
        if not succeeded or error:
            raise _refused(answer, members, error if isinstance(error, str) else "")
        access_token = _text(members, "access_token")
        if not access_token:
            raise answer.error("has no access_token")
        try:
            seconds = float(members.get("expires_in") or 0)
        except (TypeError, ValueError, OverflowError):
            raise answer.error("has an expires_in that is no number") from None
        ends = 0 < seconds < _LONGEST
        return cls(
            access_token=access_token,
            token_type=_text(members, "token_type"),
            refresh_token=_text(members, "refresh_token"),
            expires_at=now + timedelta(seconds=seconds) if ends else None,
            members=members,
        )


def _members(answer: UpstreamAnswer) -> Mapping[str, Any]:
    if answer.media_type not in _FORMS:
        return answer.json_object()
    try:
        return dict(parse_qsl(answer.body.decode("ascii"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise answer.error("is no form") from None


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConnectorError(f"the token answer's {name} is no text")
    return value


def _refused(answer: UpstreamAnswer, members: Mapping[str, Any], error: str) -> TokenRefused:
    description = members.get("error_description")
    said = ": ".join(each for each in (error, description) if isinstance(each, str) and each)
    reason = f"the answer to {answer.asked} (status {answer.status}) is a refusal"
    if said:
        reason += f": {excerpt(said, answer.secrets)}"
    return TokenRefused(reason, error=error, status=answer.status)
