"""The command: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import twisted

import dextwist
from benchmarks.daemon import SEATS, DaemonFailed, Setup
from benchmarks.growth import grown
from benchmarks.machine import signature_milliseconds, this_machine
from benchmarks.measurement import GeneratorFailed
from benchmarks.profiling import profiled
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.speed import speed

T = TypeVar("T")

#: What --grow measures unless told otherwise: the scenarios that read and write most.
_GROWING = (SCENARIOS["refresh"], SCENARIOS["code"])


def main(arguments: Sequence[str]) -> None:
    """Measure, and print every line as soon as it is known."""
    options = _options(arguments)
    setup = Setup(algorithm=options.algorithm, storage=options.storage, seats=max(SEATS, *options.clients))
    try:
        for line in _lines(options, setup):
            print(line, flush=True)
    except (DaemonFailed, GeneratorFailed) as failed:
        raise SystemExit(str(failed)) from None


def _lines(options: argparse.Namespace, setup: Setup) -> Iterator[str]:
    clients, seconds = options.clients, options.seconds
    if options.profile:
        yield from profiled(setup, options.profile, clients=clients[0], seconds=seconds)
        return
    machine = this_machine()
    yield f"{time.strftime('%Y-%m-%d %H:%M')}, {machine}"
    yield (
        f"dextwist {dextwist.__version__}, Python {platform.python_version()}, "
        f"Twisted {twisted.__version__}, SQLite {sqlite3.sqlite_version}. {seconds:g} s a row.\n"
    )
    if options.grow:
        scenarios = options.scenarios or _GROWING
        yield from grown(setup, sorted(options.grow), scenarios, clients=clients[0], seconds=seconds)
    else:
        scenarios = options.scenarios or tuple(SCENARIOS.values())
        yield from speed(setup, scenarios, clients=clients, seconds=seconds, signature=machine.signature)
    yield f"\nS at the end: {signature_milliseconds():.3f} ms."


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures how fast the daemon is."
    )
    add = parser.add_argument
    add("--scenarios", type=_listed(_scenario), metavar="NAME,...", help=f"of {', '.join(SCENARIOS)}")
    add("--clients", type=_listed(_positive), default=[32, 1], metavar="N,...", help="at the same time; 32,1")
    add("--seconds", type=float, default=5.0, metavar="S", help="that are counted for each row; 5")
    add("--algorithm", choices=("RS256", "ES256"), default="RS256", help="that tokens are signed with")
    add("--storage", choices=("sqlite3", "memory"), default="sqlite3")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--grow",
        type=_listed(_positive),
        metavar="PEOPLE,...",
        help="measure with so many people's tokens and garbage stored, then while the garbage is collected",
    )
    mode.add_argument(
        "--profile", choices=SCENARIOS, metavar="NAME", help="show where the time of one scenario goes"
    )
    options = parser.parse_args(arguments)
    if options.grow and options.storage != "sqlite3":
        parser.error("--grow fills a database: --storage sqlite3")
    return options


def _listed(read: Callable[[str], T]) -> Callable[[str], list[T]]:
    """How to read an option's value that is a list."""
    return lambda text: [read(part) for part in text.split(",")]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _scenario(text: str) -> Scenario:
    if text not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"there is no scenario {text}, only {', '.join(SCENARIOS)}")
    return SCENARIOS[text]


if __name__ == "__main__":
    main(sys.argv[1:])
