"""A job for the load generator, and what it brings back: both pass between processes as JSON."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence

import attrs
import orjson

from benchmarks.daemon import DISCOVERY_PATH, ROOT, DaemonProcess


@attrs.frozen(kw_only=True)
class Job:
    """What the generator shall do."""

    port: int
    #: where the daemon says what it can do.
    discovery_path: str
    #: the daemon's process, to read its CPU time from.
    pid: int
    scenario: str
    clients: int
    #: that are counted.
    seconds: float
    #: before them.
    warm_up: float


@attrs.frozen(kw_only=True)
class Run:
    """What was seen in the counted time."""

    #: seconds since 1970.
    began_at: float
    seconds: float
    #: of every right answer, in the order in which they came: when, in seconds from the beginning,
    ended: Sequence[float]
    #: and how long its client had waited for it, in seconds.
    waited: Sequence[float]
    #: how long those had waited, at the end, who then had no answer yet.
    unanswered: Sequence[float]
    #: how often what was wrong, also while warming up.
    wrong: dict[str, int]
    #: CPU seconds.
    server_cpu: float
    generator_cpu: float

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return len(self.waited) / self.seconds

    @property
    def longest(self) -> float:
        """The longest wait, in seconds, also of those that were still waiting."""
        return max((*self.waited, *self.unanswered), default=math.nan)

    @property
    def server_cpu_each(self) -> float:
        """CPU seconds of the daemon for a right answer."""
        return self.server_cpu / len(self.waited) if self.waited else math.nan

    @property
    def generator_cpu_each(self) -> float:
        """CPU seconds of the generator for a right answer."""
        return self.generator_cpu / len(self.waited) if self.waited else math.nan

    def longest_between(self, begin: float, end: float) -> float:
        """The longest wait, in seconds, of those that lasted into that time (seconds since 1970)."""
        begin, end = begin - self.began_at, end - self.began_at
        pairs = zip(self.ended, self.waited, strict=True)
        inside = [waited for ended, waited in pairs if ended >= begin and ended - waited <= end]
        return max(inside, default=math.nan)


def percentile(values: Sequence[float], percent: float) -> float:
    """The least of the values that so many percent of them do not exceed (nearest rank); NaN of none."""
    if not values:
        return math.nan
    rank = max(1, math.ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


@attrs.frozen
class GeneratorFailed(Exception):
    """The generator could not do its job; why, in its last words."""

    why: str

    def __str__(self) -> str:
        return self.why


def measured(
    daemon: DaemonProcess, scenario: str, *, clients: int, seconds: float, warm_up: float = 1.0
) -> Run:
    """Put the daemon under load. Raises GeneratorFailed."""
    return generated(
        Job(
            port=daemon.port,
            discovery_path=DISCOVERY_PATH,
            pid=daemon.pid,
            scenario=scenario,
            clients=clients,
            seconds=seconds,
            warm_up=warm_up,
        )
    )


def generated(job: Job) -> Run:
    """Have a generator do the job, in a process of its own. Raises GeneratorFailed."""
    command = [sys.executable, "-m", "benchmarks.generator", orjson.dumps(attrs.asdict(job)).decode()]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise GeneratorFailed(done.stderr.strip().rpartition("\n")[2])
    return Run(**orjson.loads(done.stdout))
