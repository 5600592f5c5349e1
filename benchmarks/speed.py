"""The main table: what the daemon does in a second, how long clients wait, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from benchmarks import tables
from benchmarks.daemon import DaemonProcess, Setup, daemon_in_folder
from benchmarks.measurement import GeneratorFailed, measured
from benchmarks.scenarios import Scenario

#: Between the start and a look at the idle memory.
_REST_SECONDS = 1.0


def speed(
    setup: Setup,
    scenarios: Sequence[Scenario],
    *,
    clients: Sequence[int],
    seconds: float,
    signature: float,
    warm_up: float = 1.0,
) -> Iterator[str]:
    """A line about the start, then the table, a row for each scenario and number of clients.

    `signature` is S in milliseconds. Raises DaemonFailed.
    """
    with daemon_in_folder(setup) as daemon:
        yield f"{_started(daemon)}\n"
        yield tables.head(tables.FIGURES)
        for count in clients:
            for scenario in scenarios:
                if not scenario.is_offered(daemon.metadata):
                    yield tables.row((scenario.name, count, "not offered"))
                    continue
                try:
                    run = measured(daemon, scenario.name, clients=count, seconds=seconds, warm_up=warm_up)
                except GeneratorFailed as failed:
                    yield tables.row((scenario.name, count, failed))
                    continue
                yield tables.figures(scenario.name, count, run, signature=signature, memory=daemon.memory())


def _started(daemon: DaemonProcess) -> str:
    """Start it on nothing and, where that left something, again."""
    first, again = daemon.start(), ""
    if daemon.setup.storage != "memory":
        daemon.stop()
        again = f" and {daemon.start():.2f} s again"
    time.sleep(_REST_SECONDS)
    return (
        f"{daemon.setup}. Start: {first:.2f} s on nothing{again}. "
        f"Idle memory (PSS, RSS): {daemon.memory()} MB."
    )
