"""The options: what is taken, what is refused, and how it is said."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import dextwist
from dextwist.command_line import Options, versions

ROOT = Path(__file__).parent.parent
SAMPLE = str(ROOT / "etc" / "dex.yaml")


class OptionsTests(SynchronousTestCase):
    def parse(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Options:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        options = Options(environ=environ or {}, stdout=self.stdout, stderr=self.stderr)
        options.parseOptions(list(arguments))
        return options

    def status(self, *arguments: str, environ: Mapping[str, str] | None = None) -> object:
        """The exit status with which these arguments end at once."""
        with self.assertRaises(SystemExit) as ended:
            self.parse(*arguments, environ=environ)
        return ended.exception.code

    def file(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text)
        return str(path)

    def test_configuration_is_loaded(self) -> None:
        for flag in ("-c", "--config"):
            options = self.parse(flag, SAMPLE)
            self.assertEqual(options.configuration.issuer, "http://127.0.0.1:5556/dex")
        self.assertEqual((self.stdout.getvalue(), self.stderr.getvalue()), ("", ""))

    def test_addresses_of_the_command_line_win(self) -> None:
        config = self.parse(
            "-c",
            SAMPLE,
            "--web-http-addr=127.0.0.1:1",
            "--telemetry-addr",
            "[::1]:2",
            "--grpc-addr=127.0.0.1:3",
        ).configuration
        self.assertEqual(str(config.web.http), "127.0.0.1:1")
        self.assertEqual(str(config.telemetry.http), "[::1]:2")
        self.assertEqual(str(config.grpc.addr), "127.0.0.1:3")

    def test_address_of_the_command_line_serves_for_one_that_is_missing(self) -> None:
        path = self.file(
            "issuer: http://127.0.0.1/dex\n"
            "storage: {type: memory}\n"
            "connectors: [{type: mockCallback, id: mock, name: Mock}]\n"
        )
        self.assertEqual(self.status("-c", path), 2)
        self.assertIn("address", self.stderr.getvalue())
        self.assertEqual(str(self.parse("-c", path, "--web-http-addr=:1").configuration.web.http), ":1")

    def test_every_problem_is_told_one_a_line_with_its_path(self) -> None:
        path = self.file("issuer: ''\nexpiry: {idTokens: 1d}\nlogger: {format: xml}\n")
        self.assertEqual(self.status("-c", path), 2)
        told = self.stderr.getvalue()
        for word in ("issuer", "expiry.idTokens", "1d", "logger.format", "xml", "storage"):
            self.assertIn(word, told)
        self.assertNotIn("Traceback", told)
        self.assertEqual(self.stdout.getvalue(), "")

    def test_environment_that_is_passed_in_is_the_one_that_counts(self) -> None:
        path = self.file(Path(SAMPLE).read_text() + "\nisuer: x\n")
        self.parse("-c", path)
        self.assertEqual(self.status("-c", path, environ={"DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true"}), 2)
        self.assertIn("isuer", self.stderr.getvalue())

    def test_check_of_a_good_configuration(self) -> None:
        self.assertEqual(self.status("--check", "-c", SAMPLE), 0)
        self.assertEqual(self.stdout.getvalue(), "configuration OK\n")
        self.assertIn("mockCallback", self.stderr.getvalue())

    def test_check_of_a_bad_configuration(self) -> None:
        self.assertEqual(self.status("--check", "-c", self.file("expiry: {idTokens: 1d}")), 2)
        self.assertIn("1d", self.stderr.getvalue())
        self.assertNotIn("OK", self.stdout.getvalue())

    def test_wrong_options_are_one_sentence(self) -> None:
        for arguments, word in (
            ((), "-c FILE"),
            (("-c",), "-c"),
            (("-c", SAMPLE, "--wings"), "wings"),
            (("-c", SAMPLE, "extra"), "argument"),
            (("-c", str(ROOT / "nothing.yaml")), "nothing.yaml"),
        ):
            self.assertEqual(self.status(*arguments), 2, arguments)
            self.assertIn(word, self.stderr.getvalue())

    def test_version(self) -> None:
        self.assertEqual(self.status("--version"), 0)
        self.assertEqual(self.stdout.getvalue(), versions())
        self.assertEqual(versions().splitlines()[0], f"dextwist Version: {dextwist.__version__}")
        self.assertEqual(len(versions().splitlines()), 4)

    def test_help_tells_every_option(self) -> None:
        text = Options(environ={}).getUsage(width=200)
        for option in ("--config=", "--check", "--version", "--help"):
            self.assertIn(option, text)
        for option in ("--web-http-addr=", "--web-https-addr=", "--telemetry-addr=", "--grpc-addr="):
            self.assertIn(option, text)
