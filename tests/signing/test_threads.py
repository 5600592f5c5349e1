"""Signing threads, on a real reactor."""

from __future__ import annotations

import threading

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from dextwist.signing.interface import SigningError
from dextwist.signing.threads import SigningThreads


class SigningThreadsTests(TestCase):
    def setUp(self) -> None:
        self.threads = SigningThreads(reactor=IReactorFromThreads(reactor), size=2, most_jobs=3)
        self.threads.start()
        self.addCleanup(self.threads.stop)
        #: lets the jobs that wait for it end, also where a test fails.
        self.go = threading.Event()
        self.addCleanup(self.go.set)

    async def test_what_a_function_gives_or_raises_arrives_in_the_reactor_thread(self) -> None:
        here = threading.get_ident()
        there = await self.threads.run(threading.get_ident)
        self.assertNotEqual(there, here)
        self.assertEqual(threading.get_ident(), here)
        with self.assertRaises(ZeroDivisionError):
            await self.threads.run(lambda: 1 // 0)

    async def test_functions_run_side_by_side(self) -> None:
        together = threading.Barrier(2, timeout=10)
        await gatherResults([self.started(together.wait) for _ in range(2)])

    async def test_job_beyond_the_limit_is_refused_at_once(self) -> None:
        under_way = [self.started(self.go.wait) for _ in range(3)]
        self.failureResultOf(self.started(self.go.wait), SigningError)
        self.go.set()
        await gatherResults(under_way)
        self.assertEqual(await self.threads.run(lambda: "again"), "again")

    async def test_job_that_nobody_waits_for_still_counts(self) -> None:
        under_way = [self.started(self.go.wait) for _ in range(3)]
        under_way[0].cancel()
        self.failureResultOf(under_way[0], CancelledError)
        self.failureResultOf(self.started(self.go.wait), SigningError)
        self.go.set()
        await gatherResults(under_way[1:])

    async def test_after_the_stop_nothing_is_run(self) -> None:
        self.threads.stop()
        self.failureResultOf(self.started(threading.get_ident), SigningError)

    def started(self, function: object) -> Deferred[object]:
        assert callable(function)
        return Deferred.fromCoroutine(self.threads.run(function))
