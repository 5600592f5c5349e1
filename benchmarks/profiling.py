"""Where the daemon's time goes in one scenario: a run under cProfile, and its most expensive functions."""

from __future__ import annotations

import pstats
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from benchmarks import tables
from benchmarks.daemon import TWISTD, Setup, daemon_in_folder
from benchmarks.measurement import measured

_FUNCTIONS = 30


def profiled(setup: Setup, scenario: str, *, clients: int, seconds: float) -> Iterator[str]:
    """The lines of a profile of the reactor's thread; the threads that sign, hash and write are not in it."""
    with daemon_in_folder(setup) as daemon:
        stats = daemon.folder / "profile"
        daemon.start((TWISTD, "-n", "--pidfile=", f"--profile={stats}", "--savestats", "dex"))
        run = measured(daemon, scenario, clients=clients, seconds=seconds)
        # The profile is written at the end.
        daemon.stop()
        yield (
            f"{scenario}, {clients} clients, under cProfile: {tables.rate(run.rate)}/s, "
            f"wrong: {tables.wrong_answers(run.wrong)}. Own time of the functions, start and end included:\n"
        )
        yield _most_expensive(stats)


def _most_expensive(stats: Path) -> str:
    out = StringIO()
    pstats.Stats(str(stats), stream=out).strip_dirs().sort_stats("tottime").print_stats(_FUNCTIONS)
    return out.getvalue().strip()
