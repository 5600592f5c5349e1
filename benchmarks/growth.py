"""What becomes of the figures when the database grows, and of those who wait while garbage is removed."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs

from benchmarks import tables
from benchmarks.daemon import ROOT, DaemonProcess, Setup, daemon_in_folder
from benchmarks.measurement import Run, measured
from benchmarks.scenarios import Scenario

#: Seconds from the daemon's start: enough for the client to have begun, and to have been seen undisturbed.
_COLLECTED_AFTER = 4.0
#: Who waits is one client that both reads and writes.
_WAITING = "refresh"


def grown(
    setup: Setup, sizes: Sequence[int], scenarios: Sequence[Scenario], *, clients: int, seconds: float
) -> Iterator[str]:
    """The lines of a table with a row for each number of people and scenario; then one about collection."""
    yield tables.head(tables.GROWTH)
    first: dict[str, Run] = {}
    for people in sizes:
        with daemon_in_folder(setup) as daemon:
            _fill(daemon, people)
            started = daemon.start()
            for scenario in scenarios:
                if not scenario.is_offered(daemon.metadata):
                    continue
                run = measured(daemon, scenario.name, clients=clients, seconds=seconds)
                yield tables.growth(
                    people,
                    scenario.name,
                    run,
                    first.setdefault(scenario.name, run),
                    started=started,
                    memory=daemon.memory(),
                )
            daemon.stop()
            if people == max(sizes):
                yield f"\n{collected(daemon, people)}"


def _fill(daemon: DaemonProcess, people: int) -> None:
    command = [sys.executable, "-m", "benchmarks.filling", str(daemon.database), str(people)]
    subprocess.run(command, check=True, cwd=ROOT)


@attrs.frozen(kw_only=True)
class Collection:
    """What one client met while expired rows were removed."""

    run: Run
    #: seconds since 1970.
    began_at: float
    ended_at: float
    removed: int

    @classmethod
    def seen(cls, run: Run, log: str) -> Collection:
        """What the daemon's log tells about it."""
        records = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        at = {record["msg"]: record for record in reversed(records)}
        listening, collected = at["listening on"], at.get("garbage collection run, delete auth", {})
        began_at = _instant(listening) + _COLLECTED_AFTER
        return cls(
            run=run,
            began_at=began_at,
            ended_at=_instant(collected) if collected else math.inf,
            removed=sum(value for value in collected.values() if isinstance(value, int)),
        )

    def __str__(self) -> str:
        if not (self.run.began_at < self.began_at and self.ended_at < self.run.began_at + self.run.seconds):
            return "The collection of garbage was not seen whole: no figure."
        before = self.run.longest_between(self.run.began_at, self.began_at)
        meanwhile = self.run.longest_between(self.began_at, self.ended_at)
        return (
            f"{self.removed} expired rows were removed in {self.ended_at - self.began_at:.1f} s. "
            f"Meanwhile the longest wait of one client ({_WAITING}) was {tables.milliseconds(meanwhile)} ms; "
            f"in the {self.began_at - self.run.began_at:.1f} s before, {tables.milliseconds(before)} ms. "
            f"Wrong answers: {tables.wrong_answers(self.run.wrong)}."
        )


def collected(daemon: DaemonProcess, expired: int) -> Collection:
    """Start the daemon so that its collector comes soon, and keep one client busy until it has been there."""
    before = len(daemon.log())
    daemon.start((sys.executable, "-m", "benchmarks.early_collection", str(_COLLECTED_AFTER)))
    seconds = _COLLECTED_AFTER + 3 + expired / 10_000
    run = measured(daemon, _WAITING, clients=1, seconds=seconds, warm_up=0.2)
    return Collection.seen(run, daemon.log()[before:])


def _instant(record: dict[str, Any]) -> float:
    """When a record was written, in seconds since 1970."""
    return datetime.fromisoformat(record["time"]).timestamp()
