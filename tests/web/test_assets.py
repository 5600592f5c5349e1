"""Where the frontend lies, and how its files are served (WB-10)."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.parameters import Form
from dextwist.web.assets import (
    REQUIRED_TEMPLATES,
    Assets,
    FrontendError,
    builtin_frontend,
    open_frontend,
)
from dextwist.web.http import Request

CONNECTOR_TYPES = [
    "atlassian-crowd",
    "authproxy",
    "bitbucket-cloud",
    "gitea",
    "github",
    "gitlab",
    "google",
    "keystone",
    "ldap",
    "linkedin",
    "local",
    "microsoft",
    "mockCallback",
    "mockPassword",
    "oauth",
    "oidc",
    "openshift",
    "saml",
    "samlExperimental",
]

#: What somebody may try in order to get out of the folder, as it is once the path has been decoded.
TRAVERSALS = [
    "../secret.txt",
    "../../../../etc/passwd",
    "img/../../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "..\\secret.txt",
    "..\\..\\etc\\passwd",
    "/etc/passwd",
    "//etc/passwd",
    "....//....//etc/passwd",
    "\0",
    "main.css\0.png",
    "main.css/",
    "./main.css",
    "img//ldap-icon.svg",
    "img/./ldap-icon.svg",
    "\udcc0\udcae\udcc0\udcae/etc/passwd",
    "MAIN.CSS",
    "",
    "img",
    "img/",
]


def request(method: str = "GET", if_none_match: str | None = None) -> Request:
    headers = {} if if_none_match is None else {"if-none-match": [if_none_match]}
    return Request(
        method=method,
        full_path="/dex/static/x",
        query=Form(),
        body=Form(),
        headers=headers,
        cookies={},
    )


class FolderTestCase(SynchronousTestCase):
    """Has a folder to fill."""

    def setUp(self) -> None:
        self.folder = Path(mkdtemp(dir=Path(self.mktemp()).parent.resolve()))

    def write(self, name: str, text: str = "x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write_frontend(self) -> None:
        for name in REQUIRED_TEMPLATES:
            self.write(f"templates/{name}")
        self.write("robots.txt", "User-agent: *\n")


class OpenFrontendTests(FolderTestCase):
    def refused(self) -> str:
        return str(self.assertRaises(FrontendError, open_frontend, str(self.folder), "light"))

    def test_an_own_folder_replaces_everything(self) -> None:
        self.write_frontend()
        frontend = open_frontend(str(self.folder), "winter")
        self.assertEqual(frontend.templates, self.folder / "templates")
        self.assertEqual(frontend.static, self.folder / "static")
        self.assertEqual(frontend.theme, self.folder / "themes" / "winter")
        self.assertEqual(frontend.robots, b"User-agent: *\n")

    def test_without_a_folder_the_look_is_the_built_in_one(self) -> None:
        for folder in (None, ""):
            self.assertEqual(open_frontend(folder, "dark"), builtin_frontend("dark"))

    def test_legacy_and_blank_theme_names_mean_the_default(self) -> None:
        for theme in ("coreos", "tectonic", ""):
            self.assertEqual(open_frontend(None, theme), builtin_frontend("light"))

    def test_missing_templates_are_named(self) -> None:
        self.write_frontend()
        (self.folder / "templates" / "oob.html").unlink()
        (self.folder / "templates" / "home.html").unlink()
        self.assertIn("missing template(s): [oob.html, home.html]", self.refused())

    def test_a_template_folder_without_templates(self) -> None:
        self.write("robots.txt")
        self.write("templates/readme.md")
        self.assertIn("no files in template dir", self.refused())

    def test_a_missing_template_folder(self) -> None:
        self.write("robots.txt")
        self.assertIn("cannot read template dir", self.refused())

    def test_a_missing_robots_file(self) -> None:
        self.write_frontend()
        (self.folder / "robots.txt").unlink()
        self.assertIn("cannot read robots.txt", self.refused())
        self.assertIn(str(self.folder), self.refused())

    def test_a_missing_folder(self) -> None:
        refused = self.assertRaises(FrontendError, open_frontend, "/nonexistent/web", "light")
        self.assertIn("/nonexistent/web", str(refused))

    def test_a_theme_that_is_not_there_is_no_error(self) -> None:
        self.assertIsNone(Assets(open_frontend(None, "nowhere").theme).read("styles.css"))


class BuiltinFrontendTests(SynchronousTestCase):
    def test_it_has_all_templates(self) -> None:
        present = {path.name for path in builtin_frontend().templates.glob("*.html")}
        self.assertEqual(set(REQUIRED_TEMPLATES) - present, set())

    def test_robots_are_told_to_stay_away(self) -> None:
        self.assertEqual(builtin_frontend().robots, b"User-agent: *\nDisallow: /\n")

    def test_both_themes_are_complete_and_differ(self) -> None:
        light, dark = (Assets(builtin_frontend(theme).theme) for theme in ("light", "dark"))
        for theme in (light, dark):
            for name in ("logo.png", "favicon.png"):
                image = theme.read(name)
                assert image is not None
                self.assertTrue(image.body.startswith(b"\x89PNG\r\n\x1a\n"))
        self.assertNotEqual(light.read("styles.css"), dark.read("styles.css"))

    def test_every_connector_type_has_an_icon(self) -> None:
        static = Assets(builtin_frontend().static)
        for name in (*CONNECTOR_TYPES, "default"):
            icon = static.read(f"img/{name}-icon.svg")
            self.assertIsNotNone(icon, name)

    def test_style_sheets_load_nothing_from_elsewhere(self) -> None:
        frontend = builtin_frontend()
        for path in [*frontend.static.rglob("*.css"), *frontend.static.rglob("*.js")]:
            text = path.read_text()
            for word in ("@import", "http:", "https:", "url("):
                self.assertNotIn(word, text, path.name)


class AssetsTests(FolderTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("secret.txt", "secret")
        self.write("static/main.css", "body {}")
        self.write("static/img/ldap-icon.svg", "<svg/>")
        self.write("static/.hidden", "hidden")
        self.root = self.folder / "static"

    def test_a_file_is_answered_whole_with_its_type(self) -> None:
        answer = Assets(self.root).answer(request(), "img/ldap-icon.svg")
        headers = dict(answer.headers)
        self.assertEqual((answer.status, answer.body), (200, b"<svg/>"))
        self.assertEqual(headers["Content-Type"], "image/svg+xml")
        self.assertEqual(headers["Cache-Control"], "public, max-age=3600")

    def test_types_go_by_the_ending_of_the_name(self) -> None:
        expected = {
            "main.css": "text/css; charset=utf-8",
            "a.JS": "text/javascript; charset=utf-8",
            "a.png": "image/png",
            "a.woff2": "font/woff2",
            "a.strange": "application/octet-stream",
            "a": "application/octet-stream",
        }
        for name in expected:
            self.write(f"static/{name}")
        assets = Assets(self.root)
        found = {name: asset.content_type for name in expected if (asset := assets.read(name))}
        self.assertEqual(found, expected)

    def test_a_version_that_the_browser_has_is_not_sent_again(self) -> None:
        assets = Assets(self.root)
        asset = assets.read("main.css")
        assert asset is not None
        for known in (asset.etag, f'"other", W/{asset.etag}', "*"):
            answer = assets.answer(request(if_none_match=known), "main.css")
            self.assertEqual((answer.status, answer.body), (304, b""))
            self.assertEqual(dict(answer.headers)["ETag"], asset.etag)
        self.assertEqual(assets.answer(request(if_none_match='"other"'), "main.css").status, 200)

    def test_another_content_has_another_etag(self) -> None:
        before = Assets(self.root).read("main.css")
        self.write("static/main.css", "body { margin: 0 }")
        after = Assets(self.root).read("main.css")
        assert before is not None
        assert after is not None
        self.assertNotEqual(before.etag, after.etag)

    def test_head_is_answered_as_get(self) -> None:
        assets = Assets(self.root)
        self.assertEqual(
            assets.answer(request("HEAD"), "main.css"), assets.answer(request("GET"), "main.css")
        )

    def test_what_is_not_there_is_a_plain_404(self) -> None:
        answer = Assets(self.root).answer(request(), "nothing.css")
        self.assertEqual(answer.status, 404)
        self.assertEqual(dict(answer.headers)["Content-Type"], "text/plain; charset=utf-8")

    def test_WB_10_no_path_leads_out_of_the_folder(self) -> None:
        assets = Assets(self.root)
        for path in TRAVERSALS:
            self.assertEqual(assets.answer(request(), path).status, 404, repr(path))

    def test_WB_10_links_out_of_the_folder_are_not_followed(self) -> None:
        (self.root / "out.txt").symlink_to(self.folder / "secret.txt")
        (self.root / "outside").symlink_to(self.folder)
        assets = Assets(self.root)
        self.assertIsNone(assets.read("out.txt"))
        self.assertIsNone(assets.read("outside/secret.txt"))

    def test_links_inside_the_folder_are_followed(self) -> None:
        """As Kubernetes mounts a ConfigMap."""
        self.write("mount/..2026_01/main.css", "body {}")
        self.write("mount/..2026_01/img/a.svg", "<svg/>")
        mount = self.folder / "mount"
        (mount / "..data").symlink_to("..2026_01")
        (mount / "main.css").symlink_to("..data/main.css")
        (mount / "img").symlink_to("..data/img")
        assets = Assets(mount)
        css, image = assets.read("main.css"), assets.read("img/a.svg")
        assert css is not None
        assert image is not None
        self.assertEqual((css.body, image.body), (b"body {}", b"<svg/>"))
        self.assertIsNone(assets.read("..2026_01/main.css"))

    def test_links_in_a_circle_end(self) -> None:
        (self.root / "img" / "up").symlink_to(self.root)
        (self.root / "img" / "self").symlink_to(self.root / "img")
        self.assertIsNone(Assets(self.root).read("img/up/main.css"))

    def test_a_link_to_itself_is_an_error_at_the_start(self) -> None:
        (self.root / "loop").symlink_to("loop")
        refused = self.assertRaises(FrontendError, Assets, self.root)
        self.assertIn(str(self.root), str(refused))

    def test_hidden_files_are_not_served(self) -> None:
        self.assertIsNone(Assets(self.root).read(".hidden"))

    def test_a_folder_that_is_not_there_is_empty(self) -> None:
        self.assertEqual(Assets(self.folder / "nowhere").answer(request(), "main.css").status, 404)

    def test_files_are_read_once(self) -> None:
        assets = Assets(self.root)
        self.write("static/main.css", "changed")
        asset = assets.read("main.css")
        assert asset is not None
        self.assertEqual(asset.body, b"body {}")
