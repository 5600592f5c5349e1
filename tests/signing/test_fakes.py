"""The fake signer keeps the contract that it stands in for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.signing.interface import Signer
from tests.signing.conformance import SignerConformance
from tests.signing.fakes import FakeSigner


class FakeSignerTests(SignerConformance, SynchronousTestCase):
    def build_signer(self) -> Signer:
        return FakeSigner()
