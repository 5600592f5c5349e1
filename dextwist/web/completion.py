"""How an endpoint's work is driven: at once as far as it goes, and to its end whoever hangs up."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

T = TypeVar("T")

_log = Logger()


def begun(work: Coroutine[Deferred[Any], Any, T]) -> T | Deferred[T]:
    """Begin the work, in a context of its own: what it comes to, at once where it need not wait.

    Most requests never wait, and a Deferred for each costs as much as reading it.
    """
    context = copy_context()
    try:
        context.run(work.send, None)
    except StopIteration as done:
        result: T = done.value
        return result
    # It waits for a Deferred, which gives itself again when it is asked once more.
    return context.run(Deferred.fromCoroutine, work)


def to_completion(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """What the work comes to. Cancelling the wait leaves the work alone, so that it ends what it began.

    Klein cancels a handler when its client disconnects. A code that was spent must still give its tokens.
    """
    outcome: Deferred[T] = Deferred()

    def failed(failure: Failure) -> None:
        if outcome.called:
            _log.failure("work that nobody waits for any more failed", failure)
        else:
            outcome.errback(failure)

    Deferred.fromCoroutine(work).addCallbacks(outcome.callback, failed)
    return outcome
