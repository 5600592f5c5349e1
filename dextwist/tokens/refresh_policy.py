"""How a refresh token ages: what a presented secret means, and what a redemption makes of the token.

Pure functions, since they run inside storage writes (RFC 9700 §4.14 for rotation and replay).
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import attrs

from dextwist.model.claims import Claims
from dextwist.model.refresh_token import RefreshToken
from dextwist.model.times import EPOCH

#: How many spent secrets a token remembers, to tell a replay from a guess.
REMEMBERED = 32


@attrs.frozen(kw_only=True)
class RefreshPolicy:
    """The limits of refresh tokens; None: no such limit."""

    rotate: bool = True
    #: how long the secret before the current one is answered with the current one.
    reuse_interval: timedelta = timedelta(seconds=30)
    valid_if_not_used_for: timedelta | None = None
    absolute_lifetime: timedelta | None = None
    #: refresh tokens that one person may have at one client.
    max_per_client: int = 20


class Verdict(enum.Enum):
    """What presenting a secret amounts to."""

    #: the current secret: redeem it
    CURRENT = enum.auto()
    #: the one before it, within the reuse interval: the current one answers
    PREDECESSOR = enum.auto()
    #: a secret that was spent: somebody has a copy
    REPLAY = enum.auto()
    #: the token has outlived a limit
    EXPIRED = enum.auto()
    #: no secret of this token
    UNKNOWN = enum.auto()


def judge(token: RefreshToken, secret: str, policy: RefreshPolicy, now: datetime) -> Verdict:
    """What presenting the secret for this token amounts to now."""
    # A token without a secret is one that very old releases of dex made: its id alone is the secret.
    current = _equal(secret, token.token)
    obsolete = bool(token.obsolete_token) and _equal(secret, token.obsolete_token)
    if not (current or obsolete or _digest(secret) in token.spent_digests):
        return Verdict.UNKNOWN
    if is_expired(token, policy, now):
        return Verdict.EXPIRED
    if current:
        return Verdict.CURRENT
    # dex kept no time of rotation: there it was the last use.
    rotated_at = token.rotated_at if token.rotated_at > EPOCH else token.last_used_at
    in_time = policy.reuse_interval > timedelta(0) and now <= rotated_at + policy.reuse_interval
    return Verdict.PREDECESSOR if obsolete and in_time else Verdict.REPLAY


def is_expired(token: RefreshToken, policy: RefreshPolicy, now: datetime) -> bool:
    """Whether the token has outlived its absolute or its idle limit."""
    absolute, idle = policy.absolute_lifetime, policy.valid_if_not_used_for
    return (absolute is not None and token.created_at + absolute < now) or (
        idle is not None and token.last_used_at + idle < now
    )


def redeemed(
    token: RefreshToken, policy: RefreshPolicy, now: datetime, *, new_secret: str, claims: Claims | None
) -> RefreshToken:
    """The token after its current secret was redeemed.

    `claims` is the person as they are now, if the connector was asked: whatever it calls them, they stay
    who they were.
    """
    changes: dict[str, Any] = {"last_used_at": now, "connector_data": b""}
    if claims is not None:
        same = claims.user_id == token.claims.user_id
        changes["claims"] = claims if same else attrs.evolve(claims, user_id=token.claims.user_id)
        changes["rechecked_at"] = now
    if policy.rotate:
        spent = (_digest(token.obsolete_token), *token.spent_digests) if token.obsolete_token else ()
        changes["token"], changes["obsolete_token"] = new_secret, token.token
        changes["spent_digests"], changes["rotated_at"] = spent[:REMEMBERED], now
    return attrs.evolve(token, **changes)


def _digest(secret: str) -> str:
    """Enough of a digest to recognise a secret of 124 bits, and too little to be one."""
    return base64.b64encode(hashlib.sha256(secret.encode()).digest()[:9]).decode("ascii")


def _equal(presented: str, secret: str) -> bool:
    """In constant time; that all secrets are of one length is no secret."""
    return hmac.compare_digest(presented.encode(), secret.encode())
