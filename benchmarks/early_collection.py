"""Runs the daemon with a garbage collector that comes soon, and exactly when it is expected.

`python -m benchmarks.early_collection SECONDS -c FILE`. The real one first comes after four to six minutes,
and no configuration changes that: nobody but a benchmark needs it.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import attrs
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from dextwist.service import DaemonService, Options, makeService
from dextwist.wiring.daemon import Daemon


def main(period: str, *options: str) -> None:
    """Run until a signal says otherwise; collect so many seconds after the start, and again and again."""
    chosen = Options()
    chosen.parseOptions(options)
    service = makeService(chosen)
    assert isinstance(service, DaemonService)
    daemon = service.daemon
    assert isinstance(daemon, Daemon)
    daemon.collector = attrs.evolve(
        daemon.collector, period=timedelta(seconds=float(period)), random=lambda: 0.5
    )
    assert service.observer is not None
    globalLogBeginner.beginLoggingTo([service.observer], redirectStandardIO=False)
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
