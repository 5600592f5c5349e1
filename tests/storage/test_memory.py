"""The memory engine."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from dextwist.storage.interface import Storage
from dextwist.storage.memory import MemoryStorage
from tests.storage.conformance import StorageConformance


class MemoryStorageTests(StorageConformance, TestCase):
    """The memory engine keeps the contract."""

    def build_storage(self) -> Storage:
        return MemoryStorage()
