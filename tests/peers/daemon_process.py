"""The daemon as its users run it: a process of its own on a free loopback port, with SQLite."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from tests.flows.daemon import basic_config, free_port, merged
from tests.secrecy import WATCH


@attrs.define
class DaemonProcess:
    """`twistd -n dex` in a folder of its own."""

    folder: Path
    over: Mapping[str, Any] = attrs.field(factory=dict)
    port: int = attrs.field(factory=free_port)
    #: where its database is, unless `over` says otherwise.
    database: Path = attrs.Factory(lambda self: self.folder / "dex.db", takes_self=True)
    #: variables that it has besides ours.
    environ: Mapping[str, str] = attrs.field(factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        """Its issuer."""
        return f"http://127.0.0.1:{self.port}/dex"

    def start(self, *, seconds: float = 30) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self._wait(time.monotonic() + seconds)

    def launch(self) -> None:
        """Start it, and do not wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # At the level at which most is said, so that a secret in the log is found.
        ours = {
            "storage": {"type": "sqlite3", "config": {"file": str(self.database)}},
            "logger": {"level": "debug"},
        }
        config = merged(merged(basic_config(self.port), ours), self.over)
        WATCH.note_config(config)
        WATCH.note_log(self.folder / "log")
        path = self.folder / "dex.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        twistd = Path(sys.executable).with_name("twistd")
        command = [str(twistd), "-n", "--pidfile=", "dex", "-c", str(path)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **self.environ}, stdout=log, stderr=log
            )

    def _wait(self, until: float) -> None:
        assert self.process is not None
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the daemon does not listen:\n{self.log()[-3000:]}")

    def log(self) -> str:
        """All that it wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)
