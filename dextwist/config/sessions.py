"""`sessions`: the browser's sessions and their cookie."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.durations import duration_text, parse_duration
from dextwist.config.features import flag
from dextwist.config.places import Place
from dextwist.config.reading import key, secret
from dextwist.config.values import A_DURATION, boolean, text

_INVALID = "invalid session config: "


def lifetime(place: Place) -> timedelta:
    """A duration that is more than zero."""
    try:
        value = parse_duration(text(place))
    except ValueError:
        raise place.wrong(A_DURATION, f"{_INVALID}no duration") from None
    if value <= timedelta(0):
        name = place.path.rpartition(".")[2]
        raise place.wrong(problem=f"{_INVALID}{name} must be positive, got {duration_text(value)}")
    return value


def shared_with(place: Place) -> str:
    """none or all."""
    if text(place) not in ("none", "all"):
        raise place.wrong(problem=f'{_INVALID}ssoSharedWithDefault must be "none" or "all", got {{found}}')
    return text(place)


@attrs.frozen(kw_only=True)
class Sessions:
    """How long a browser stays logged in, and for which clients."""

    cookie_name: str = key("cookieName", text, "dex_session")
    absolute_lifetime: timedelta = key("absoluteLifetime", lifetime, timedelta(hours=24))
    valid_if_not_used_for: timedelta = key("validIfNotUsedFor", lifetime, timedelta(hours=1))
    remember_me_checked_by_default: bool = key("rememberMeCheckedByDefault", boolean, True)
    #: empty: the cookie is not encrypted.
    cookie_encryption_key: str = secret("cookieEncryptionKey", text)
    #: `none` or `all`: what holds for clients without ssoSharedWith.
    sso_shared_with_default: str = key("ssoSharedWithDefault", shared_with, "none")

    def check(self, place: Place) -> None:
        if flag(place.findings.environ, "sessions_enabled") is False:
            place.refuse("", "sessions config requires sessions to be enabled (DEX_SESSIONS_ENABLED=true)")
        if self.valid_if_not_used_for > self.absolute_lifetime:
            idle, absolute = duration_text(self.valid_if_not_used_for), duration_text(self.absolute_lifetime)
            place.refuse(
                "validIfNotUsedFor",
                f"{_INVALID}validIfNotUsedFor ({idle}) must not exceed absoluteLifetime ({absolute})",
            )
        length = len(self.cookie_encryption_key.encode())
        if length not in (0, 16, 24, 32):
            place.refuse(
                "cookieEncryptionKey",
                f"{_INVALID}cookieEncryptionKey must be 16, 24, or 32 bytes (AES-128/192/256), got {length}",
            )
