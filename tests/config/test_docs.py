"""The page for operators says everything."""

from __future__ import annotations

from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.features import Features
from dextwist.config.weakenings import WEAKENINGS
from tests.config.keys import all_keys

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


class PageTest(SynchronousTestCase):
    def test_it_has_every_key(self) -> None:
        page = PAGE.read_text()
        keys = all_keys()
        self.assertIn("codeChallengeMethodsSupported", keys)
        self.assertEqual([key for key in keys if key not in page], [])

    def test_it_has_every_flag_of_the_environment(self) -> None:
        page = PAGE.read_text()
        for name in attrs.fields_dict(Features):
            self.assertIn(f"DEX_{name.upper()}", page)

    def test_it_has_everything_that_is_less_safe(self) -> None:
        page = PAGE.read_text().partition("## Less safe")[2]
        for remark in WEAKENINGS:
            self.assertIn(remark.pattern.replace("[*]", "").removesuffix(".type"), page)
