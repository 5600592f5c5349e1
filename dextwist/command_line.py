"""The command line: the options of `twistd dex`, and the command `dextwist` that saves typing `twistd`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn, TextIO

import twisted
from twisted.python import usage

import dextwist
from dextwist.config.configuration import Configuration, load
from dextwist.config.errors import InvalidConfiguration
from dextwist.connectors.types import ConnectorTypes

#: The status of whoever was asked for something that cannot be: wrong options, a wrong configuration.
USAGE_STATUS = 2

_HELP = """\
usage: dextwist serve -c FILE [options]   run in the foreground: the same as twistd -n --pidfile= dex
       dextwist serve --help              all options
       dextwist connector test ID -c FILE log in once through a connector and show what comes of it
       dextwist connector types           list the connector types and where they come from
       dextwist version
"""


class Options(usage.Options):
    """What `twistd dex` takes.

    The configuration is read while the options are, so that everything wrong with it is said before the
    process goes to the background and before anything is opened.
    """

    synopsis = "-c FILE [options]"
    longdesc = (
        "Runs dextwist, an OpenID Connect provider that federates. It logs to standard error, or to the "
        "file that twistd's --logfile names. In containers: twistd -n --pidfile= dex -c FILE."
    )
    optParameters = (
        ("config", "c", None, "The configuration file, YAML. Required."),
        ("web-http-addr", None, None, "Listen here for HTTP, whatever web.http says. HOST:PORT"),
        ("web-https-addr", None, None, "Listen here for HTTPS, whatever web.https says. HOST:PORT"),
        (
            "telemetry-addr",
            None,
            None,
            "Show metrics and health here, whatever telemetry.http says. HOST:PORT",
        ),
        ("grpc-addr", None, None, "Serve the management API here, whatever grpc.addr says. HOST:PORT"),
    )
    optFlags = (
        ("check", None, "Only check the configuration: name all that is wrong with it, open nothing."),
    )

    #: what the file says, once the options are read.
    configuration: Configuration

    def __init__(
        self,
        *,
        environ: Mapping[str, str] = os.environ,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        super().__init__()
        self.environ = environ
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Take the options; where that cannot be, say why and end."""
        try:
            super().parseOptions(options)
        except usage.UsageError as problem:
            self._refuse(f"dextwist: {problem}; --help tells all options")

    def opt_version(self) -> NoReturn:
        """Print the versions of dextwist and of what it runs on, and exit."""
        self._stdout.write(versions())
        raise SystemExit(0)

    def postOptions(self) -> None:
        if not self["config"]:
            raise usage.UsageError("a configuration file is needed: -c FILE")
        overrides = {
            key: self[option]
            for option, key in (
                ("web-http-addr", "web.http"),
                ("web-https-addr", "web.https"),
                ("telemetry-addr", "telemetry.http"),
                ("grpc-addr", "grpc.addr"),
            )
            if self[option]
        }
        try:
            self.configuration = load(
                self["config"],
                environ=self.environ,
                overrides=overrides,
                connector_types=ConnectorTypes(),
            )
        except InvalidConfiguration as problems:
            self._refuse(str(problems))
        if self["check"]:
            for warning in self.configuration.warnings:
                self._stderr.write(f"warning: {warning}\n")
            self._stdout.write("configuration OK\n")
            raise SystemExit(0)

    def _refuse(self, why: str) -> NoReturn:
        self._stderr.write(why + "\n")
        raise SystemExit(USAGE_STATUS)


def versions() -> str:
    """What is running here, a fact a line."""
    return (
        f"dextwist Version: {dextwist.__version__}\n"
        f"Python Version: {platform.python_version()}\n"
        f"Twisted Version: {twisted.__version__}\n"
        f"OS/ARCH: {sys.platform} {platform.machine()}\n"
    )


def main() -> None:
    """The command `dextwist`."""
    match sys.argv[1:]:
        case ["serve", *options]:
            from twisted.scripts import twistd

            sys.argv = ["twistd", "--nodaemon", "--pidfile=", "dex", *options]
            twistd.run()
        case ["connector", "test", *arguments]:
            from dextwist.connector_command import run_test

            run_test(arguments)
        case ["connector", "types"]:
            sys.stdout.write(ConnectorTypes().table())
        case ["version" | "--version"]:
            sys.stdout.write(versions())
        case ["help" | "--help" | "-h"]:
            sys.stdout.write(_HELP)
        case _:
            sys.stderr.write(_HELP)
            raise SystemExit(USAGE_STATUS)
