"""The configurations of the page for operators are ones that open."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import yaml
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.config import KEYS, read_settings
from dextwist.connectors.ldap.transport import Security

PAGE = (Path(__file__).parents[3] / "docs" / "connectors" / "ldap.md").read_text()
EXAMPLES = {
    each["id"]: each["config"]
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for each in yaml.safe_load(block)["connectors"]
}


class PageTests(SynchronousTestCase):
    """What it says is so."""

    def test_every_example_can_be_used_as_it_is(self) -> None:
        self.assertEqual(set(EXAMPLES), {"ldap", "ad", "ipa", "corp"})
        for config in EXAMPLES.values():
            settings = read_settings(config)
            self.assertEqual(settings.remarks, ())
            self.assertIsNot(settings.security, Security.PLAIN)
            self.assertTrue(settings.tls.verify)

    def test_the_examples_mean_what_they_say(self) -> None:
        ad = read_settings(EXAMPLES["ad"])
        self.assertEqual(ad.srv_service, "_ldap._tcp.ad.example.com")
        assert ad.groups is not None
        self.assertIn("rule", attrs.asdict(ad.groups.matchers[0].group))
        self.assertEqual(len(read_settings(EXAMPLES["ipa"]).hosts), 2)
        kerberos = read_settings(EXAMPLES["corp"]).kerberos
        assert kerberos is not None
        self.assertEqual(kerberos.principal, "HTTP/idp.example.org")

    def test_every_key_is_explained(self) -> None:
        names = {key.rpartition(".")[2] for key in KEYS}
        self.assertEqual([name for name in sorted(names) if f"`{name}`" not in PAGE], [])
