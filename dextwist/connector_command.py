"""The command `dextwist connector test`."""

from __future__ import annotations

import getpass
import ipaddress
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO
from urllib.parse import parse_qsl, urlsplit

import attrs
from twisted.internet import task
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import globalLogBeginner
from twisted.python import usage
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from dextwist.command_line import USAGE_STATUS
from dextwist.config.configuration import Configuration, load
from dextwist.config.errors import InvalidConfiguration
from dextwist.connector_trial import ConnectorTrial, Terminal
from dextwist.connectors.interface import CallbackRequest
from dextwist.connectors.types import ConnectorTypes
from dextwist.oauth.issuer import Issuer
from dextwist.storage.memory import MemoryStorage
from dextwist.telemetry.logs import FORMATS, RecordObserver
from dextwist.wiring.daemon import build

_THANKS = b"Thank you. What came of this login is on the terminal; this window can be closed.\n"


class TrialOptions(usage.Options):
    """What `dextwist connector test` takes."""

    synopsis = "ID -c FILE [--paste]"
    longdesc = (
        "Logs in once through the connector with that id and shows what comes of it. Nothing is stored; "
        "users and connectors that are in the storage are not seen."
    )
    optParameters = (("config", "c", None, "The configuration file, YAML. Required."),)
    optFlags = (
        ("paste", None, "Listen nowhere: ask for the address that the browser is sent back to instead."),
    )

    connector_id: str

    def parseArgs(self, *connector_ids: str) -> None:
        if len(connector_ids) != 1:
            raise usage.UsageError("the id of one connector is needed")
        (self.connector_id,) = connector_ids

    def postOptions(self) -> None:
        if not self["config"]:
            raise usage.UsageError("a configuration file is needed: -c FILE")


@attrs.frozen
class Console(Terminal):
    """The terminal, or whatever the standard streams are."""

    stdin: TextIO
    stdout: TextIO

    def say(self, text: str) -> None:
        self.stdout.write(text + "\n")
        self.stdout.flush()

    def ask(self, label: str) -> str:
        self.stdout.write(f"{label}: ")
        self.stdout.flush()
        return self.stdin.readline().rstrip("\n")

    def ask_secret(self, label: str) -> str:
        return getpass.getpass(f"{label}: ") if self.stdin.isatty() else self.ask(label)


@attrs.frozen
class Pasted:
    """The person copies the address that the browser was sent back to."""

    terminal: Terminal

    async def visit(self, url: str) -> CallbackRequest:
        """What stands in that address."""
        self.terminal.say(f"Open this address:\n{url}")
        address = self.terminal.ask("Then paste the address that the browser was sent back to")
        query = address.strip().partition("?")[2].partition("#")[0]
        return CallbackRequest(query=dict(parse_qsl(query, True)), headers={})


class _Callback(Resource):
    """Takes one request to the callback, or to a path below it."""

    isLeaf = True

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.brought: Deferred[CallbackRequest] = Deferred()
        self._came = False

    def render_GET(self, request: Request) -> bytes:
        asked = request.path.decode("latin-1")
        if self._came or not f"{asked}/".startswith(f"{self.path}/"):
            request.setResponseCode(404)
            return b"not found\n"
        self._came = True
        query = request.uri.decode("latin-1").partition("?")[2]
        headers = {
            name.decode("latin-1").lower(): [value.decode("latin-1") for value in values]
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        address = str(getattr(request.getClientAddress(), "host", ""))
        brought = CallbackRequest(query=dict(parse_qsl(query, True)), headers=headers, client_address=address)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.notifyFinish().addBoth(lambda _: self.brought.callback(brought))
        return _THANKS


@attrs.frozen(kw_only=True)
class Listening:
    """Listens where the browser will be sent back to."""

    terminal: Terminal
    callback: _Callback

    async def visit(self, url: str) -> CallbackRequest:
        """What the browser brings."""
        self.terminal.say(f"Open this address:\n{url}\nWaiting for the browser to come back.")
        return await self.callback.brought


async def _listening(callback_url: str, callback: _Callback, reactor: Any) -> IListeningPort | None:
    """The port, if the callback's address is one of this machine's and free."""
    parts = urlsplit(callback_url)
    host = {"localhost": "127.0.0.1"}.get(parts.hostname or "", parts.hostname or "")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if parts.scheme != "http" or not address.is_loopback:
        return None
    endpoint = TCP4ServerEndpoint if address.version == 4 else TCP6ServerEndpoint
    try:
        port: IListeningPort = await endpoint(reactor, parts.port or 80, interface=host).listen(
            Site(callback)
        )
    except CannotListenError:
        return None
    return port


async def try_connector(
    config: Configuration, connector_id: str, *, terminal: Terminal, reactor: Any, paste: bool = False
) -> bool:
    """One login, with the daemon's own parts over a storage that forgets; whether it worked."""
    bare = attrs.evolve(
        config, connectors=tuple(attrs.evolve(each, claim_rules=None) for each in config.connectors)
    )
    daemon = build(bare, reactor=reactor, storage=MemoryStorage())
    issuer = Issuer(config.issuer)
    callback_url = issuer.url_of("/callback")
    callback = _Callback(urlsplit(callback_url).path)
    port = None if paste else await _listening(callback_url, callback, reactor)
    way = Listening(terminal=terminal, callback=callback) if port else Pasted(terminal)
    trial = ConnectorTrial(
        connectors=daemon.connectors,
        claim_rules=config.claim_rules,
        issuer=issuer.url,
        callback_url=callback_url,
        clock=reactor,
        token_lifetime=config.expiry.id_tokens,
        terminal=terminal,
        visit=way.visit,
    )
    daemon.hash_threads.start()
    try:
        return await trial.log_in(connector_id)
    finally:
        await daemon.connectors.close()
        daemon.hash_threads.stop()
        if port is not None:
            await maybeDeferred(port.stopListening)
            # The answer to the browser is on its way, and the reactor is about to end.
            await task.deferLater(reactor, 0.1)


def run_test(arguments: Sequence[str]) -> NoReturn:
    """Do as the command says, and end the process: 0 if the login worked, 1 if not, 2 for wrong options."""
    options = TrialOptions()
    try:
        # The id may come first, where getopt would see the end of the options.
        first, *rest = arguments or ("",)
        options.parseOptions(list(arguments) if first.startswith("-") else [*rest, first])
        config = load(options["config"], environ=os.environ, connector_types=ConnectorTypes())
    except (usage.UsageError, InvalidConfiguration) as problem:
        sys.stderr.write(f"dextwist: {problem}\n")
        raise SystemExit(USAGE_STATUS) from None
    for warning in config.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    observer = RecordObserver(
        write=sys.stderr.write,
        line=FORMATS[config.logger.format],
        threshold=config.logger.level,
        excluded=frozenset(config.logger.exclude_fields),
    )
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)

    async def main(reactor: Any) -> None:
        worked = await try_connector(
            config,
            options.connector_id,
            terminal=Console(sys.stdin, sys.stdout),
            reactor=reactor,
            paste=bool(options["paste"]),
        )
        raise SystemExit(0 if worked else 1)

    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
