"""A client that authenticates with a JWT of its own (RFC 7523 §3, OpenID Connect Core §9)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from dextwist.oauth.packed import packed

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PRIVATE_KEY_JWT = "private_key_jwt"
CLIENT_SECRET_JWT = "client_secret_jwt"  # noqa: S105 - a method's name

#: Seconds that an assertion may live, and by which the client's clock may be wrong.
MAX_LIFETIME = 300
CLOCK_SKEW = 60


class UnusableAssertion(Exception):
    """The assertion authenticates nobody; the text is for the log."""


@attrs.frozen(kw_only=True)
class CheckedAssertion:
    """An assertion whose claims are good."""

    #: one id for one assertion of one client.
    id: str
    #: seconds since 1970.
    expires_at: int


def claimed_client_id(claims: Mapping[str, Any]) -> str:
    """The client that an assertion claims to come from: its issuer and its subject (RFC 7523 §3)."""
    client_id = claims.get("sub")
    if not isinstance(client_id, str) or not client_id or claims.get("iss") != client_id:
        raise UnusableAssertion("iss and sub are not both the client's id")
    return client_id


def check_assertion(claims: Mapping[str, Any], audiences: Collection[str], now: float) -> CheckedAssertion:
    """The assertion, if it is made for one of our `audiences` and alive. Raises UnusableAssertion.

    One that is made for somebody else too could be one that somebody else hands on.
    """
    client_id, aud, jti = claimed_client_id(claims), claims.get("aud"), claims.get("jti")
    named = [aud] if isinstance(aud, str) else aud
    if not isinstance(named, list) or not named or any(each not in audiences for each in named):
        raise UnusableAssertion("aud is not the issuer or the token endpoint alone")
    expires_at = _time(claims, "exp")
    if expires_at is None or not now < expires_at <= now + MAX_LIFETIME + CLOCK_SKEW:
        raise UnusableAssertion("exp is missing, past, or too far ahead")
    for name in ("nbf", "iat"):
        began_at = _time(claims, name)
        if began_at is not None and began_at > now + CLOCK_SKEW:
            raise UnusableAssertion(f"{name} lies ahead")
    if not isinstance(jti, str) or not jti:
        raise UnusableAssertion("jti is missing")
    digest = hashlib.sha256(packed(client_id, jti).encode("ascii")).hexdigest()
    return CheckedAssertion(id=digest, expires_at=int(expires_at) + 1)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UnusableAssertion(f"{name} is no number")
    return value
