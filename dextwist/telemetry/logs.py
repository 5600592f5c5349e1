"""Log records: one line each, as text or JSON, whatever an event holds.

An event of ours is a sentence with named fields; the sentence becomes `msg` and the fields become
attributes. What Twisted itself reports counts as debug, except its warnings and errors. Nothing that
came from outside can begin a new line or reach a terminal as a control code (WB-15).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TextIO

import attrs
from constantly import NamedConstant
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from dextwist.telemetry.context import request_context

Attributes = dict[str, Any]

_NAMES = {
    LogLevel.debug: "DEBUG",
    LogLevel.info: "INFO",
    LogLevel.warn: "WARN",
    LogLevel.error: "ERROR",
    LogLevel.critical: "ERROR",
}
_OURS = "dextwist"


@attrs.frozen
class Record:
    """What one event becomes: plain values only, without the excluded fields."""

    time: str
    level: str
    msg: str
    attributes: Attributes


def text_line(record: Record) -> str:
    """`time=... level=INFO msg="..." key=value`, groups as dotted keys."""
    fields = {"time": record.time, "level": record.level, "msg": record.msg, **record.attributes}
    return " ".join(_text_fields("", fields))


def json_line(record: Record) -> str:
    """One object: `time`, `level`, `msg`, then the attributes, groups as nested objects."""
    fields = {"time": record.time, "level": record.level, "msg": record.msg, **record.attributes}
    return _printable(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))


#: The values of `logger.format`.
FORMATS: Mapping[str, Callable[[Record], str]] = {"text": text_line, "json": json_line}


@implementer(ILogObserver)
@attrs.frozen(kw_only=True)
class RecordObserver:
    """Writes every event that is important enough as one line."""

    write: Callable[[str], object]
    line: Callable[[Record], str] = text_line
    #: events below it are not written.
    threshold: NamedConstant = LogLevel.info
    excluded: frozenset[str] = frozenset()

    def __call__(self, event: LogEvent) -> None:
        level = _level(event)
        if level >= self.threshold:
            self.write(self.line(_record(event, level, self.excluded)) + "\n")


class LogOutput(Protocol):
    """Where records go."""

    def write(self, line: str) -> None:
        """Write one line, and at once."""

    def reopen(self) -> None:
        """Go on in the file that now has the name. Raises OSError, and then goes on in the old one."""


@attrs.frozen
class LogStream:
    """Writes to a stream that is open already, and stays open."""

    stream: TextIO

    def write(self, line: str) -> None:
        self.stream.write(line)
        self.stream.flush()

    def reopen(self) -> None:
        """It has no name."""


@attrs.define
class LogFile:
    """Writes to the end of a file, which can be opened anew after somebody has moved it away."""

    path: Path
    _file: TextIO = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # Opened again by a daemon whose working directory may have become another.
        self.path = self.path.absolute()
        self._file = self._opened()

    def write(self, line: str) -> None:
        self._file.write(line)

    def reopen(self) -> None:
        old, self._file = self._file, self._opened()
        old.close()

    def _opened(self) -> TextIO:
        return self.path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)


def _level(event: LogEvent) -> NamedConstant:
    level = event.get("log_level") or LogLevel.info
    return level if level > LogLevel.info or _is_ours(event) else LogLevel.debug


def _is_ours(event: LogEvent) -> bool:
    return str(event.get("log_namespace", "")).partition(".")[0] == _OURS


def _record(event: LogEvent, level: NamedConstant, excluded: frozenset[str]) -> Record:
    attributes: Attributes = {}
    if _is_ours(event):
        own = {name: value for name, value in event.items() if not name.startswith("log_")}
        attributes |= _plain_mapping(own, excluded)
    if (context := request_context.get()) is not None:
        told = attrs.asdict(context, filter=lambda _field, value: value is not None)
        attributes = _plain_mapping(told, excluded) | attributes
    if (failure := _failure(event)) is not None:
        of_failure = {
            "err": f"{failure.type.__name__}: {failure.getErrorMessage()}",
            "traceback": failure.getTraceback(),
        }
        attributes |= _plain_mapping(of_failure, excluded)
    return Record(_time(event), _NAMES[level], _sentence(event, excluded), attributes)


def _time(event: LogEvent) -> str:
    written_at = datetime.fromtimestamp(event["log_time"], UTC)
    return _instant(written_at)


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _failure(event: LogEvent) -> Any:
    return event.get("failure") if _is_legacy(event) else event.get("log_failure")


def _is_legacy(event: LogEvent) -> bool:
    """Whether it comes from Twisted's first logging system, whose events name their parts otherwise."""
    return event.get("log_namespace") == "log_legacy"


def _sentence(event: LogEvent, excluded: frozenset[str]) -> str:
    if _is_legacy(event) and _failure(event) is not None:
        # Its text would be the traceback, which has an attribute of its own.
        return str(event.get("why") or "unhandled error")
    hidden = {name: "-" for name in excluded if name in event}
    return formatEvent({**event, **hidden}) or "unhandled error"


def _plain_mapping(values: Mapping[Any, Any], excluded: frozenset[str]) -> Attributes:
    return {str(name): _plain(value, excluded) for name, value in values.items() if str(name) not in excluded}


def _plain(value: Any, excluded: frozenset[str]) -> Any:
    """The value as JSON knows it."""
    match value:
        case Enum():
            return _plain(value.value, excluded)
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime():
            return _instant(value)
        case timedelta():
            return f"{value.total_seconds():g}s"
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case Mapping():
            return _plain_mapping(value, excluded)
        case list() | tuple() | set() | frozenset():
            return [_plain(item, excluded) for item in value]
        case _:
            return str(value)


def _text_fields(prefix: str, fields: Mapping[str, Any]) -> list[str]:
    out = []
    for name, value in fields.items():
        if isinstance(value, Mapping):
            out += _text_fields(f"{prefix}{name}.", value)
        else:
            out.append(f"{_quoted(prefix + name)}={_quoted(_text(value))}")
    return out


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + " ".join(_text(item) for item in value) + "]"
    return json.dumps(value)


def _quoted(text: str) -> str:
    """As it is where that is one word; otherwise in quotes, escaped as in JSON."""
    if text and text.isprintable() and not any(character in text for character in ' "=\\'):
        return text
    return _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    """JSON text with what cannot be seen escaped: controls, line separators, direction marks."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    utf16 = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{utf16[i : i + 4]}" for i in range(0, len(utf16), 4))
