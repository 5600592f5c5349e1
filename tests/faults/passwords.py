"""Local users whose passwords no log would show for another reason, at a cost that takes its time."""

from __future__ import annotations

import functools
from typing import Any

import bcrypt

LOGIN, PASSWORD = "flora@example.com", "a-word-of-flora's 1"


@functools.cache
def _hash(cost: int) -> str:
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode()


def flora(cost: int = 10) -> dict[str, Any]:
    """A configuration's part with one local user."""
    user = {"email": LOGIN, "hash": _hash(cost), "username": "flora", "userID": "flora-id"}
    return {"staticPasswords": [user]}
