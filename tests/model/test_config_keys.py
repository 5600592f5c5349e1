"""Trees of keys."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.config_keys import KeyTree


class KeyTreeTests(SynchronousTestCase):
    def test_dots_nest(self) -> None:
        tree = KeyTree.of(["host", "userSearch.baseDN", "userSearch.matchers.user", "userSearch"])
        self.assertEqual(sorted(tree.below), ["host", "userSearch"])
        self.assertEqual(sorted(tree.below["userSearch"].below), ["baseDN", "matchers"])
        self.assertEqual(tree.below["userSearch"].below["matchers"], KeyTree.of(["user"]))
        self.assertEqual(tree.below["host"], KeyTree())
