"""A name server: dnsmasq, on a free loopback port, which knows what a test tells it and nothing else."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.flows.daemon import free_port

_SERVER = shutil.which("dnsmasq", path="/usr/sbin:/usr/local/sbin")


def missing_dnsmasq() -> str:
    """What this machine lacks; empty for nothing."""
    return "" if _SERVER else "missing peer: dnsmasq"


@attrs.define(kw_only=True)
class Dnsmasq:
    """A name server for the domain `test`."""

    folder: Path
    #: options such as `srv-host=NAME,TARGET,PORT,PRIORITY,WEIGHT`.
    records: Sequence[str]
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers."""
        return ("127.0.0.1", self.port)

    def start(self) -> None:
        """Start it and wait until it listens."""
        assert _SERVER is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = ("listen-address=127.0.0.1", "bind-interfaces", "no-resolv", "no-hosts", "local=/test/")
        path = self.folder / "dnsmasq.conf"
        path.write_text("\n".join([*lines, f"port={self.port}", "log-queries", *self.records, ""]))
        command = [_SERVER, "-k", f"--conf-file={path}", "--pid-file=", f"--user={getpass.getuser()}"]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([*command, "--log-facility=-"], stdout=log, stderr=log)
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(self.address) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"dnsmasq does not listen:\n{self.log()}")

    def stop(self) -> None:
        """Stop it."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def log(self) -> str:
        """What it was asked, as it wrote it."""
        return (self.folder / "log").read_text(errors="replace")
