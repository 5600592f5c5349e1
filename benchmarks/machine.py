"""What this machine can do at best: the units in which the tables are read."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import attrs
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

_ROUNDS = 7
_ROUND_SECONDS = 0.1


@attrs.frozen(kw_only=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    openssl: str
    #: milliseconds of CPU for one RSA-2048 signature: S.
    signature: float
    #: milliseconds until the disk has 4 KB.
    sync: float

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.openssl}. S, one RSA-2048 signature: "
            f"{self.signature:.3f} ms of CPU. The disk has 4 KB after {self.sync:.2f} ms."
        )


def this_machine() -> Machine:
    """Measure it: two seconds."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        openssl=backend.openssl_version_text(),
        signature=signature_milliseconds(),
        sync=_sync_milliseconds(),
    )


def signature_milliseconds() -> float:
    """S: the CPU time of one RSA-2048 signature, in which neighbours hardly show."""
    key = generate_private_key(65537, 2048)
    return _median(lambda: key.sign(b"x" * 700, PKCS1v15(), SHA256()), time.process_time)


def _sync_milliseconds() -> float:
    """How long a commit must wait at least, where daemons under measurement keep their files."""
    with tempfile.TemporaryFile() as file:

        def write() -> None:
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())

        return _median(write, time.perf_counter)


def _median(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Milliseconds by the clock for doing it once; the median of a few rounds."""
    work()
    rounds = []
    for _ in range(_ROUNDS):
        done, began, end = 0, clock(), time.monotonic() + _ROUND_SECONDS
        while time.monotonic() < end:
            work()
            done += 1
        rounds.append((clock() - began) * 1000 / done)
    return statistics.median(rounds)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown CPU"
