"""Runs the whole suite: `python -m tests.run`. The last line counts, and the status says whether all is well.

Where the environment says CI=true, a test that was skipped for want of a peer has failed: what is
installed there is everything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

import attrs
from twisted.trial.reporter import TestResult, TextReporter
from twisted.trial.runner import TestLoader, TrialRunner

MISSING_PEER = "missing peer"


@attrs.frozen
class Outcome:
    """How many tests ended how."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def outcome(result: TestResult, environ: Mapping[str, str]) -> Outcome:
    """Counts what trial reported; errors and unexpected successes are failures."""
    missing = [reason for _, reason in result.skips if str(reason).startswith(MISSING_PEER)]
    hidden = len(missing) if environ.get("CI") == "true" else 0
    return Outcome(
        passed=result.successes + len(result.expectedFailures),
        failed=len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses) + hidden,
        skipped=len(result.skips) - hidden,
    )


def main(out: TextIO = sys.stdout) -> int:
    """Run everything below tests/; the exit status."""
    suite = TestLoader().loadByName("tests", recurse=True)
    result = TrialRunner(TextReporter).run(suite)
    assert isinstance(result, TestResult)
    counted = outcome(result, os.environ)
    out.write(f"{counted}\n")
    return 1 if counted.failed or not counted.passed else 0


if __name__ == "__main__":
    sys.exit(main())
