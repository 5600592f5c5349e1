"""A daemon in this process, on a free loopback port, with memory storage unless told otherwise."""

from __future__ import annotations

import copy
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.trial.unittest import TestCase

from dextwist.config.configuration import load
from dextwist.model.keys import KEYS, KEYS_ID
from dextwist.storage.interface import Storage
from dextwist.storage.memory import MemoryStorage
from dextwist.wiring.daemon import Daemon, build
from tests.secrecy import WATCH

#: bcrypt of `password`, cost 10
PASSWORD_HASH = "$2b$10$EVLvuRtVonj4GW6OqXvEoewAkWbxHF156jFmDI4rtkDYDAMyXAhL6"
CALLBACK = "http://127.0.0.1:9/callback"


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it, mapping by mapping; None removes."""
    out = dict(copy.deepcopy(base))
    for name, value in over.items():
        if value is None:
            out.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(out.get(name), dict):
            out[name] = merged(out[name], value)
        else:
            out[name] = copy.deepcopy(value)
    return out


def basic_config(port: int) -> dict[str, Any]:
    """One local user, the mock connector, a confidential and a public client; consent is skipped."""
    return {
        "issuer": f"http://127.0.0.1:{port}/dex",
        "storage": {"type": "memory"},
        "web": {"http": f"127.0.0.1:{port}"},
        "signer": {"type": "local", "config": {"keysRotationPeriod": "6h", "algorithm": "ES256"}},
        "oauth2": {"skipApprovalScreen": True},
        "enablePasswordDB": True,
        "staticPasswords": [
            {
                "email": "jane@example.com",
                "hash": PASSWORD_HASH,
                "username": "jane",
                "userID": "jane-id",
                "groups": ["readers"],
            }
        ],
        "connectors": [{"type": "mockCallback", "id": "mock", "name": "Mock"}],
        "staticClients": [
            {"id": "app", "name": "The App", "secret": "app-secret", "redirectURIs": [CALLBACK]},
            {"id": "other", "name": "Other", "secret": "other-secret", "redirectURIs": [CALLBACK]},
            {"id": "cli", "name": "Cli", "public": True},
        ],
    }


@attrs.frozen(kw_only=True)
class Running:
    """A daemon that answers."""

    daemon: Daemon
    storage: Storage
    issuer: str
    _listening: IListeningPort

    async def stop(self) -> None:
        """Stop listening, and everything."""
        await maybeDeferred(self._listening.stopListening)
        await self.daemon.stop()


class FlowCase(TestCase):
    """A test against a daemon in this process."""

    timeout = 30

    async def start(
        self,
        over: Mapping[str, Any] | None = None,
        *,
        storage: Storage | None = None,
        issuer_path: str = "/dex",
    ) -> Running:
        """A daemon with `over` laid on the basic configuration; it ends with the test."""
        port = free_port()
        config = basic_config(port) | {"issuer": f"http://127.0.0.1:{port}{issuer_path}"}
        config = merged(config, over or {})
        WATCH.note_config(config)
        path = Path(self.mktemp())
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        stored = storage or MemoryStorage()
        daemon = build(load(str(path), environ={}), reactor=reactor, storage=stored)
        await daemon.start()
        WATCH.note_keys(await stored.get(KEYS, KEYS_ID))
        listening = await serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1").listen(daemon.front)
        running = Running(daemon=daemon, storage=stored, issuer=config["issuer"], listening=listening)
        self.addCleanup(lambda: Deferred.fromCoroutine(running.stop()))
        return running


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port
