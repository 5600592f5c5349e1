"""What Linux says in /proc about a process and all it has started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import attrs

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@attrs.frozen
class Memory:
    """Megabytes (10^6 bytes): `pss` counts a page that others share in part, `rss` wholly."""

    pss: float
    rss: float

    def __str__(self) -> str:
        return f"{self.pss:.0f}, {self.rss:.0f}"


def process_tree(pid: int) -> Iterator[int]:
    """The process and its descendants, as far as they are there."""
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    yield pid
    for child in children:
        yield from process_tree(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, with that of children that have ended."""
    ticks = 0
    for member in process_tree(pid):
        # The name in brackets may hold anything. utime, stime, cutime and cstime are fields 14 to 17.
        fields = _read(member, "stat").rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def memory(pid: int) -> Memory:
    """What the tree has in memory now."""
    kilobytes = {"Pss:": 0, "Rss:": 0}
    for member in process_tree(pid):
        for line in _read(member, "smaps_rollup").splitlines():
            name, *rest = line.split()
            if name in kilobytes:
                kilobytes[name] += int(rest[0])
    return Memory(pss=kilobytes["Pss:"] * 1024 / 1e6, rss=kilobytes["Rss:"] * 1024 / 1e6)


def _read(pid: int, name: str) -> str:
    """A file about a process; empty when it has ended meanwhile."""
    try:
        return (_PROC / str(pid) / name).read_text()
    except OSError:
        return ""
