"""Everything once, against a real daemon."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.daemon import (
    DISCOVERY_PATH,
    ROOT,
    DaemonFailed,
    DaemonProcess,
    Setup,
    daemon_in_folder,
    free_port,
)
from benchmarks.filling import fill
from benchmarks.measurement import GeneratorFailed, Job, generated, measured
from benchmarks.profiling import profiled
from benchmarks.scenarios import SCENARIOS
from dextwist.storage.memory import MemoryStorage


class FillingTests(SynchronousTestCase):
    """What a database is filled with."""

    def test_half_of_what_expires_are_codes_and_all_of_it_is_garbage(self) -> None:
        storage, now = MemoryStorage(), datetime(2026, 1, 2, tzinfo=UTC)
        self.successResultOf(Deferred.fromCoroutine(fill(storage, 501, now)))
        counts = self.successResultOf(Deferred.fromCoroutine(storage.collect_garbage(now)))
        self.assertEqual((counts["auth_request"], counts["auth_code"]), (251, 250))


class SmokeTests(SynchronousTestCase):
    """Everything once, against a real daemon."""

    def daemon(self) -> DaemonProcess:
        context = daemon_in_folder(Setup(algorithm="ES256", seats=2))
        daemon = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return daemon

    def test_every_scenario_is_offered_and_all_its_answers_are_right(self) -> None:
        daemon = self.daemon()
        daemon.start()
        for scenario in SCENARIOS.values():
            self.assertTrue(scenario.is_offered(daemon.metadata), scenario.name)
            run = measured(daemon, scenario.name, clients=2, seconds=0.3, warm_up=0)
            self.assertEqual(run.wrong, {}, scenario.name)
            # A client that was still waiting was answered before the generator ended.
            self.assertGreaterEqual(len(run.waited) + len(run.unanswered), 2, scenario.name)

    def test_garbage_is_collected_early(self) -> None:
        daemon = self.daemon()
        filling = [sys.executable, "-m", "benchmarks.filling", str(daemon.database), "10"]
        subprocess.run(filling, cwd=ROOT, check=True)
        daemon.start((sys.executable, "-m", "benchmarks.early_collection", "0.1"))
        until = time.monotonic() + 20
        while "garbage collection run" not in daemon.log() and time.monotonic() < until:
            time.sleep(0.05)
        self.assertIn('"requests":5', daemon.log())
        self.assertIn('"auth_codes":5', daemon.log())

    def test_a_profile_is_taken(self) -> None:
        lines = list(profiled(Setup(storage="memory", seats=2), "keys", clients=1, seconds=0.1))
        self.assertIn("wrong: 0", lines[0])
        self.assertIn("function calls", lines[1])

    def test_a_generator_that_cannot_begin_says_why(self) -> None:
        job = Job(
            port=free_port(),
            discovery_path=DISCOVERY_PATH,
            pid=os.getpid(),
            scenario="keys",
            clients=1,
            seconds=0.1,
            warm_up=0,
        )
        failed = self.assertRaises(GeneratorFailed, generated, job)
        self.assertEqual(str(failed), "the clients could not be prepared: no connection")

    def test_a_daemon_that_does_not_start_is_told_with_its_log(self) -> None:
        failed = self.assertRaises(DaemonFailed, self.daemon().start, ("sh", "-c", "echo oh; exit 2"))
        self.assertIn("oh", str(failed))
