"""A daemon that is asked without a network: requests go straight to its routes, answers come at once."""

from __future__ import annotations

import base64
import queue
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import orjson
import yaml
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.configuration import load
from dextwist.storage.interface import Storage
from dextwist.storage.memory import MemoryStorage
from dextwist.web.answering import Incoming
from dextwist.web.http import Response
from dextwist.wiring.daemon import Daemon, build
from tests.flows.browser import forms_of

T = TypeVar("T")

ORIGIN = "http://127.0.0.1:5556"
ISSUER = f"{ORIGIN}/dex"


@attrs.frozen
class Answer:
    """What came back."""

    response: Response
    #: where it was asked for.
    url: str

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def location(self) -> str:
        """Where it sends the browser; empty for nowhere."""
        return dict(self.response.headers).get("Location", "")

    @property
    def params(self) -> dict[str, str]:
        """What the location says, in its query and its fragment."""
        parts = urlsplit(self.location)
        return dict(parse_qsl(parts.query, True) + parse_qsl(parts.fragment, True))

    @property
    def json(self) -> Any:
        return orjson.loads(self.response.body)

    @property
    def error(self) -> str:
        """The OAuth error, wherever the answer says it; empty for none."""
        if self.location:
            return self.params.get("error", "")
        if dict(self.response.headers).get("Content-Type") != "application/json":
            return ""
        return str(self.json.get("error", ""))


@attrs.define
class Direct:
    """Asks a daemon, as one browser and as any client."""

    daemon: Daemon
    clock: PatientClock
    cookies: dict[str, str] = attrs.field(factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        client: tuple[str, str] | None = None,
        bearer: str = "",
    ) -> Answer | None:
        """The answer to one request, its parameters in query or form; None where there is no such route."""
        headers = {"cookie": ["; ".join(f"{name}={value}" for name, value in self.cookies.items())]}
        target, body = path, b""
        if params and method == "POST":
            body = urlencode(params).encode()
            headers["content-type"] = ["application/x-www-form-urlencoded"]
        elif params:
            target = f"{path}?{urlencode(params)}"
        if client:
            headers["authorization"] = ["Basic " + base64.b64encode(":".join(client).encode()).decode()]
        if bearer:
            headers["authorization"] = [f"Bearer {bearer}"]
        route = self.daemon.front.table.find(urlsplit(path).path)
        if route is None:
            return None
        incoming = Incoming(method=method, target=target, headers=headers, body=body, peer="127.0.0.1")
        response = self.clock.outcome(self.daemon.front.answering.respond(incoming, route))
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        return Answer(response, ORIGIN + target)

    def get(self, path: str, **params: str) -> Answer:
        """What is there, which must be something."""
        answer = self.ask("GET", f"/dex{path}", params)
        assert answer is not None, path
        return answer

    def post(
        self, path: str, client: tuple[str, str] | None = None, *, bearer: str = "", **params: str
    ) -> Answer:
        """What a form gets there, which must be something."""
        answer = self.ask("POST", f"/dex{path}", params, client=client, bearer=bearer)
        assert answer is not None, path
        return answer

    def follow(self, answer: Answer) -> Answer:
        """Go where answers send the browser, as long as that is the daemon."""
        for _ in range(10):
            if not answer.location.startswith(("/", ISSUER)):
                return answer
            next_answer = self.ask("GET", answer.location.removeprefix(ORIGIN))
            assert next_answer is not None, answer.location
            answer = next_answer
        raise AssertionError("too many redirects")

    def submit(self, page: Answer, field: str, value: str | None = None, **typed: str) -> Answer:
        """Send the page's form with that field, and that value where one is given; go where it leads."""
        for form in forms_of(page.url, page.response.body.decode()):
            if field in form.fields and value in (None, form.fields[field]):
                path = form.action.removeprefix(ORIGIN)
                answer = self.ask(form.method, path, {**form.fields, **typed})
                assert answer is not None, path
                return self.follow(answer)
        raise LookupError(f"no form with {field}: {page.status} {page.response.body!r}")


class PatientClock(Clock):
    """Time that stands still; work in threads is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.advance(1_700_000_000)
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def callFromThread(self, call: Callable[..., object], *args: object, **kwargs: object) -> None:
        self._calls.put(partial(call, *args, **kwargs))

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Take what comes back from threads, until it is so."""
        while not done():
            self._calls.get(timeout=20)()

    def outcome(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to."""
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)
        self.wait_until(lambda: bool(results))
        if isinstance(results[0], Failure):
            results[0].raiseException()
        outcome: T = results[0]
        return outcome


@contextmanager
def direct(
    test: SynchronousTestCase, config: Mapping[str, Any], storage: Storage | None = None
) -> Iterator[Direct]:
    """A daemon with this configuration, over a storage in memory."""
    common = {
        "issuer": ISSUER,
        "storage": {"type": "memory"},
        "web": {"http": "127.0.0.1:5556"},
        "signer": {"type": "local", "config": {"keysRotationPeriod": "6h", "algorithm": "ES256"}},
    }
    path = Path(test.mktemp())
    path.write_text(yaml.safe_dump({**common, **config}, sort_keys=False))
    clock = PatientClock()
    daemon = build(load(str(path), environ={}), reactor=clock, storage=storage or MemoryStorage())
    clock.outcome(daemon.start())
    try:
        yield Direct(daemon, clock)
    finally:
        clock.outcome(daemon.stop())
