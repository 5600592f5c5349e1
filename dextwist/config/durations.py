"""Durations as dex writes them: `90m`, `1.5h`, `1h30m5s`. No days, no spaces, no bare numbers but 0."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

#: In microseconds, what a timedelta is made of.
_UNITS = {
    "ns": Fraction(1, 1000),
    "us": Fraction(1),
    "µs": Fraction(1),  # the micro sign
    "μs": Fraction(1),
    "ms": Fraction(1000),
    "s": Fraction(10**6),
    "m": Fraction(60 * 10**6),
    "h": Fraction(3600 * 10**6),
}
_NUMBER, _UNIT = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+", "|".join(_UNITS)
_PART = re.compile(f"({_NUMBER})({_UNIT})")
_WHOLE = re.compile(f"([-+]?)(?:(?:(?:{_NUMBER})(?:{_UNIT}))+|0)")
#: What 64 bits of nanoseconds hold, some 292 years: dex reads nothing longer.
_LONGEST = Fraction(2**63 - 1, 1000)


def parse_duration(text: str) -> timedelta:
    """The duration, to the microsecond. Raises ValueError where the text is none."""
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise ValueError("not a duration")
    # Very long numbers are a ValueError of their own.
    total = sum((Fraction(number) * _UNITS[unit] for number, unit in _PART.findall(text)), Fraction(0))
    if total > _LONGEST:
        raise ValueError("longer than 292 years")
    return timedelta(microseconds=int(total) * (-1 if whole[1] == "-" else 1))


def duration_text(duration: timedelta) -> str:
    """The duration in hours, minutes and seconds, as `parse_duration` reads it: `1h30m0s`."""
    microseconds = duration // timedelta(microseconds=1)
    sign, microseconds = ("-", -microseconds) if microseconds < 0 else ("", microseconds)
    minutes, rest = divmod(microseconds, 60 * 10**6)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10**6}.{rest % 10**6:06}".rstrip("0").rstrip(".") + "s"
    larger = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return sign + larger + seconds
