"""Starts and stops the daemon under twistd. The only module that takes the process's own reactor."""

from __future__ import annotations

import atexit
import gc
import linecache
import os
import platform
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import attrs
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import ILogObserver, Logger
from twisted.python.failure import Failure
from twisted.web.server import Site

import dextwist
from dextwist.command_line import USAGE_STATUS, Options
from dextwist.config.addresses import ListenAddress
from dextwist.config.configuration import Configuration
from dextwist.storage.interface import StorageError
from dextwist.telemetry.logs import FORMATS, LogFile, LogOutput, LogStream, RecordObserver
from dextwist.web.front.factory import FrontFactory

if TYPE_CHECKING:
    from dextwist.web.tls import ServerCertificate

__all__ = ["CannotListen", "DaemonService", "Options", "makeService"]

#: How long stopping waits for the requests under way.
DRAIN_SECONDS = 30
#: Connections that may wait to be accepted: a burst of them must not meet the kernel's retries.
BACKLOG = 1024


class Daemon(Protocol):
    """What the wiring makes."""

    @property
    def config(self) -> Configuration: ...

    @property
    def front(self) -> FrontFactory: ...

    @property
    def telemetry_site(self) -> Site | None: ...

    @property
    def certificate(self) -> ServerCertificate | None: ...

    async def start(self) -> None:
        """Have everything work that answers need. Where that fails, everything is closed again."""

    async def stop(self) -> None:
        """End the background work and close everything."""


@attrs.frozen(eq=False)
class CannotListen(Exception):
    """An address that cannot be listened on."""

    server: str
    address: ListenAddress
    reason: str

    def __str__(self) -> str:
        return f"listening ({self.server}) on {self.address}: {self.reason}"


def _at_the_end_exit_with(status: int) -> None:
    """Have the process end with this status.

    twistd ends with 0 however the reactor came to stop and swallows a SystemExit, so this is said after
    twistd has ended its work, removed its pid file and closed its log.
    """
    atexit.register(os._exit, status)


def settle() -> None:
    """Have Python take what is here now for what stays: its collector looks at it no more.

    Also let go of the sources of generated methods, a megabyte that only tracebacks would show.
    """
    linecache.clearcache()
    gc.collect()
    gc.freeze()


@attrs.define(kw_only=True, eq=False)
class DaemonService(Service):
    """The whole daemon as one service, because its parts have an order: start, listen; and back again.

    It listens only when everything else works, after twistd has given up its privileges; a port below 1024
    therefore needs CAP_NET_BIND_SERVICE, or a proxy in front.
    """

    log: ClassVar[Logger] = Logger()

    daemon: Daemon
    reactor: Any
    #: what twistd shall log to; None leaves that to twistd.
    observer: ILogObserver | None = None
    reopen_log: Callable[[], object] = lambda: None
    exit_with: Callable[[int], object] = _at_the_end_exit_with
    #: called once everything is there that stays.
    settle: Callable[[], object] = settle
    handle_signal: Callable[[int, Callable[[int, FrameType | None], object]], object] = signal.signal

    _ports: list[IListeningPort] = attrs.field(factory=list, init=False)
    _starting: Deferred[None] | None = attrs.field(default=None, init=False)
    _started: bool = attrs.field(default=False, init=False)
    _stop_asked: bool = attrs.field(default=False, init=False)

    def setServiceParent(self, parent: Any) -> None:
        """Become the application's service, and its log: twistd asks the application for it next."""
        if self.observer is not None:
            parent.setComponent(ILogObserver, self.observer)
        super().setServiceParent(parent)

    def startService(self) -> None:
        super().startService()
        # Only then can a failure stop the reactor, and has the reactor set its own signal handlers.
        self.reactor.callWhenRunning(self._begin)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def _begin(self) -> None:
        # The reactor's own handlers would have twistd end by that very signal, and not with 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            self.handle_signal(number, lambda *_: self.reactor.callFromThread(self._ask_to_stop))
        self.handle_signal(signal.SIGHUP, lambda *_: self.reactor.callFromThread(self._hang_up))
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._could_not_start)

    async def _start(self) -> None:
        self.log.info(
            "Version info",
            dex_version=dextwist.__version__,
            python={"version": platform.python_version(), "os": sys.platform, "arch": platform.machine()},
        )
        config = self.daemon.config
        for warning in config.warnings:
            self.log.warn("config: {remark}", remark=warning)
        self.log.info("config issuer", issuer=config.issuer)
        await self.daemon.start()
        self._started = True
        if self.daemon.telemetry_site is not None:
            await self._listen("telemetry", config.telemetry.http, self.daemon.telemetry_site)
        await self._listen("http", config.web.http, self.daemon.front)
        if self.daemon.certificate is not None:
            behind_tls = self.daemon.certificate.in_front_of(self.daemon.front)
            await self._listen("https", config.web.https, behind_tls)
        self.settle()

    async def _listen(self, server: str, address: ListenAddress | None, factory: IProtocolFactory) -> None:
        if address is None:
            return
        endpoint = serverFromString(self.reactor, f"{address.endpoint}:backlog={BACKLOG}")
        try:
            self._ports.append(await endpoint.listen(factory))
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or str(error.socketError)
            raise CannotListen(server, address, reason) from error
        self.log.info("listening on", server=server, address=str(address))

    def _could_not_start(self, failure: Failure) -> None:
        if self._stop_asked:
            return
        if _is_one_sentence(failure.value):
            where = "storage: " if failure.check(StorageError) else ""
            self.log.error("cannot start", err=f"{where}{failure.value}")
        else:
            self.log.failure("cannot start", failure)
        self.exit_with(USAGE_STATUS)
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        if not self._stop_asked:
            self._stop_asked = True
            self.reactor.stop()

    def _hang_up(self) -> None:
        try:
            self.reopen_log()
        except OSError as error:
            self.log.error("the log file cannot be opened again: {reason}", reason=error.strerror)
        if self.daemon.certificate is not None:
            self.daemon.certificate.look()
        self.log.info("hangup signal: log file and certificate were looked at")

    async def _stop(self) -> None:
        self.log.debug("starting graceful shutdown")
        if self._starting is not None:
            self._stop_asked = True
            self._starting.cancel()
            await self._starting
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        await self.daemon.front.drain(timeout=DRAIN_SECONDS)
        if self._started:
            await self.daemon.stop()
        self.log.info("shutdown now")


def makeService(options: Options) -> IService:
    """The service that twistd runs. Raises SystemExit, having said why, where there can be none."""
    from twisted.internet import reactor

    from dextwist.wiring.daemon import build

    config = options.configuration
    try:
        daemon = build(config, reactor=reactor)
    except Exception as error:
        if not _is_one_sentence(error):
            raise
        sys.stderr.write(f"dextwist: {error}\n")
        raise SystemExit(USAGE_STATUS) from None
    output = log_output(options.parent or {})
    if output is None:
        return DaemonService(daemon=daemon, reactor=reactor)
    observer = RecordObserver(
        write=output.write,
        line=FORMATS[config.logger.format],
        threshold=config.logger.level,
        excluded=frozenset(config.logger.exclude_fields),
    )
    return DaemonService(daemon=daemon, reactor=reactor, observer=observer, reopen_log=output.reopen)


def _is_one_sentence(error: BaseException | None) -> bool:
    """Whether the error is of a type of ours: they all say in one sentence what the operator can do."""
    return type(error).__module__.partition(".")[0] == dextwist.__name__


def log_output(twistd: Mapping[str, Any]) -> LogOutput | None:
    """Where twistd's own options want the log; None for its syslog observer, which is left alone.

    Records go to standard error, unless twistd was given a file or goes to the background.
    """
    if twistd.get("syslog"):
        return None
    in_background = not (twistd.get("nodaemon", True) or twistd.get("debug"))
    path = twistd.get("logfile") or ("twistd.log" if in_background else "")
    if path == "-":
        return LogStream(sys.stdout)
    return LogFile(Path(path)) if path else LogStream(sys.stderr)
