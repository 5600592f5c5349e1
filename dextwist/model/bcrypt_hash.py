"""What a bcrypt hash says of itself, without any hashing."""

from __future__ import annotations

import re

#: Cheaper hashes are too quick to guess, dearer ones too slow to serve.
MIN_COST, MAX_COST = 10, 16

#: What dex takes for a bcrypt hash: neither salt nor checksum is looked at.
_HASH = re.compile(rb"\$2[^$]?\$(0[4-9]|[12][0-9]|3[01])\$.*", re.DOTALL)
_SHORTEST = 59


def bcrypt_cost(text: bytes) -> int | None:
    """The cost that a bcrypt hash names; None where the text is no bcrypt hash."""
    start = _HASH.fullmatch(text) if len(text) >= _SHORTEST else None
    return int(start[1]) if start is not None else None
