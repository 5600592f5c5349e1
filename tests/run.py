"""Runs the whole suite: `python -m tests.run`. The last line counts, and the status says whether all is well.

Where the environment says CI=true, a test that was skipped for want of a peer has failed: what is
installed there is everything. A secret that the tests used and that a log shows is a failure, too.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import attrs
from twisted.trial.reporter import TestResult, TextReporter
from twisted.trial.runner import TestLoader, TrialRunner

from tests.secrecy import WATCH, Leak, every_event

MISSING_PEER = "missing peer"
_THREADS_END_WITHIN = 30.0


@attrs.frozen
class Outcome:
    """How many tests ended how."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def outcome(result: TestResult, environ: Mapping[str, str], leaks: Sequence[Leak] = ()) -> Outcome:
    """Counts what trial reported; errors, unexpected successes and leaks are failures."""
    missing = [reason for _, reason in result.skips if str(reason).startswith(MISSING_PEER)]
    hidden = len(missing) if environ.get("CI") == "true" else 0
    return Outcome(
        passed=result.successes + len(result.expectedFailures),
        failed=len(result.failures)
        + len(result.errors)
        + len(result.unexpectedSuccesses)
        + len(leaks)
        + hidden,
        skipped=len(result.skips) - hidden,
    )


def main(out: TextIO = sys.stdout) -> int:
    """Run everything below tests/; the exit status."""
    suite = TestLoader().loadByName("tests", recurse=True)
    with every_event(Path(tempfile.mkdtemp(prefix="dextwist-events-"))) as logs:
        result = TrialRunner(TextReporter).run(suite)
    assert isinstance(result, TestResult)
    for log in logs:
        WATCH.note_log(log)
    leaks = WATCH.leaks()
    for leak in leaks:
        out.write(f"{leak}\n")
    counted = outcome(result, os.environ, leaks)
    out.write(f"{counted}\n")
    return 1 if counted.failed or not counted.passed else 0


if __name__ == "__main__":
    status = main()
    # A thread that a failed test left running must not keep the process from ending.
    at_last = threading.Timer(_THREADS_END_WITHIN, os._exit, (status,))
    at_last.daemon = True
    at_last.start()
    sys.exit(status)
