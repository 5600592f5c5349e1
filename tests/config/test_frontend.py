"""How the pages look."""

from __future__ import annotations

import os
from pathlib import Path

from dextwist.config.frontend import REQUIRED_TEMPLATES
from tests.config.case import ConfigCase


class FrontendTest(ConfigCase):
    def directory(self, *, without: str = "") -> str:
        path = Path(self.mktemp()).absolute()
        (path / "templates").mkdir(parents=True)
        for name in (*(f"templates/{each}.html" for each in REQUIRED_TEMPLATES), "robots.txt"):
            if name != without:
                (path / name).write_text("")
        return str(path)

    def test_12_defaults(self) -> None:
        frontend = self.load().frontend
        self.assertEqual((frontend.dir, frontend.issuer, frontend.theme), ("", "dex", "light"))
        self.assertEqual((frontend.logo_url, dict(frontend.extra)), ("theme/logo.png", {}))

    def test_12_old_themes_mean_the_default(self) -> None:
        for written, theme in (("coreos", "light"), ("tectonic", "light"), ("dark", "dark"), ("own", "own")):
            self.assertEqual(self.load({"frontend": {"theme": written}}).frontend.theme, theme)

    def test_1_the_operators_own_keys_keep_their_case(self) -> None:
        extra = {"CamelCase": "x", "lower": ""}
        self.assertEqual(dict(self.load({"frontend": {"extra": extra}}).frontend.extra), extra)

    def test_12_a_complete_directory_is_taken(self) -> None:
        path = self.directory()
        self.assertEqual(self.load({"frontend": {"dir": path}}).frontend.dir, path)

    def test_12_the_environment_names_a_directory_and_the_file_wins(self) -> None:
        path, other = self.directory(), self.directory()
        environ = {"DEX_FRONTEND_DIR": path}
        for frontend in ({}, {"dir": ""}, {"dir": None}):
            self.assertEqual(self.load({"frontend": frontend}, environ=environ).frontend.dir, path)
        self.assertEqual(self.load({"frontend": {"dir": other}}, environ=environ).frontend.dir, other)

    def test_12_what_is_missing_is_named(self) -> None:
        empty = self.directory()
        for name in os.listdir(f"{empty}/templates"):
            os.remove(f"{empty}/templates/{name}")
        for path, words in (
            ("/nonexistent/web", "/nonexistent/web/robots.txt"),
            (self.directory(without="robots.txt"), "robots.txt"),
            (self.directory(without="templates/login.html"), "missing template(s): [ login.html ]"),
            (empty, "no files in template dir"),
            ("a\0b", "failed to load web static"),
        ):
            self.assert_refused({"frontend": {"dir": path}}, "frontend.dir", words)

    def test_12_a_directory_from_the_environment_is_looked_at_too(self) -> None:
        self.assert_refused(
            {}, "frontend.dir", "DEX_FRONTEND_DIR", environ={"DEX_FRONTEND_DIR": "/nonexistent"}
        )
