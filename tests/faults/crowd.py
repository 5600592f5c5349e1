"""Many clients at once: the load under which faults happen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import attrs

#: How long the crowd may take to go home: its last requests have their own, shorter, patience.
_LAST_ONE_OUT = 30.0


@attrs.define
class Crowd:
    """Threads that work until they are told to stop; what one of them raises is raised at the end."""

    _threads: list[threading.Thread] = attrs.field(factory=list)
    _stopped: threading.Event = attrs.field(factory=threading.Event)
    _errors: list[BaseException] = attrs.field(factory=list)

    @property
    def at_work(self) -> bool:
        """Whether the crowd has not been told to stop."""
        return not self._stopped.is_set()

    def add(self, work: Callable[[], object]) -> None:
        """Have the work done in a thread."""

        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Tell them, wait for them, and raise what the first of them raised."""
        self._stopped.set()
        self.join()

    def join(self) -> None:
        """Wait until all work is done, and raise what the first of them raised."""
        for thread in self._threads:
            thread.join(_LAST_ONE_OUT)
            assert not thread.is_alive(), "somebody waits for ever"
        if self._errors:
            raise self._errors[0]


@contextmanager
def crowd() -> Iterator[Crowd]:
    """A crowd that works until the block ends."""
    people = Crowd()
    try:
        yield people
    finally:
        people.stop()


def together(works: Iterable[Callable[[], object]]) -> None:
    """All of it at once, to the end."""
    people = Crowd()
    for work in works:
        people.add(work)
    people.join()
