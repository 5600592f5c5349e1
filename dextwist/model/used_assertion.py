"""Client assertions that were used: each authenticates once (RFC 7523 §3)."""

from __future__ import annotations

from datetime import datetime

import attrs

from dextwist.model.kind import Kind


@attrs.frozen(kw_only=True)
class UsedAssertion:
    """An assertion that counts no more, remembered until it would have ended by itself."""

    id: str
    expires_at: datetime


USED_ASSERTIONS: Kind[UsedAssertion] = Kind(
    name="used_assertion",
    model=UsedAssertion,
    key=lambda assertion: assertion.id,
    expires_at=lambda assertion: assertion.expires_at,
)
