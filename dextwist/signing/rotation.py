"""When signing keys change, and into what: pure functions over the one record that all instances share.

The record always holds the key that signs and its successor. Whoever keeps the published keys for as long
as they were told knows a key before it signs: docs/decisions/a-successor-is-always-published.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

import attrs

from dextwist.jose.jwk import algorithm_of
from dextwist.model.keys import KeyPair, Keys, VerificationKey

_SECOND = timedelta(seconds=1)
_LONGEST_MAX_AGE = timedelta(minutes=10)
#: How wrong the clock of a relying party, or of another instance, may be.
_SKEW = timedelta(seconds=60)


@attrs.frozen(kw_only=True)
class RotationPolicy:
    """What the operator wants of signing keys."""

    #: how long a key signs.
    rotation_period: timedelta
    #: the algorithm of the keys that are made from now on.
    algorithm: str
    #: how long a token lives that a key has signed.
    token_lifetime: timedelta

    @property
    def max_age(self) -> timedelta:
        """How long relying parties may keep the published keys: whole seconds."""
        return max(_SECOND, min(_LONGEST_MAX_AGE, self.rotation_period // _SECOND * _SECOND))

    @property
    def retention(self) -> timedelta:
        """How long a key is published after it has signed for the last time."""
        # A token that lives shorter than clocks may differ is not worth more than its life again.
        return self.token_lifetime + min(_SKEW, self.token_lifetime)


class Step(Enum):
    """What a record needs now; the value is the reason that the log gives."""

    FIRST_KEYS = "missing signing key"
    SUCCESSOR = "missing next key"
    OTHER_SUCCESSOR = "algorithm changed"
    ROTATION = "expired"

    @property
    def new_keys(self) -> int:
        """How many new keys it takes."""
        return 2 if self is Step.FIRST_KEYS else 1


def rotation_time(keys: Keys, policy: RotationPolicy) -> datetime:
    """When the successor may sign: not before everybody knows it."""
    return max(keys.next_rotation_at, keys.next_published_at + policy.max_age)


def next_step(keys: Keys, policy: RotationPolicy, now: datetime, *, starting: bool = False) -> Step | None:
    """What the record needs now, if anything.

    A successor of another algorithm than the configured one is replaced only by an instance that is
    `starting`: while a new configuration is rolled out, instances of the old one would change it back.
    """
    if keys.signing_key is None:
        return Step.FIRST_KEYS
    if keys.next_key is None:
        return Step.SUCCESSOR
    if starting and algorithm_of(keys.next_key.public) != policy.algorithm:
        return Step.OTHER_SUCCESSOR
    if now >= rotation_time(keys, policy):
        return Step.ROTATION
    return None


def after_step(
    step: Step, keys: Keys, policy: RotationPolicy, now: datetime, new_keys: Sequence[KeyPair]
) -> Keys:
    """The record once the step is taken; the step is one that `next_step` gave for it."""
    successor = new_keys[-1]
    remaining = tuple(key for key in keys.verification_keys if key.expires_at >= now)
    published = attrs.evolve(keys, next_key=successor, next_published_at=now, verification_keys=remaining)
    if step is Step.FIRST_KEYS:
        return attrs.evolve(published, signing_key=new_keys[0], next_rotation_at=now + policy.rotation_period)
    if step is Step.ROTATION:
        assert keys.signing_key is not None
        retired = VerificationKey(public_key=keys.signing_key.public, expires_at=now + policy.retention)
        return attrs.evolve(
            published,
            signing_key=keys.next_key,
            verification_keys=(*remaining, retired),
            next_rotation_at=now + policy.rotation_period,
        )
    return published
