"""Fake upstreams run by themselves, for whoever tries a connector by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import yaml
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.registry import connector_type

ROOT = Path(__file__).parents[2]
ASKED = "redirect_uri=http://127.0.0.1:9/&state=x"


class FakeTests(SynchronousTestCase):
    def config_of(self, kind: str, path: str, status: int) -> dict[str, str]:
        """The settings that a fake prints; it answers at this path with this status."""
        command = [sys.executable, "-m", f"tests.upstreams.{kind}", "--port", "0"]
        found = connector_type(kind)
        assert found is not None
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                address = process.stdout.readline().split(";")[0].split("//")[1]
                config: dict[str, str] = yaml.safe_load("".join(iter(process.stdout.readline, "\n")))
                connection = HTTPConnection(address)
                connection.request("GET", path)
                self.assertEqual(connection.getresponse().status, status)
                connection.close()
            finally:
                process.kill()
        self.assertEqual((config["clientID"], config["clientSecret"]), ("testClient", "testSecret"))
        self.assertLessEqual(config.keys(), found.config_keys)
        return config

    def test_google(self) -> None:
        config = self.config_of("google", "/.well-known/openid-configuration", 200)
        key_file = Path(config["serviceAccountFilePath"])
        self.assertTrue(key_file.is_file())
        shutil.rmtree(key_file.parent)

    def test_microsoft(self) -> None:
        self.config_of("microsoft", f"/acme/oauth2/v2.0/authorize?{ASKED}", 302)

    def test_oauth(self) -> None:
        self.config_of("oauth", f"/authorize?{ASKED}", 302)
