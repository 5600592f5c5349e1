"""What disks, and other processes on them, do to a daemon: real locks, real limits, a real small disk."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess

_LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
database.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.read()
"""
#: Room on the small disk: an empty database, its log, and a little more.
_SMALL = "3m"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the database's lock."""
    command = [sys.executable, "-c", _LOCKER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locker:
        assert locker.stdin is not None
        assert locker.stdout is not None
        assert locker.stdout.readline() == b"locked\n"
        yield
        locker.stdin.close()


@contextmanager
def no_file_may_grow(daemon: DaemonProcess) -> Iterator[None]:
    """The process may not write beyond what its database's log has now; its own log neither."""
    assert daemon.process is not None
    pid, log = daemon.process.pid, daemon.database.with_name(daemon.database.name + "-wal")
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 100, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def small_disk(case: SynchronousTestCase) -> Path:
    """A file system of its own with hardly any room, until the test ends."""
    if os.geteuid() != 0:
        raise SkipTest("only root may mount a disk")
    folder = Path(case.mktemp()).absolute()
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "dextwist-test", folder], check=True)
    # Lazily, because who still has a file open there may only then be ended.
    case.addCleanup(lambda: subprocess.run(["umount", "--lazy", folder], check=True))
    return folder


def make_read_only(disk: Path) -> None:
    """Mount a small disk, where no file may be open, so that nobody can write."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """The last byte of the disk is taken by somebody else."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    yield
    filler.unlink()


@contextmanager
def read_only_disk(daemon: DaemonProcess) -> Iterator[None]:
    """Every write to a place in a file fails, as on a disk that has become read-only.

    A kernel refuses to make a disk read-only while files on it are open for writing, unless it broke;
    so the system call fails instead, under strace.
    """
    assert daemon.process is not None
    if shutil.which("strace") is None:
        raise SkipTest("missing peer: strace")
    calls = "pwrite64,pwritev,ftruncate,fallocate"
    command = ["strace", "-f", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EROFS"]
    command += ["-o", os.devnull, "-p", str(daemon.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        try:
            if "attached" not in said:
                raise SkipTest(f"missing peer: a strace that may trace other processes ({said.strip()})")
            yield
        finally:
            strace.send_signal(signal.SIGINT)
