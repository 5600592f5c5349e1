"""What every storage does: the suite that each engine's test runs.

A test class is `class MineTests(StorageConformance, TestCase)` with a `build_storage`.
"""

from __future__ import annotations

from tests.storage.conformance.garbage import GarbageSuite
from tests.storage.conformance.listings import ListingSuite
from tests.storage.conformance.values import ValueSuite
from tests.storage.conformance.writes import WriteSuite


class StorageConformance(ValueSuite, WriteSuite, ListingSuite, GarbageSuite):
    """The contract of `dextwist.storage.interface`."""
