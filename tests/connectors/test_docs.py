"""The examples on the pages of connectors have only keys that their types know."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from dextwist.config.errors import InvalidConfiguration
from dextwist.connectors.types import ConnectorTypes
from tests.config.case import ConfigCase

PAGES = Path(__file__).parents[2] / "docs" / "connectors"
_YAML = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
STRICT = {"DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true"}


class PagesTest(ConfigCase):
    def test_every_key_of_an_example_is_known(self) -> None:
        seen = 0
        for page in sorted(PAGES.glob("*.md")):
            for block in _YAML.findall(page.read_text()):
                example = yaml.safe_load(block)
                if not isinstance(example, dict) or "connectors" not in example:
                    continue
                seen += 1
                over = {"connectors": example["connectors"]}
                try:
                    self.load(over, environ=STRICT, connector_types=ConnectorTypes({}))
                except InvalidConfiguration as refusal:
                    unknown = [str(each) for each in refusal.problems if "unknown" in each.problem]
                    self.assertEqual(unknown, [], page.name)
        self.assertTrue(seen)
