"""The `prompt` and `max_age` parameters of an authentication request (OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

import re

from dextwist.oauth.errors import OAuthError

NONE, LOGIN, CONSENT, SELECT_ACCOUNT = "none", "login", "consent", "select_account"
_ORDER = (LOGIN, CONSENT, SELECT_ACCOUNT)


def parse_prompt(text: str) -> str:
    """The canonical form: empty, `none`, or the words in a fixed order. Raises OAuthError."""
    words = set(text.split())
    if words - {NONE, *_ORDER}:
        raise OAuthError("invalid_request", "prompt holds an unknown value")
    if NONE in words and len(words) > 1:
        raise OAuthError("invalid_request", "prompt none goes with no other value")
    return NONE if NONE in words else " ".join(word for word in _ORDER if word in words)


def parse_max_age(text: str) -> int:
    """Seconds; -1 where the parameter is absent. Raises OAuthError."""
    if not text:
        return -1
    if not re.fullmatch(r"\+?[0-9]{1,10}", text):
        raise OAuthError("invalid_request", "max_age is not a number of seconds")
    return int(text)
