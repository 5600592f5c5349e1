"""How often a refresh asks upstream."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.times import EPOCH
from dextwist.tokens.recheck import RecheckPolicy

ASKED = EPOCH + timedelta(days=1)
HOUR = timedelta(hours=1)


class RecheckTests(SynchronousTestCase):
    def test_always_is_the_default(self) -> None:
        policy = RecheckPolicy()
        self.assertTrue(policy.is_due(ASKED, ASKED))
        self.assertFalse(policy.keep_on_error)

    def test_never(self) -> None:
        policy = RecheckPolicy(interval=None)
        self.assertFalse(policy.is_due(EPOCH, ASKED + timedelta(days=10_000)))

    def test_interval(self) -> None:
        policy = RecheckPolicy(interval=HOUR)
        self.assertFalse(policy.is_due(ASKED, ASKED + HOUR - timedelta(milliseconds=1)))
        self.assertTrue(policy.is_due(ASKED, ASKED + HOUR))

    def test_person_who_was_never_looked_up_again_is_due(self) -> None:
        self.assertTrue(RecheckPolicy(interval=HOUR).is_due(EPOCH, ASKED))
