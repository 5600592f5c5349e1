"""What pages say that depends on a value: times, scopes, and what to do about an error."""

from __future__ import annotations

from datetime import UTC, datetime

from dextwist.model.times import EPOCH

#: What a scope lets the client do. The others say nothing to a person.
SCOPE_DESCRIPTIONS = {
    "offline_access": "Keep its access while you are away (offline access)",
    "profile": "See your profile: your name and user name",
    "email": "See your email address",
    "groups": "See which groups you are in",
}

#: Not `%b`, which speaks the machine's language.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso_time(at: datetime) -> str:
    """`2026-07-28T09:05:00Z` (RFC 3339); empty for a time that is not set."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at > EPOCH else ""


def text_time(at: datetime) -> str:
    """`28 Jul 2026, 09:05 UTC`; empty for a time that is not set."""
    if at <= EPOCH:
        return ""
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def too_many_attempts(retry_after: int) -> str:
    """That guesses are not looked at for so many seconds."""
    if retry_after <= 90:
        wait = "1 second" if retry_after == 1 else f"{retry_after} seconds"
    else:
        wait = f"{-(-retry_after // 60)} minutes"
    return f"Too many attempts. Try again in {wait}."


def advice(status: int) -> str:
    """What a person can do after an error of this status."""
    if status == 403:
        return "If you think that you should have access, ask your administrator."
    if status == 429:
        return "Wait a little, then try again."
    if status >= 500:
        return "Try again in a moment. If it happens again, give your administrator the request ID below."
    return "Go back to the application that you want to use, and sign in from there again."
