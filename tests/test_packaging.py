"""What is installed from a release works from any folder: plugin, templates, static files, command."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

import dextwist

ROOT = Path(__file__).parent.parent
#: What a clone does not have.
NOT_SOURCE = (".*", "build", "dist", "*.egg-info", "_trial_temp*", "__pycache__", "node_modules", "*.db*")


@attrs.frozen
class Release:
    """A wheel, made of an sdist, installed in an environment of its own."""

    folder: Path

    @property
    def wheel(self) -> Path:
        (wheel,) = (self.folder / "dist").glob("*.whl")
        return wheel

    @property
    def bin(self) -> Path:
        return self.folder / "environment" / "bin"

    def run(self, *command: str | Path) -> str:
        """Run a program to its end, away from the source; what it printed."""
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            command, check=False, cwd=self.folder, env=environ, capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


@functools.cache
def release() -> Release:
    """The release of this source: made once, for all tests."""
    made = Release(Path(tempfile.mkdtemp()))
    atexit.register(shutil.rmtree, made.folder)
    source, environment = made.folder / "source", made.folder / "environment"
    shutil.copytree(ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    made.run(sys.executable, "-m", "build", "--no-isolation", f"--outdir={made.folder}/dist", source)
    made.run(sys.executable, "-m", "venv", "--without-pip", environment)
    # Our dependencies come from where these tests run, and dextwist itself does not.
    (packages,) = environment.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = (sys.executable, "-m", "pip", f"--python={made.bin / 'python'}", "--disable-pip-version-check")
    made.run(*pip, "install", "--quiet", "--no-deps", "--no-index", made.wheel)
    return made


class InstalledTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.release = release()
        self.python = self.release.bin / "python"

    def twistd(self, *arguments: str) -> str:
        program = "from twisted.scripts.twistd import run; run()"
        return self.release.run(self.python, "-c", program, *arguments)

    def test_it_is_the_installed_one_that_is_tested(self) -> None:
        program = "import dextwist; print(dextwist.__file__)"
        where = self.release.run(self.python, "-c", program)
        self.assertIn("site-packages", where)
        self.assertIn(str(self.release.folder), where)

    def test_twistd_knows_the_plugin(self) -> None:
        self.assertIn("an OpenID Connect provider that federates", self.twistd("--help"))
        self.assertIn("--config=", self.twistd("-n", "dex", "--help"))
        self.assertIn(f"dextwist Version: {dextwist.__version__}", self.twistd("dex", "--version"))

    def test_the_sample_configuration_is_good(self) -> None:
        sample = str(ROOT / "etc" / "dex.yaml")
        self.assertEqual(
            self.twistd("-n", "--pidfile=", "dex", "--check", "-c", sample), "configuration OK\n"
        )
        self.assertEqual(
            {path.name for path in self.release.folder.iterdir()}, {"source", "dist", "environment"}
        )

    def test_the_command_is_there(self) -> None:
        command = self.release.bin / "dextwist"
        self.assertIn(dextwist.__version__, self.release.run(command, "version"))
        sample = str(ROOT / "etc" / "dex.yaml")
        self.assertIn("OK", self.release.run(command, "serve", "--check", "-c", sample))

    def test_the_frontend_is_found(self) -> None:
        program = (
            "from dextwist.web.assets import Assets, builtin_frontend; look = builtin_frontend();"
            "print(look.templates, (look.templates / 'login.html').is_file(),"
            " (look.theme / 'styles.css').is_file(), (look.static / 'main.css').is_file())"
        )
        said = self.release.run(self.python, "-c", program).split()
        self.assertIn("site-packages", said[0])
        self.assertEqual(said[1:], ["True", "True", "True"])

    def test_every_file_of_the_package_is_in_it(self) -> None:
        source = self.release.folder / "source"
        installed = set(zipfile.ZipFile(self.release.wheel).namelist())
        wanted = {
            f"{inside}{path.relative_to(source / folder)}"
            for folder, inside in (
                ("dextwist", "dextwist/"),
                ("templates", "dextwist/templates/"),
                ("static", "dextwist/static/"),
                ("twisted", "twisted/"),
            )
            for path in (source / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".cache"
        }
        self.assertEqual(wanted - installed, set())
        self.assertNotIn("twisted/__init__.py", installed)
        self.assertNotIn("twisted/plugins/__init__.py", installed)

    def test_the_licence_travels_along(self) -> None:
        names = zipfile.ZipFile(self.release.wheel).namelist()
        for name in ("LICENSE", "NOTICE"):
            self.assertTrue([each for each in names if each.endswith(f"licenses/{name}")], name)
