"""kubectl with `auth-provider: oidc` refreshes an ID token from a kubeconfig, in one process and in many."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.peers.kubeconfig_case import KubeconfigCase


class KubectlTests(KubeconfigCase):
    """`kubectl version`, which asks the API server."""

    if shutil.which("kubectl") is None:
        skip = "missing peer: kubectl"

    def begin(self, kubeconfig: Path) -> subprocess.Popen[str]:
        """A process that asks for the version."""
        process = subprocess.Popen(
            ["kubectl", "version", "--output=json", f"--kubeconfig={kubeconfig}"],
            env={**os.environ, "HOME": str(kubeconfig.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def assert_ends_well(self, process: subprocess.Popen[str]) -> None:
        told, problems = process.communicate(timeout=60)
        self.assertEqual(0, process.returncode, problems + self.daemon.log()[-2000:])
        self.assertIn('"v1.32.0"', told)

    def test_refreshes_what_is_over_and_keeps_what_it_gets(self) -> None:
        kubeconfig = self.kubeconfig()
        for _ in range(2):
            self.assert_ends_well(self.begin(kubeconfig))
        (token,) = set(self.api.tokens)
        self.assert_lets_jane_in(token)
        kept = self.kept_in(kubeconfig)
        self.assertEqual(token, kept["id-token"])
        self.assertNotEqual(self.tokens["refresh_token"], kept["refresh-token"])

    def test_OA_25_processes_with_one_refresh_token_all_get_in(self) -> None:
        kubeconfigs = [self.kubeconfig() for _ in range(4)]
        for process in [self.begin(kubeconfig) for kubeconfig in kubeconfigs]:
            self.assert_ends_well(process)
        for token in self.api.tokens:
            self.assert_lets_jane_in(token)
        (successor,) = {self.kept_in(kubeconfig)["refresh-token"] for kubeconfig in kubeconfigs}
        self.assertNotEqual(self.tokens["refresh_token"], successor)
