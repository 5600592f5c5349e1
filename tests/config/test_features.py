"""Switches in the environment."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.features import Features, flag


class FeaturesTest(SynchronousTestCase):
    def test_27_defaults(self) -> None:
        self.assertEqual(
            {name for name, value in attrs.asdict(Features.of({})).items() if value},
            {"expand_env", "continue_on_connector_failure"},
        )

    def test_14_words_for_true_and_false(self) -> None:
        for word in ("1", "t", "T", "TRUE", "true", "True"):
            self.assertIs(flag({"DEX_EXPAND_ENV": word}, "expand_env"), True)
        for word in ("0", "f", "F", "FALSE", "false", "False"):
            self.assertIs(flag({"DEX_EXPAND_ENV": word}, "expand_env"), False)

    def test_14_anything_else_means_the_default(self) -> None:
        for word in ("", "yes", "no", "tRUE", " true", "2"):
            self.assertIsNone(flag({"DEX_EXPAND_ENV": word}, "expand_env"))
            self.assertTrue(Features.of({"DEX_EXPAND_ENV": word}).expand_env)

    def test_27_each_variable_is_read(self) -> None:
        defaults = attrs.asdict(Features())
        for name, default in defaults.items():
            features = Features.of({f"DEX_{name.upper()}": str(not default)})
            self.assertEqual(attrs.asdict(features), {**defaults, name: not default})
