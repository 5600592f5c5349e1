"""The daemon that is measured: a process of its own in a folder of its own, as its operators start it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import bcrypt

from benchmarks.proc import Memory, memory

ROOT = Path(__file__).parent.parent
CLIENT_ID = "app"
CLIENT_SECRET = "a-secret-for-measuring-only-0123456789"
PASSWORD = "password"
#: Where browsers end; nobody listens there, and nobody goes there.
REDIRECT_URI = "http://127.0.0.1:9/callback"

#: Below an issuer with the path `/dex`.
DISCOVERY_PATH = "/dex/.well-known/openid-configuration"

#: Simulated clients for whom there are users and connectors, unless a setup has more.
SEATS = 64

TWISTD = str(Path(sys.executable).with_name("twistd"))
#: How the daemon is started when nothing else is wanted.
AS_USUAL = (TWISTD, "-n", "--pidfile=", "dex")

_START_SECONDS = 60
_STOP_SECONDS = 30


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@attrs.frozen
class DaemonFailed(Exception):
    """The daemon does not answer; with the end of its log."""

    log: str

    def __str__(self) -> str:
        return f"the daemon does not answer:\n{self.log[-3000:]}"


@attrs.frozen(kw_only=True)
class Setup:
    """What differs between daemons under measurement."""

    algorithm: str = "RS256"
    storage: str = "sqlite3"
    #: connectors and users, one for each simulated client.
    seats: int = SEATS

    def __str__(self) -> str:
        return f"{self.algorithm}, storage {self.storage}"


@attrs.define(kw_only=True)
class DaemonProcess:
    """A daemon with mock connectors and local users, which asks for no consent. The rest is as it comes."""

    folder: Path
    setup: Setup = Setup()
    port: int = attrs.field(factory=free_port)
    #: what discovery said, once it answers.
    metadata: dict[str, Any] = attrs.field(factory=dict, init=False)
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    @property
    def issuer(self) -> str:
        """Its issuer."""
        return f"http://127.0.0.1:{self.port}/dex"

    @property
    def database(self) -> Path:
        """Its database file."""
        return self.folder / "dex.db"

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self, program: Sequence[str] = AS_USUAL) -> float:
        """Start it, by whatever program takes `-c FILE`; seconds until discovery answers.

        Raises DaemonFailed, and then it does not run.
        """
        config = self.folder / "config.yaml"
        # JSON is YAML.
        config.write_text(json.dumps(self._config(), indent=1))
        began = time.monotonic()
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([*program, "-c", str(config)], cwd=ROOT, stdout=log, stderr=log)
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > _START_SECONDS:
                self.stop()
                raise DaemonFailed(self.log())
            time.sleep(0.005)
        return time.monotonic() - began

    def stop(self) -> None:
        """Have it end; by force where it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self) -> str:
        """All that it wrote, a JSON object a line."""
        return (self.folder / "log").read_text(errors="replace")

    def memory(self) -> Memory:
        """What it has in memory now."""
        return memory(self.pid)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", DISCOVERY_PATH)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status != 200:
            return False
        self.metadata = json.loads(body)
        return True

    def _config(self) -> dict[str, Any]:
        seats = range(self.setup.seats)
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
        storage: dict[str, Any] = {"type": self.setup.storage}
        if self.setup.storage == "sqlite3":
            storage["config"] = {"file": str(self.database)}
        return {
            "issuer": self.issuer,
            "storage": storage,
            "web": {"http": f"127.0.0.1:{self.port}"},
            "logger": {"format": "json"},
            "signer": {
                "type": "local",
                "config": {"keysRotationPeriod": "6h", "algorithm": self.setup.algorithm},
            },
            "oauth2": {
                "skipApprovalScreen": True,
                "passwordConnector": "local",
                "grantTypes": ["authorization_code", "refresh_token", "client_credentials", "password"],
            },
            "enablePasswordDB": True,
            "staticPasswords": [
                {
                    "email": f"user{n}@example.com",
                    "hash": hashed,
                    "username": f"user{n}",
                    "userID": f"user-{n}",
                }
                for n in seats
            ],
            "connectors": [{"type": "mockCallback", "id": f"mock{n}", "name": f"Mock {n}"} for n in seats],
            "staticClients": [
                {"id": CLIENT_ID, "name": "App", "secret": CLIENT_SECRET, "redirectURIs": [REDIRECT_URI]}
            ],
        }


@contextmanager
def daemon_in_folder(setup: Setup) -> Iterator[DaemonProcess]:
    """A daemon to be started in an empty folder; at the end it is stopped, and all is removed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        daemon = DaemonProcess(folder=Path(folder), setup=setup)
        try:
            yield daemon
        finally:
            daemon.stop()
