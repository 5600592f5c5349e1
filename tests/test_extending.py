"""The package of docs/extending.md works as the page says: installed beside dextwist, found by its name."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.faults.party import Party, code_of
from tests.flows.daemon import PASSWORD_HASH
from tests.flows.relying_party import claims_of
from tests.peers.daemon_process import DaemonProcess

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "connector-example"
PAGE = ROOT / "docs" / "extending.md"
_BLOCK = re.compile(r"<!-- (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)


def run(*command: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program that must succeed; what it printed."""
    done = subprocess.run(
        command, check=False, cwd=cwd, env={**os.environ, **(environ or {})}, capture_output=True, text=True
    )
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def installed() -> Path:
    """The folder in which the example is installed, as a package of its own: made once, for all tests."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    source, target = folder / "source", folder / "target"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--no-build-isolation", f"--target={target}", source)
    return target


class PageTests(SynchronousTestCase):
    """What the page shows is what the example has."""

    def test_blocks_are_the_files(self) -> None:
        blocks = dict(_BLOCK.findall(PAGE.read_text()))
        self.assertEqual({*blocks}, {path.name for path in EXAMPLE.iterdir() if path.is_file()})
        for name, block in blocks.items():
            self.assertEqual(block, (EXAMPLE / name).read_text(), name)

    def test_the_connector_is_short(self) -> None:
        self.assertLess(len((EXAMPLE / "dextwist_htpasswd.py").read_text().splitlines()), 60)


class ExampleTests(SynchronousTestCase):
    """The package, installed."""

    def setUp(self) -> None:
        self.environ = {"PYTHONPATH": os.pathsep.join([str(installed()), str(ROOT)])}
        self.command = Path(sys.executable).with_name("dextwist")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        self.users = folder / "htpasswd"
        self.users.write_text(f"ann:{PASSWORD_HASH}\n")
        staff = {"type": "htpasswd", "id": "staff", "name": "Staff", "config": {"FILE": str(self.users)}}
        self.daemon = DaemonProcess(folder / "daemon", {"connectors": [staff]}, environ=self.environ)

    def start(self) -> Party:
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        party = Party(daemon=self.daemon)
        self.addCleanup(party.leave)
        return party

    def test_its_own_tests_pass(self) -> None:
        folder = Path(self.mktemp()).absolute()
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("dextwist_*", "__pycache__"))
        trial = (sys.executable, "-m", "twisted.trial", "test_dextwist_htpasswd")
        self.assertIn("PASSED", run(*trial, environ=self.environ, cwd=folder))

    def test_it_is_listed_with_its_package(self) -> None:
        said = run(self.command, "connector", "types", environ=self.environ)
        self.assertIn("htpasswd           dextwist-htpasswd 1.0\n", said)

    def test_login_through_it_and_refresh_until_the_user_is_gone(self) -> None:
        party = self.start()
        form = party.follow(party.begin("staff")).form()
        self.assertEqual(party.submit(form, login="ann", password="wrong").status, 401)
        end = party.follow(party.submit(form, login="ann", password="password"))
        tokens = self.given(party.redeem(code_of(end)))
        self.assertEqual(claims_of(tokens["id_token"])["name"], "ann")
        tokens = self.given(party.refresh(tokens["refresh_token"]))
        self.users.write_text("")
        answer = party.refresh(tokens["refresh_token"])
        assert answer is not None
        self.assertEqual((answer.status, answer.error), (400, "invalid_grant"))

    def test_without_the_package_the_type_is_unknown(self) -> None:
        self.daemon.environ = {}
        self.daemon.launch()
        assert self.daemon.process is not None
        self.assertEqual(self.daemon.process.wait(30), 2)
        self.assertIn('unknown connector type "htpasswd"', self.daemon.log())

    def test_package_that_cannot_be_imported_stops_nobody(self) -> None:
        broken = Path(self.mktemp()).absolute()
        shutil.copytree(installed(), broken)
        (broken / "dextwist_htpasswd.py").write_text("import a_module_that_is_not_there\n")
        self.daemon.environ = {"PYTHONPATH": os.pathsep.join([str(broken), str(ROOT)])}
        mock = {"type": "mockCallback", "id": "mock", "name": "Mock"}
        self.daemon.over = {"connectors": [*self.daemon.over["connectors"], mock]}
        party = self.start()
        self.assertIn(
            'connector type \\"htpasswd\\" (dextwist-htpasswd 1.0) cannot be imported', self.daemon.log()
        )
        self.assertEqual(party.begin("staff").status, 400)
        self.assertTrue(party.log_in())

    def given(self, answer: Any) -> Any:
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json
