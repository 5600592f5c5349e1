"""What the pages for operators name is there: log records, metrics, and the settings that weaken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.weakenings import WEAKENINGS
from dextwist.telemetry.prometheus import PrometheusMetrics

ROOT = Path(__file__).parent.parent
#: Fewer characters that are always the same match anything.
_TELLING = 8


def cells(page: str, heading: str, column: int) -> Iterator[str]:
    """What is quoted in a column of the first table below a heading."""
    text = (ROOT / "docs" / page).read_text()
    _, found, rest = text.partition(f"# {heading}\n")
    assert found, f"no heading {heading} in {page}"
    rows = [line for line in rest.partition("\n#")[0].splitlines() if line.startswith("|")]
    for row in rows[2:]:
        yield from re.findall(r"`([^`]+)`", row.split("|")[column + 1])


def sentences() -> Iterator[re.Pattern[str]]:
    """Every text in the source, its fields standing for anything."""
    for path in (ROOT / "dextwist").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts = re.split(r"\{\w+\}", node.value)
                if len("".join(parts)) >= _TELLING:
                    yield re.compile(".+".join(map(re.escape, parts)))


class OperationsPageTests(SynchronousTestCase):
    def test_records_to_watch_are_written(self) -> None:
        known = list(sentences())
        messages = list(cells("operations.md", "Records to watch", 1))
        self.assertGreater(len(messages), 15)
        for message in messages:
            self.assertTrue(any(sentence.fullmatch(message) for sentence in known), message)

    def test_metrics_are_exposed(self) -> None:
        _, text = PrometheusMetrics().exposition("")
        exposed = set(re.findall(r"^# TYPE (\S+) ", text.decode(), re.MULTILINE))
        for name in cells("operations.md", "Metrics", 0):
            pattern = re.compile(name.replace("*", ".*"))
            self.assertTrue(any(pattern.fullmatch(each) for each in exposed), name)


class SecurityPageTests(SynchronousTestCase):
    def test_every_weakening_is_told(self) -> None:
        told = " ".join(cells("security.md", "Weaker than that, by your choice", 0))
        for remark in WEAKENINGS:
            if remark.pattern == "connectors[*].type":
                self.assertIn("mockCallback mockPassword", told)
            else:
                self.assertIn(remark.pattern.replace("[*]", ""), told)
