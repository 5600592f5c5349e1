"""The signing keys: one record, changed only by rotation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from dextwist.model.kind import Kind
from dextwist.model.times import EPOCH

#: A JSON Web Key (RFC 7517) as its members.
JWKDict = Mapping[str, Any]

#: The key under which the one record is stored.
KEYS_ID = "keys"


@attrs.frozen(kw_only=True)
class KeyPair:
    """A private JWK and its public half, with the same `kid`."""

    private: JWKDict = attrs.field(repr=False)
    public: JWKDict


@attrs.frozen(kw_only=True)
class VerificationKey:
    """A key that signs no more but is published until the last token it signed has ended."""

    public_key: JWKDict
    expires_at: datetime


@attrs.frozen(kw_only=True)
class Keys:
    """What signs now, what will sign next, and what signed before."""

    signing_key: KeyPair | None = None
    #: published already, signs from the next rotation on.
    next_key: KeyPair | None = None
    #: when `next_key` was first published.
    next_published_at: datetime = EPOCH
    verification_keys: tuple[VerificationKey, ...] = ()
    next_rotation_at: datetime = EPOCH


KEYS: Kind[Keys] = Kind(name="keys", model=Keys, key=lambda _: KEYS_ID)
