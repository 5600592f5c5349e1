"""Work that a client cannot stop by hanging up."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

T = TypeVar("T")

_log = Logger()


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
