"""Packages from npm, and the scripts beside this that let them loose on a daemon."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess

HERE = Path(__file__).parent


def missing(package: str) -> str:
    """What this machine lacks; empty for nothing."""
    if shutil.which("node") is None:
        return "missing peer: node"
    if not (HERE / "node_modules" / package).is_dir():
        return f"missing peer: {package} (make test installs it with npm)"
    return ""


def walk(case: SynchronousTestCase, daemon: DaemonProcess, script: str, *arguments: str) -> dict[str, object]:
    """What the script prints when it is run against the daemon."""
    command = ["node", str(HERE / script), daemon.issuer, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    case.assertEqual(0, done.returncode, done.stderr + daemon.log()[-2000:])
    outcome: dict[str, object] = json.loads(done.stdout)
    return outcome
