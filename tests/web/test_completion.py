"""Work goes on to its end whoever hangs up."""

from __future__ import annotations

from contextvars import ContextVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import LogLevel
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.completion import begun, to_completion


class Broken(Exception):
    """Something unforeseen."""


class CompletionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gate: Deferred[None] = Deferred()
        self.done: list[str] = []

    async def work(self) -> str:
        self.done.append("begun")
        await self.gate
        self.done.append("ended")
        return "tokens"

    def test_outcome_is_the_works(self) -> None:
        outcome = to_completion(self.work())
        self.assertNoResult(outcome)
        self.gate.callback(None)
        self.assertEqual(self.successResultOf(outcome), "tokens")

    def test_work_begins_at_once(self) -> None:
        to_completion(self.work())
        self.assertEqual(self.done, ["begun"])

    def test_failure_is_the_works(self) -> None:
        outcome = to_completion(self.work())
        self.gate.errback(Broken())
        self.failureResultOf(outcome, Broken)

    def test_work_goes_on_when_the_client_hangs_up(self) -> None:
        outcome = to_completion(self.work())
        outcome.cancel()
        self.failureResultOf(outcome, CancelledError)
        self.assertFalse(self.gate.called)
        self.gate.callback(None)
        self.assertEqual(self.done, ["begun", "ended"])

    def test_failure_that_nobody_waits_for_is_logged(self) -> None:
        outcome = to_completion(self.work())
        outcome.cancel()
        self.failureResultOf(outcome, CancelledError)
        with captured_logs() as events:
            self.gate.errback(Broken())
        self.assertEqual([event["log_level"] for event in events], [LogLevel.critical])
        self.assertEqual(len(self.flushLoggedErrors(Broken)), 1)

    def test_waiting_handler_can_be_cancelled_without_the_work(self) -> None:
        async def handler() -> str:
            return await to_completion(self.work())

        answer = Deferred.fromCoroutine(handler())
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.gate.callback(None)
        self.assertEqual(self.done, ["begun", "ended"])


class BegunTests(SynchronousTestCase):
    def test_work_that_need_not_wait_is_done_at_once(self) -> None:
        async def work() -> str:
            return await succeed("first") + await succeed(" and second")

        self.assertEqual(begun(work()), "first and second")

    def test_what_it_raises_at_once_is_raised(self) -> None:
        async def work() -> str:
            await succeed(None)
            raise Broken

        self.assertRaises(Broken, begun, work())

    def test_work_that_waits_goes_on_once_it_need_not(self) -> None:
        first, second = Deferred[str](), Deferred[str]()
        steps = []

        async def work() -> str:
            steps.append("begun")
            text = await first
            steps.append("went on")
            return text + await second

        outcome = begun(work())
        assert isinstance(outcome, Deferred)
        first.callback("first")
        self.assertNoResult(outcome)
        second.callback(" and second")
        self.assertEqual(self.successResultOf(outcome), "first and second")
        self.assertEqual(steps, ["begun", "went on"])

    def test_failure_of_what_it_waits_for_is_its_own(self) -> None:
        gate: Deferred[None] = Deferred()

        async def work() -> None:
            await gate

        outcome = begun(work())
        assert isinstance(outcome, Deferred)
        gate.errback(Broken())
        self.failureResultOf(outcome, Broken)

    def test_each_work_has_a_context_of_its_own(self) -> None:
        variable: ContextVar[str] = ContextVar("variable", default="outside")
        gates: list[Deferred[None]] = [Deferred(), Deferred()]

        async def work(number: int) -> str:
            variable.set(f"work {number}")
            await gates[number]
            return variable.get()

        outcomes = [begun(work(number)) for number in range(2)]
        self.assertEqual(variable.get(), "outside")
        for number in (1, 0):
            gates[number].callback(None)
            outcome = outcomes[number]
            assert isinstance(outcome, Deferred)
            self.assertEqual(self.successResultOf(outcome), f"work {number}")
