"""`logger`: what is logged, and how."""

from __future__ import annotations

import re

import attrs
from constantly import NamedConstant
from twisted.logger import LogLevel

from dextwist.config.places import Place
from dextwist.config.reading import key
from dextwist.config.values import text, texts

_LEVELS = {"debug": -4, "info": 0, "warn": 4, "error": 8}
_LEVEL = re.compile(r"(debug|info|warn|error)([-+][0-9]{1,6})?", re.IGNORECASE)


def level(place: Place) -> NamedConstant:
    """A level by dex's name, perhaps with an offset, as `INFO+2`: what is logged begins above it."""
    value = place.node.value
    written = _LEVEL.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise place.wrong("debug, info, warn or error")
    lowest = _LEVELS[written[1].lower()] + int(written[2] or 0)
    reached = [name for name, number in _LEVELS.items() if number >= lowest]
    return LogLevel.lookupByName(reached[0] if reached else "critical")


def log_format(place: Place) -> str:
    """text or json, in any case."""
    written = text(place).lower()
    if written not in ("json", "text"):
        raise place.wrong(problem="log format is not one of the supported values (json, text): {found}")
    return written


@attrs.frozen(kw_only=True)
class LoggerSettings:
    """The log."""

    level: NamedConstant = key("level", level, LogLevel.info, takes_null=True)
    format: str = key("format", log_format, "text")
    #: fields that are left out of every record, at any depth.
    exclude_fields: tuple[str, ...] = key("excludeFields", texts, ())
