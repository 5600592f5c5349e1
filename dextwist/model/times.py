"""Instants: aware, in UTC, to the millisecond, as every storage keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.internet.interfaces import IReactorTime

#: "Never": an instant that is not set. dex writes year 1; both are read as unset.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(instant: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant that many milliseconds after 1970 (negative: before)."""
    return EPOCH + milliseconds * _MILLISECOND


def utc_now(clock: IReactorTime) -> datetime:
    """What the clock says, to the millisecond, so that what is stored comes back equal."""
    return from_milliseconds(int(clock.seconds() * 1000))
