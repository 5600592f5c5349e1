"""npm openid-client 6, a strict relying party, logs in and refreshes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess

HERE = Path(__file__).parent


def missing() -> str:
    """What this machine lacks; empty for nothing."""
    if shutil.which("node") is None:
        return "missing peer: node"
    if not (HERE / "node_modules" / "openid-client").is_dir():
        return "missing peer: openid-client (make test installs it with npm)"
    return ""


class OpenidClientTests(SynchronousTestCase):
    """The walk in openid_client.mjs, with each signing algorithm."""

    def log_in(self, algorithm: str) -> dict[str, object]:
        signer = {"type": "local", "config": {"keysRotationPeriod": "6h", "algorithm": algorithm}}
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), {"signer": signer})
        daemon.start()
        self.addCleanup(daemon.stop)
        command = ["node", str(HERE / "openid_client.mjs"), daemon.issuer]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr + daemon.log()[-2000:])
        outcome: dict[str, object] = json.loads(done.stdout)
        return outcome

    def test_logs_in_and_refreshes(self) -> None:
        for algorithm in ("RS256", "ES256"):
            self.assertEqual(
                {
                    "name": "Kilgore Trout",
                    "rotated": True,
                    "refreshedSub": True,
                    "email": "kilgore@kilgore.trout",
                },
                self.log_in(algorithm),
                algorithm,
            )

    if reason := missing():
        test_logs_in_and_refreshes.skip = reason  # type: ignore[attr-defined]  # how trial marks a skip
