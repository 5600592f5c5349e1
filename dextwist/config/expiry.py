"""`expiry`: how long things live."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, part
from dextwist.config.values import boolean, duration, integer, limit


@attrs.frozen(kw_only=True)
class RefreshTokens:
    """Rotation and the limits of refresh tokens."""

    disable_rotation: bool = key("disableRotation", boolean, False)
    #: how long the token before the current one is still answered; zero: not at all.
    reuse_interval: timedelta = key(
        "reuseInterval", duration("refresh tokens reuse interval", zero=True), timedelta(seconds=30)
    )
    #: None: no limit.
    valid_if_not_used_for: timedelta | None = key(
        "validIfNotUsedFor", limit("refresh token valid if not used for"), None
    )
    #: None: no limit.
    absolute_lifetime: timedelta | None = key(
        "absoluteLifetime", limit("refresh tokens absolute lifetime"), None
    )
    #: how many a user may have at one client; the oldest goes first.
    max_per_client: int = key("maxPerClient", integer(minimum=1), 20)


@attrs.frozen(kw_only=True)
class Expiry:
    """Lifetimes."""

    #: of ID tokens and access tokens.
    id_tokens: timedelta = key("idTokens", duration("id token expiry"), timedelta(hours=24))
    #: of authorization codes.
    auth_codes: timedelta = key("authCodes", duration("auth code expiry"), timedelta(minutes=5))
    #: of logins that are under way.
    auth_requests: timedelta = key("authRequests", duration("auth request expiry"), timedelta(hours=1))
    device_requests: timedelta = key(
        "deviceRequests", duration("device request expiry"), timedelta(minutes=5)
    )
    #: None: not set. The signer's own key comes before it.
    signing_keys: timedelta | None = key("signingKeys", duration("signing keys expiry"), None)
    refresh_tokens: RefreshTokens = part("refreshTokens", RefreshTokens)

    def check(self, place: Place) -> None:
        if place.given("signingKeys"):
            place.warn("signingKeys", "deprecated, use signer.config.keysRotationPeriod")
