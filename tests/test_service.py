"""Start and stop have an order, every failure is one sentence, and the exit status tells how it went."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import attrs
from twisted.application.service import Application
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from dextwist.config.addresses import ListenAddress
from dextwist.config.configuration import Configuration
from dextwist.config.telemetry import Telemetry
from dextwist.config.web import Web
from dextwist.service import DaemonService, log_output
from dextwist.storage.interface import StorageUnavailable
from dextwist.telemetry.logs import LogStream, RecordObserver

ROOT = Path(__file__).parent.parent
TWISTD = Path(sys.executable).parent / "twistd"


@attrs.define(eq=False)
class FakeFront(Factory[Protocol]):
    """The public listener's factory: its drain ends when the test says so."""

    story: list[str]
    drained: Deferred[None] = attrs.field(factory=Deferred)

    async def drain(self, *, timeout: float) -> None:
        self.story.append(f"drain {timeout:g} s")
        await self.drained


@attrs.define
class FakePort:
    reactor: FakeReactor
    name: str

    def stopListening(self) -> Deferred[None]:
        self.reactor.story.append(f"stop listening on {self.name}")
        self.reactor.closing = Deferred()
        if not self.reactor.closes_slowly:
            self.reactor.closing.callback(None)
        return self.reactor.closing


class FakeReactor(Clock):
    """A reactor that listens nowhere and runs when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[str] = []
        self.taken: set[int] = set()
        self.factories: dict[int, IProtocolFactory] = {}
        self.closes_slowly = False
        self.closing: Deferred[None] = Deferred()
        self.backlogs: set[int] = set()
        self._when_running: list[Callable[[], object]] = []

    def callWhenRunning(self, call: Callable[[], object]) -> None:
        self._when_running.append(call)

    def run(self) -> None:
        for call in self._when_running:
            call()

    def callFromThread(self, call: Callable[[], object]) -> None:
        self.callLater(0, call)

    def stop(self) -> None:
        self.story.append("reactor stops")

    def listenTCP(self, port: int, factory: IProtocolFactory, backlog: int, interface: str) -> FakePort:
        if port in self.taken:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        self.backlogs.add(backlog)
        self.factories[port] = factory
        self.story.append(f"listen on {interface}:{port}")
        return FakePort(self, str(port))


@attrs.define(kw_only=True)
class FakeDaemon:
    """What the wiring makes."""

    reactor: FakeReactor
    config: Configuration
    front: FakeFront
    telemetry_site: Site | None
    certificate: None = None
    error: Exception | None = None
    starting: Deferred[None] = attrs.field(factory=Deferred)
    starts_slowly: bool = False

    async def start(self) -> None:
        self.reactor.story.append("daemon starts")
        if self.starts_slowly:
            await self.starting
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        self.reactor.story.append("daemon stops")


def configuration(**changes: Any) -> Configuration:
    return Configuration(
        issuer="http://127.0.0.1:5556/dex",
        web=Web(http=ListenAddress(host="127.0.0.1", port=5556)),
        telemetry=Telemetry(http=ListenAddress(host="127.0.0.1", port=5558)),
        **changes,
    )


class DaemonServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.story = self.reactor.story
        self.front = FakeFront(self.story)
        self.front.drained.callback(None)
        self.daemon = FakeDaemon(
            reactor=self.reactor,
            config=configuration(warnings=("oauth2: less safe",)),
            front=self.front,
            telemetry_site=Site(Resource(), reactor=self.reactor),
        )
        self.statuses: list[int] = []
        self.signals: dict[int, Callable[..., object]] = {}
        self.reopened = 0
        self.service = DaemonService(
            daemon=cast(Any, self.daemon),
            reactor=self.reactor,
            reopen_log=self.reopen,
            exit_with=self.statuses.append,
            handle_signal=self.signals.__setitem__,
            settle=lambda: self.story.append("settles"),
        )

    def reopen(self) -> None:
        self.reopened += 1

    def start(self) -> list[LogEvent]:
        with capturedLogs() as events:
            self.service.startService()
            self.reactor.run()
        return list(events)

    def stop(self) -> Deferred[None]:
        return self.service.stopService()

    def told(self, events: list[LogEvent], level: str) -> list[str]:
        return [str(event.get("err")) for event in events if event["log_level"].name == level]

    def test_nothing_happens_before_the_reactor_runs(self) -> None:
        self.service.startService()
        self.assertEqual((self.story, self.signals), ([], {}))

    def test_listens_after_everything_else_works(self) -> None:
        self.start()
        self.assertEqual(
            self.story, ["daemon starts", "listen on 127.0.0.1:5558", "listen on 127.0.0.1:5556", "settles"]
        )
        self.assertIs(self.reactor.factories[5556], self.front)
        self.assertIs(self.reactor.factories[5558], self.daemon.telemetry_site)

    def test_burst_of_connections_may_wait(self) -> None:
        self.start()
        self.assertEqual(self.reactor.backlogs, {1024})

    def test_says_what_it_listens_on(self) -> None:
        events = self.start()
        listening = [(e["server"], e["address"]) for e in events if e["log_format"] == "listening on"]
        self.assertEqual(listening, [("telemetry", "127.0.0.1:5558"), ("http", "127.0.0.1:5556")])

    def test_warnings_of_the_configuration_are_logged_first(self) -> None:
        events = self.start()
        warned = [event["remark"] for event in events if event["log_level"].name == "warn"]
        self.assertEqual(warned, ["oauth2: less safe"])

    def test_no_telemetry_listener_unless_configured(self) -> None:
        self.daemon.telemetry_site = None
        self.start()
        self.assertNotIn(5558, self.reactor.factories)

    def test_part_that_cannot_start_is_one_sentence_and_a_status(self) -> None:
        self.daemon.error = StorageUnavailable("the disk is full")
        events = self.start()
        self.assertEqual(self.told(events, "error"), ["storage: the disk is full"])
        self.assertFalse([event for event in events if "log_failure" in event])
        self.assertEqual(self.story, ["daemon starts", "reactor stops"])
        self.assertEqual(self.statuses, [2])
        self.successResultOf(self.stop())
        self.assertNotIn("daemon stops", self.story, "who cannot start has stopped itself")

    def test_bug_while_starting_keeps_its_traceback(self) -> None:
        self.daemon.error = ZeroDivisionError("bug")
        events = self.start()
        self.assertEqual(
            [event["log_failure"].type for event in events if "log_failure" in event], [ZeroDivisionError]
        )
        self.assertEqual(self.statuses, [2])
        self.flushLoggedErrors(ZeroDivisionError)

    def test_18_port_in_use_is_named(self) -> None:
        self.reactor.taken.add(5556)
        events = self.start()
        self.assertEqual(
            self.told(events, "error"), ["listening (http) on 127.0.0.1:5556: Address already in use"]
        )
        self.assertEqual(self.statuses, [2])
        self.successResultOf(self.stop())
        self.assertEqual(
            self.story,
            [
                "daemon starts",
                "listen on 127.0.0.1:5558",
                "reactor stops",
                "stop listening on 5558",
                "drain 30 s",
                "daemon stops",
            ],
        )

    def test_stops_in_the_other_order(self) -> None:
        self.start()
        del self.story[:]
        self.reactor.closes_slowly = True
        stopped = self.stop()
        self.assertEqual(self.story, ["stop listening on 5558"])
        self.reactor.closes_slowly = False
        self.reactor.closing.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(
            self.story, ["stop listening on 5558", "stop listening on 5556", "drain 30 s", "daemon stops"]
        )
        self.assertEqual(self.statuses, [])

    def test_RL_15_requests_under_way_are_answered_before_the_daemon_stops(self) -> None:
        self.start()
        self.front.drained = Deferred()
        stopped = self.stop()
        self.assertEqual(self.story[-1], "drain 30 s")
        self.assertNoResult(stopped)
        self.front.drained.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.story[-1], "daemon stops")

    def test_stop_while_starting_gives_up_the_start(self) -> None:
        self.daemon.starts_slowly = True
        self.start()
        with capturedLogs() as events:
            self.successResultOf(self.stop())
        self.assertEqual(self.story, ["daemon starts", "drain 30 s"])
        self.assertEqual(self.told(list(events), "error"), [])
        self.assertEqual(self.statuses, [])

    def test_stop_before_start(self) -> None:
        self.successResultOf(self.stop())
        self.assertEqual(self.story, ["drain 30 s"])

    def test_17_TERM_and_INT_stop_the_reactor_once(self) -> None:
        self.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            self.signals[number](number, None)
        self.reactor.advance(0)
        self.assertEqual(self.story.count("reactor stops"), 1)
        self.assertEqual(self.statuses, [])

    def test_18_HUP_reopens_the_log_and_stops_nothing(self) -> None:
        self.start()
        self.signals[signal.SIGHUP](signal.SIGHUP, None)
        self.reactor.advance(0)
        self.assertEqual(self.reopened, 1)
        self.assertNotIn("reactor stops", self.story)

    def test_application_gets_the_observer_before_twistd_asks_for_one(self) -> None:
        application: Any = Application("dex")
        self.assertIsNone(application.getComponent(ILogObserver, None))
        self.service.observer = RecordObserver(write=lambda line: None)
        self.service.setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), self.service.observer)

    def test_twistd_logs_by_itself_where_there_is_no_observer(self) -> None:
        application: Any = Application("dex")
        self.service.setServiceParent(application)
        self.assertIsNone(application.getComponent(ILogObserver, None))


class LogOutputTests(SynchronousTestCase):
    def test_foreground_logs_to_standard_error(self) -> None:
        output = log_output({"nodaemon": True})
        assert isinstance(output, LogStream)
        self.assertIs(output.stream, sys.stderr)

    def test_dash_is_standard_output(self) -> None:
        output = log_output({"nodaemon": True, "logfile": "-"})
        assert isinstance(output, LogStream)
        self.assertIs(output.stream, sys.stdout)

    def test_log_file_is_written_and_reopened(self) -> None:
        path = Path(self.mktemp())
        output = log_output({"nodaemon": True, "logfile": str(path)})
        assert output is not None
        output.write("one\n")
        path.rename(f"{path}.1")
        output.reopen()
        output.write("two\n")
        self.assertEqual(path.read_text(), "two\n")

    def test_background_has_a_file_even_unasked(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        before = Path.cwd()
        os.chdir(folder)
        try:
            output = log_output({"nodaemon": False, "logfile": None})
        finally:
            os.chdir(before)
        assert output is not None
        output.write("x\n")
        self.assertEqual((folder / "twistd.log").read_text(), "x\n")

    def test_syslog_is_left_to_twistd(self) -> None:
        self.assertIsNone(log_output({"nodaemon": True, "syslog": True}))


class TwistdTests(SynchronousTestCase):
    """The real thing, as its users start it."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.ports = [free_port(), free_port()]
        text = (ROOT / "etc" / "dex.yaml").read_text()
        for sample, port in zip(("5556", "5558"), self.ports, strict=True):
            text = text.replace(f"127.0.0.1:{sample}", f"127.0.0.1:{port}")
        (self.folder / "dex.yaml").write_text(text)

    def begin(self, *before: str) -> subprocess.Popen[bytes]:
        command = [str(TWISTD), *(before or ("-n", "--pidfile=")), "dex", "-c", "dex.yaml"]
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=(self.folder / "stderr").open("ab")
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.kill()
        process.communicate()

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def wait_for(self, text: str, where: str = "stderr") -> None:
        """Wait for another process, so by the real clock."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if (path := self.folder / where).exists() and text in path.read_text():
                return
            time.sleep(0.05)
        self.fail(f"no {text!r} in time:\n{self.stderr()}")

    def listening(self) -> str:
        return f"server=http address=127.0.0.1:{self.ports[0]}"

    def test_17_ends_with_0_on_TERM_and_INT(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            (self.folder / "stderr").write_text("")
            process = self.begin()
            self.wait_for(self.listening())
            process.send_signal(number)
            out, _ = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0, self.stderr())
            self.assertEqual(out, b"")

    def test_records_are_lines_of_ours_from_the_first_to_the_last(self) -> None:
        process = self.begin()
        self.wait_for(self.listening())
        process.terminate()
        process.communicate(timeout=20)
        lines = self.stderr().splitlines()
        for line in lines:
            self.assertRegex(line, r"^time=\S+Z level=(INFO|WARN) msg=")
        self.assertIn("Version info", lines[0])
        self.assertIn("shutdown now", lines[-1])

    def test_18_port_in_use_ends_it_with_one_sentence(self) -> None:
        taken = socket.create_server(("127.0.0.1", self.ports[0]))
        self.addCleanup(taken.close)
        process = self.begin()
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 2)
        errors = [line for line in self.stderr().splitlines() if "level=ERROR" in line]
        self.assertEqual(len(errors), 1, self.stderr())
        self.assertIn(f"127.0.0.1:{self.ports[0]}", errors[0])
        self.assertNotIn("Traceback", self.stderr())

    def test_18_HUP_does_not_kill_it(self) -> None:
        process = self.begin()
        self.wait_for(self.listening())
        process.send_signal(signal.SIGHUP)
        self.wait_for("hangup signal")
        self.assertIsNone(process.poll())

    def test_other_reactor_can_be_chosen(self) -> None:
        process = self.begin("--reactor=asyncio", "-n", "--pidfile=")
        self.wait_for(self.listening())
        process.terminate()
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, self.stderr())

    def test_in_the_background_it_logs_to_a_file_and_removes_its_pid_file(self) -> None:
        process = self.begin("--pidfile=dex.pid", "--logfile=dex.log")
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, self.stderr())
        pid = int((self.folder / "dex.pid").read_text())
        self.addCleanup(self.kill, pid)
        self.wait_for(self.listening(), "dex.log")
        os.kill(pid, signal.SIGTERM)
        self.wait_for("shutdown now", "dex.log")
        end = time.monotonic() + 10
        while (self.folder / "dex.pid").exists() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertFalse((self.folder / "dex.pid").exists())

    def kill(self, pid: int) -> None:
        """The background process of a test that failed half-way."""
        if (self.folder / "dex.pid").exists():
            os.kill(pid, signal.SIGKILL)

    def test_wrong_configuration_never_goes_to_the_background(self) -> None:
        (self.folder / "dex.yaml").write_text("expiry: {idTokens: 1d}\n")
        process = self.begin("--pidfile=dex.pid", "--logfile=dex.log")
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 2)
        self.assertRegex(
            self.stderr(), re.compile(r"issuer.*expiry\.idTokens.*1d|expiry\.idTokens.*1d.*issuer", re.S)
        )
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"dex.yaml", "stderr"})


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
