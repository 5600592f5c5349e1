"""Figures as Markdown, always in the same columns, so that tables of different days can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from benchmarks.measurement import Run, percentile
from benchmarks.proc import Memory

#: A cell that has nothing to say.
NONE = "-"


def row(cells: Iterable[object]) -> str:
    """One line of a table; nothing in a cell can end it."""
    texts = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


def head(columns: Iterable[str]) -> str:
    """The first two lines of a table."""
    names = list(columns)
    return f"{row(names)}\n{row('---' for _ in names)}"


def rate(value: float) -> str:
    """How many a second: three digits that count."""
    return NONE if math.isnan(value) else f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def milliseconds(seconds: float, digits: int = 1) -> str:
    """Seconds as milliseconds."""
    return NONE if math.isnan(seconds) else f"{seconds * 1000:.{digits}f}"


def ratio(value: float) -> str:
    """How many times."""
    return NONE if math.isnan(value) else f"{value:.2f}"


def wrong_answers(wrong: Mapping[str, int]) -> str:
    """How many answers were wrong, and in what way."""
    return "; ".join(f"{count} x {what}" for what, count in sorted(wrong.items())) or "0"


FIGURES = (
    "scenario",
    "clients",
    "ok/s",
    "p50 ms",
    "p99 ms",
    "max ms",
    "CPU ms",
    "CPU in S",
    "cores",
    "generator CPU ms",
    "PSS, RSS MB",
    "wrong",
)


def figures(scenario: str, clients: int, run: Run, *, signature: float, memory: Memory) -> str:
    """The row of a run, under FIGURES; `signature` is S in milliseconds."""
    return row(
        (
            scenario,
            clients,
            rate(run.rate),
            milliseconds(percentile(run.waited, 50)),
            milliseconds(percentile(run.waited, 99)),
            milliseconds(run.longest),
            milliseconds(run.server_cpu_each, 2),
            ratio(run.server_cpu_each * 1000 / signature),
            ratio(run.server_cpu / run.seconds),
            milliseconds(run.generator_cpu_each, 2),
            memory,
            wrong_answers(run.wrong),
        )
    )


GROWTH = (
    "people",
    "scenario",
    "ok/s",
    "relative",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "relative",
    "start s",
    "PSS, RSS MB",
    "wrong",
)


def growth(people: int, scenario: str, run: Run, first: Run, *, started: float, memory: Memory) -> str:
    """The row of a run with so many people stored, under GROWTH; `first` is that of the smallest number."""
    return row(
        (
            people,
            scenario,
            rate(run.rate),
            ratio(run.rate / first.rate if first.rate else math.nan),
            milliseconds(percentile(run.waited, 50)),
            milliseconds(percentile(run.waited, 99)),
            milliseconds(run.server_cpu_each, 2),
            ratio(run.server_cpu_each / first.server_cpu_each),
            f"{started:.2f}",
            memory,
            wrong_answers(run.wrong),
        )
    )
