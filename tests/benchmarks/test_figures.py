"""Statistics, tables, and what is read from /proc and from the log."""

from __future__ import annotations

import json
import math
import os
import subprocess
from datetime import UTC, datetime
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import tables
from benchmarks.growth import Collection
from benchmarks.measurement import Run, percentile
from benchmarks.proc import Memory, cpu_seconds, memory, process_tree


def a_run(**over: Any) -> Run:
    """A run of two seconds in which four requests were answered."""
    plain = Run(
        began_at=1000.0,
        seconds=2.0,
        ended=[0.5, 1.0, 1.5, 1.9],
        waited=[0.5, 0.02, 0.03, 0.04],
        unanswered=[],
        wrong={},
        server_cpu=0.004,
        generator_cpu=0.001,
    )
    return attrs.evolve(plain, **over)


class StatisticsTests(SynchronousTestCase):
    """Figures."""

    def test_percentiles_are_values_that_were_seen(self) -> None:
        values = [float(number) for number in range(100, 0, -1)]
        self.assertEqual([percentile(values, percent) for percent in (0, 50, 99, 100)], [1, 50, 99, 100])
        self.assertEqual(percentile([7.0], 99), 7)
        self.assertTrue(math.isnan(percentile([], 50)))

    def test_figures_are_for_one_right_answer(self) -> None:
        run = a_run()
        self.assertEqual((run.rate, run.longest), (2, 0.5))
        self.assertEqual((run.server_cpu_each, run.generator_cpu_each), (0.001, 0.00025))

    def test_who_still_waits_has_waited(self) -> None:
        self.assertEqual(a_run(unanswered=[0.1, 1.5]).longest, 1.5)

    def test_the_longest_wait_in_a_time_is_of_those_who_waited_in_it(self) -> None:
        run = a_run()
        self.assertEqual(run.longest_between(1000.6, 1001.4), 0.02)
        self.assertEqual(run.longest_between(1000.4, 1000.45), 0.5)
        self.assertTrue(math.isnan(run.longest_between(1000.6, 1000.7)))

    def test_nothing_answered_has_no_figures(self) -> None:
        run = a_run(ended=[], waited=[])
        self.assertEqual(run.rate, 0)
        self.assertTrue(math.isnan(run.longest))
        self.assertTrue(math.isnan(run.server_cpu_each))

    def test_the_processes_of_a_tree_are_found_and_measured(self) -> None:
        with subprocess.Popen(["sleep", "30"]) as child:
            self.addCleanup(child.wait)
            self.assertIn(child.pid, list(process_tree(os.getpid())))
            child.kill()
        self.assertGreater(cpu_seconds(os.getpid()), 0)
        seen = memory(os.getpid())
        self.assertGreater(seen.rss, 5)
        self.assertGreaterEqual(seen.rss, seen.pss)


class TableTests(SynchronousTestCase):
    """What is printed."""

    def test_a_run_has_a_cell_for_each_column(self) -> None:
        said = tables.figures("refresh", 32, a_run(), signature=0.25, memory=Memory(60.2, 75.6))
        self.assertEqual(
            said,
            "| refresh | 32 | 2.0 | 30.0 | 500.0 | 500.0 | 1.00 | 4.00 | 0.00 | 0.25 | 60, 76 | 0 |",
        )
        self.assertEqual(len(tables.FIGURES), said.count(" | ") + 1)

    def test_growth_is_relative_to_the_smallest(self) -> None:
        first, grown = a_run(), a_run(seconds=4.0, server_cpu=0.008)
        said = tables.growth(1000, "code", grown, first, started=1.234, memory=Memory(60.2, 75.6))
        self.assertEqual(
            said, "| 1000 | code | 1.0 | 0.50 | 30.0 | 500.0 | 2.00 | 2.00 | 1.23 | 60, 76 | 0 |"
        )
        self.assertEqual(len(tables.GROWTH), said.count(" | ") + 1)

    def test_wrong_answers_are_shown(self) -> None:
        run = a_run(wrong={"token: 400": 2, "no connection": 1})
        said = tables.figures("refresh", 1, run, signature=1, memory=Memory(1, 1))
        self.assertIn("| 1 x no connection; 2 x token: 400 |", said)

    def test_what_has_no_figure_is_a_dash(self) -> None:
        run = a_run(ended=[], waited=[])
        said = tables.figures("x", 1, run, signature=1, memory=Memory(1, 1))
        self.assertTrue(said.startswith("| x | 1 | 0.0 | - | - | - | - | - | 0.00 | - |"), said)

    def test_nothing_in_a_cell_can_end_it(self) -> None:
        self.assertEqual(tables.row(["a|b", "c\nd"]), "| a\\|b | c d |")


class CollectionTests(SynchronousTestCase):
    """What the log tells of a collection."""

    @staticmethod
    def record(at: float, msg: str, **more: Any) -> str:
        return json.dumps({"time": datetime.fromtimestamp(at, UTC).isoformat(), "msg": msg, **more})

    def log(self, *, collected_at: float) -> str:
        return "\n".join(
            (
                "not a record",
                self.record(996.7, "listening on"),
                self.record(collected_at, "garbage collection run, delete auth", requests=5, auth_codes=6),
                self.record(collected_at + 4, "garbage collection run, delete auth", requests=1),
            )
        )

    def test_waits_during_it_and_before_it_are_told_apart(self) -> None:
        said = str(Collection.seen(a_run(), self.log(collected_at=1001.2)))
        self.assertIn("11 expired rows were removed in 0.5 s", said)
        self.assertIn("(refresh) was 20.0 ms; in the 0.7 s before, 500.0 ms", said)

    def test_a_collection_that_was_not_seen_whole_has_no_figure(self) -> None:
        for log in (self.log(collected_at=1003), self.record(996.7, "listening on")):
            self.assertIn("no figure", str(Collection.seen(a_run(), log)))
