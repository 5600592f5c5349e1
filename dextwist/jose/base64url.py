"""base64url without padding (RFC 7515 §2)."""

from __future__ import annotations

import base64


def encoded(data: bytes) -> bytes:
    """The data in base64url, unpadded."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """What the text stands for. ValueError unless it is the one right encoding of that."""
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    # Python's decoder skips foreign characters and forgives stray bits; what comes back shows it.
    if encoded(data) != text:
        raise ValueError("not unpadded base64url")
    return data
