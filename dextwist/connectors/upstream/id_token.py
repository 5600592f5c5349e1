"""What an upstream's ID token must say to be believed (OpenID Connect Core §3.1.3.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.oauth.hashes import half_hash

#: Seconds by which an upstream's clock may be ahead or behind.
CLOCK_SKEW = 60
#: Seconds by which `nbf` may lie ahead.
NOT_BEFORE_SKEW = 300
#: Stands for every audience.
ANY = "*"


@attrs.frozen(kw_only=True)
class IDTokenRules:
    """Who may have made a token, and for whom."""

    issuers: Collection[str]
    client_id: str

    def check(self, claims: Mapping[str, Any], now: float) -> None:
        """Return where the issuer made the token for us, and it is alive. Raises ConnectorError."""
        self._check_issuer_and_times(claims, now, CLOCK_SKEW)
        audiences = _audiences(claims)
        azp = claims.get("azp")
        if self.client_id not in audiences:
            raise ConnectorError("the ID token is for another audience")
        if (len(audiences) > 1 or azp is not None) and azp != self.client_id:
            raise ConnectorError("the ID token was issued to another client")

    def check_handed_on(self, claims: Mapping[str, Any], accepted: Collection[str], now: float) -> None:
        """Return where a token that somebody hands us is alive and for an accepted audience.

        `accepted` may hold ANY. Raises ConnectorError.
        """
        # Without leeway: it is no fresh answer, but a credential that is at its end.
        self._check_issuer_and_times(claims, now, 0)
        audiences = _audiences(claims)
        if ANY in accepted:
            return
        # Of several audiences any one could be handing on the token; its own client must be accepted.
        named = audiences if len(audiences) == 1 else [claims.get("azp")]
        if not any(each in accepted for each in named):
            raise ConnectorError("the ID token is for an audience that is not accepted")

    def check_access_token(self, claims: Mapping[str, Any], accepted: Collection[str]) -> None:
        """Return where an access token was issued to, or is for, somebody who is accepted.

        Raises ConnectorError.
        """
        named = [*_audiences(claims), claims.get("azp"), claims.get("client_id")]
        if claims.get("iss") not in self.issuers or not any(each in accepted for each in named):
            raise ConnectorError("the access token is for an audience that is not accepted")

    def check_named(self, claims: Mapping[str, Any]) -> None:
        """Return where a signed userinfo answer names nobody else as its issuer or audience (§5.3.2).

        Raises ConnectorError.
        """
        if "iss" in claims and claims["iss"] not in self.issuers:
            raise ConnectorError("the userinfo is of another issuer")
        if "aud" in claims and self.client_id not in _audiences(claims):
            raise ConnectorError("the userinfo is for another audience")

    def _check_issuer_and_times(self, claims: Mapping[str, Any], now: float, skew: float) -> None:
        issuer, expires_at, not_before = claims.get("iss"), claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(issuer, str) or issuer not in self.issuers:
            raise ConnectorError(f"the ID token is of another issuer: {issuer!r:.200}")
        if not _is_number(expires_at) or now >= expires_at + skew:
            raise ConnectorError("the ID token has expired, or does not say when it does")
        if not _is_number(not_before) or now + NOT_BEFORE_SKEW < not_before:
            raise ConnectorError("the ID token is not valid yet")


def check_nonce(claims: Mapping[str, Any], nonce: str) -> None:
    """Return where the token belongs to the login with this nonce. Raises ConnectorError."""
    if not nonce or claims.get("nonce") != nonce:
        raise ConnectorError("the ID token belongs to another login: its nonce is not ours")


def check_at_hash(claims: Mapping[str, Any], algorithm: str, access_token: str) -> None:
    """Return where the token was issued with this access token, as far as it says (§3.1.3.6)."""
    at_hash = claims.get("at_hash")
    if at_hash is None:
        return
    try:
        expected = half_hash(algorithm, access_token)
    except ValueError:
        expected = None
    if at_hash != expected:
        raise ConnectorError("the ID token was issued with another access token")


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    named = claims.get("aud")
    audiences = [named] if isinstance(named, str) else named
    if not isinstance(audiences, list) or not all(isinstance(each, str) for each in audiences):
        raise ConnectorError("the ID token names no audience")
    return audiences


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
