"""An SQLite database as a file: where it is, how to wait for its lock, and what is wrong with it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TypeVar
from urllib.parse import parse_qs, unquote

import attrs

from dextwist.storage.interface import StorageUnavailable

R = TypeVar("R")

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PROBLEMS = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: an input/output error",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: the folder must exist, and the file in it be writable",
    sqlite3.SQLITE_PERM: "cannot be opened: no permission",
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged",
}


@attrs.frozen
class DatabaseFile:
    """Where a database is; None: in memory, and gone when it is closed."""

    path: Path | None
    #: as in an SQLite URI: `rwc`, `rw` or `ro`.
    mode: str = "rwc"

    @classmethod
    def parse(cls, text: str) -> DatabaseFile:
        """Read a path, a `file:` URI or `:memory:`, with or without `?` and parameters.

        Of the parameters only `mode` counts: the rest is how to talk to the database, which is ours to say.
        """
        place, _, query = text.partition("?")
        mode = parse_qs(query).get("mode", ["rwc"])[-1]
        if place.startswith("file:"):
            place = unquote(place.removeprefix("file:"))
            if place.startswith("//"):
                # The authority, if any, is this machine.
                place = "/" + place[2:].partition("/")[2]
        if place == ":memory:" or mode == "memory":
            return cls(None)
        return cls(Path(place).absolute(), mode)

    def uri(self, *, mode: str | None = None) -> str:
        """The address for sqlite3.connect with `uri=True`."""
        if self.path is None:
            return ":memory:"
        return f"{self.path.as_uri()}?mode={mode or self.mode}"

    def make_private(self) -> None:
        """Let nobody else read a file that is new: it will hold keys. SQLite's files beside it follow it."""
        if self.path is not None and self.mode == "rwc" and not self.path.exists():
            # What is in the way is in SQLite's way too, and `problem` has words for it.
            with suppress(OSError):
                self.path.touch(mode=0o600)

    def problem(self, error: sqlite3.Error) -> StorageUnavailable:
        """The error in a sentence for the operator."""
        what = _PROBLEMS.get(_code(error))
        return StorageUnavailable(f"the database {self} {what or f'cannot be used: {error}'}")

    def __str__(self) -> str:
        return ":memory:" if self.path is None else str(self.path)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for errors that Python's module found by itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection was in the way."""
    return _code(error) in _BUSY


def patiently(work: Callable[[], R], patience: float, given_up: Event | None = None) -> R:
    """Do the work when others' locks allow it, for at most so many seconds and until it is given up.

    SQLite's own way of waiting sleeps longer and longer, up to 100 ms, and so may never meet the
    moment when a busy neighbour lets go. Here it sleeps a few milliseconds (the connection's
    `busy_timeout`) and then starts anew.
    """
    end = time.monotonic() + patience
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= end or (given_up and given_up.is_set()):
                raise
