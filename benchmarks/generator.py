"""The load generator: clients that send their next request as soon as they have the last one's answer.

A process of its own, `python -m benchmarks.generator JOB`, so that its CPU time is not the daemon's. The
job and what comes out of it are JSON.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import orjson
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from benchmarks.application import Application, json_of
from benchmarks.http_client import HTTPClient, WrongAnswer
from benchmarks.measurement import Job, Run
from benchmarks.proc import cpu_seconds
from benchmarks.scenarios import SCENARIOS, Scenario, Step

#: Seconds that a client rests after a wrong answer, lest it keep the daemon busy with nothing else.
_REST = 0.05


@attrs.define(kw_only=True)
class Load:
    """The clients of one scenario, each in its own closed loop."""

    reactor: Any
    scenario: Scenario
    now: Callable[[], float] = time.perf_counter
    #: when the counted time began; None before.
    _began: float | None = attrs.field(default=None, init=False)
    _is_over: bool = attrs.field(default=False, init=False)
    #: by the client's number.
    _waiting_since: dict[int, float] = attrs.field(factory=dict, init=False)
    _ended: list[float] = attrs.field(factory=list, init=False)
    _waited: list[float] = attrs.field(factory=list, init=False)
    _wrong: Counter[str] = attrs.field(factory=Counter, init=False)

    async def go_on(self, application: Application) -> None:
        """One client, until it is over."""
        while not self._is_over:
            began = self._waiting_since[application.number] = self.now()
            right = await self._do(self.scenario.once, application)
            ended = self.now()
            del self._waiting_since[application.number]
            if not right:
                await deferLater(self.reactor, _REST)
                await self._do(self.scenario.prepare, application)
            elif self._began is not None and not self._is_over:
                self._ended.append(ended - self._began)
                self._waited.append(ended - began)

    async def count(self, seconds: float, server: int) -> Run:
        """What happens in so many seconds from now, and what CPU time the server's processes take for it."""
        began_at, cpu, own_cpu = time.time(), cpu_seconds(server), time.process_time()
        self._began = began = self.now()
        await deferLater(self.reactor, seconds)
        self._is_over = True
        ended = self.now()
        return Run(
            began_at=began_at,
            seconds=ended - began,
            ended=self._ended,
            waited=self._waited,
            unanswered=[ended - since for since in self._waiting_since.values()],
            wrong=self._wrong,
            server_cpu=cpu_seconds(server) - cpu,
            generator_cpu=time.process_time() - own_cpu,
        )

    async def _do(self, step: Step, application: Application) -> bool:
        """Whether the answers were right; wrong ones are counted."""
        try:
            await step(application)
        except WrongAnswer as wrong:
            self._wrong[str(wrong)] += 1
            return False
        return True


async def run(job: Job, reactor: Any) -> Run:
    """Prepare the clients, warm up, count. Raises WrongAnswer where a client cannot even be prepared."""
    scenario = SCENARIOS[job.scenario]
    clients = [HTTPClient(reactor=reactor, host="127.0.0.1", port=job.port) for _ in range(job.clients)]
    discovery = await clients[0].request("GET", job.discovery_path)
    metadata = json_of(discovery, "discovery")
    applications = [Application(number=n, http=http, metadata=metadata) for n, http in enumerate(clients)]
    await _all(scenario.prepare, applications)
    load = Load(reactor=reactor, scenario=scenario)
    loops = Deferred.fromCoroutine(_all(load.go_on, applications))
    await deferLater(reactor, job.warm_up)
    counted = await load.count(job.seconds, job.pid)
    await loops
    for http in clients:
        http.close()
    return counted


async def _all(step: Step, applications: Sequence[Application]) -> None:
    """Do it for all of them at the same time."""
    begun = [Deferred.fromCoroutine(step(application)) for application in applications]
    for each in begun:
        await each


async def main(reactor: Any, job: str) -> None:
    """Do the job and write what came out of it."""
    try:
        counted = await run(Job(**orjson.loads(job)), reactor)
    except WrongAnswer as wrong:
        raise SystemExit(f"the clients could not be prepared: {wrong}") from None
    sys.stdout.buffer.write(orjson.dumps(attrs.asdict(counted)))


if __name__ == "__main__":
    react(main, sys.argv[1:])
