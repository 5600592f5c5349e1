"""The last line of the suite tells the truth."""

from __future__ import annotations

from pathlib import Path

from twisted.trial import unittest
from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase

from tests.run import outcome
from tests.secrecy import Leak


class Sample(unittest.SynchronousTestCase):
    """Not loaded by name: run by the tests below."""

    def good(self) -> None:
        pass

    def bad(self) -> None:
        self.fail("bad")

    def broken(self) -> None:
        raise ZeroDivisionError

    def skipped(self) -> None:
        raise unittest.SkipTest("not on this system")

    def without_peer(self) -> None:
        raise unittest.SkipTest("missing peer: chromium")


class OutcomeTests(SynchronousTestCase):
    def counted(self, *names: str, ci: str = "") -> str:
        result = TestResult()
        for name in names:
            Sample(name).run(result)
        return str(outcome(result, {"CI": ci}))

    def test_every_end_is_counted(self) -> None:
        self.assertEqual(
            self.counted("good", "good", "bad", "broken", "skipped", "without_peer"),
            "2 passed, 2 failed, 2 skipped",
        )

    def test_missing_peer_is_a_failure_where_everything_is_installed(self) -> None:
        self.assertEqual(
            self.counted("good", "skipped", "without_peer", ci="true"), "1 passed, 1 failed, 1 skipped"
        )

    def test_wb15_secret_in_a_log_is_a_failure(self) -> None:
        result = TestResult()
        Sample("good").run(result)
        leaks = [Leak("cookie", Path("events.text"), "...")]
        self.assertEqual("1 passed, 1 failed, 0 skipped", str(outcome(result, {}, leaks)))
