"""Templates, their helpers, and what goes wrong with an operator's."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

import jinja2
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.assets import Frontend, FrontendError, builtin_frontend
from dextwist.web.templates import Templates, absolute_path, relative_url

#: Issuer path, request path, asset, address: server.md §31.14.
RELATIVE = [
    ("/", "/auth", "/theme/main.css", "theme/main.css"),
    ("/dex", "/dex/auth", "/theme/main.css", "theme/main.css"),
    ("/dex", "/dex/auth/connector", "assets/css/main.css", "../assets/css/main.css"),
    ("/dex", "/dex", "static/main.css", "dex/static/main.css"),
    ("/dex/idp", "/dex/idp", "theme/styles.css", "dex/idp/theme/styles.css"),
    ("/", "/", "static/main.css", "static/main.css"),
    ("/dex", "/dex/auth", "https://logo.example/a.png", "https://logo.example/a.png"),
    ("", "/auth/local/login", "static/main.css", "../../static/main.css"),
    ("/dex", "/dex/static/a", "static/main.css", "main.css"),
]


class AddressTests(SynchronousTestCase):
    def test_relative_addresses(self) -> None:
        for issuer_path, request_path, asset, expected in RELATIVE:
            with self.subTest(issuer_path=issuer_path, request_path=request_path, asset=asset):
                self.assertEqual(relative_url(issuer_path, request_path, asset), expected)

    def test_absolute_paths(self) -> None:
        for issuer_path, asset, expected in [
            ("/dex/idp", "static/main.css", "/dex/idp/static/main.css"),
            ("/dex", "/theme/logo.png", "/dex/theme/logo.png"),
            ("", "theme/logo.png", "/theme/logo.png"),
            ("/", "theme/logo.png", "/theme/logo.png"),
            ("", "//elsewhere.example/logo.png", "/elsewhere.example/logo.png"),
            ("/dex", "https://logo.example/logo.svg", "https://logo.example/logo.svg"),
        ]:
            self.assertEqual(absolute_path(issuer_path, asset), expected)

    @given(segments=st.lists(st.from_regex(r"[a-z.%]{1,3}", fullmatch=True), max_size=5))
    def test_a_relative_address_never_leads_out_of_the_issuer(self, segments: list[str]) -> None:
        address = relative_url("/dex", "/dex/" + "/".join(segments), "static/main.css")
        self.assertLessEqual(address.count("../"), max(len(segments) - 1, 0))
        self.assertTrue(address.endswith("main.css"))


class TemplatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(mkdtemp(dir=Path(self.mktemp()).parent.resolve()))

    def templates(self, **texts: str) -> Templates:
        for name, text in texts.items():
            (self.folder / f"{name}.html").write_text(text)
        frontend = Frontend(templates=self.folder, static=self.folder, theme=self.folder, robots=b"")
        return Templates(
            frontend=frontend,
            issuer_path="/dex",
            issuer_name="Acme & Co",
            logo_url="theme/logo.png",
            extra={"help": "<me>"},
        )

    def rendered(self, text: str, **data: object) -> str:
        return self.templates(page=text).render("page.html", request_path="/dex/auth/local", data=data)

    def test_the_helpers(self) -> None:
        self.assertEqual(self.rendered("{{ issuer() }}"), "Acme &amp; Co")
        self.assertEqual(self.rendered("{{ logo() }}"), "theme/logo.png")
        self.assertEqual(self.rendered("{{ extra('help') }}{{ extra('other') }}"), "&lt;me&gt;")
        self.assertEqual(self.rendered("{{ url(ReqPath, 'static/a.css') }}"), "../static/a.css")
        self.assertEqual(self.rendered("{{ asset('static/a.css') }}"), "/dex/static/a.css")

    def test_the_path_of_the_request_is_known_everywhere(self) -> None:
        self.assertEqual(self.rendered("{{ ReqPath }}"), "/dex/auth/local")

    def test_WB_05_values_are_escaped(self) -> None:
        page = self.rendered("<a title='{{ V }}'>{{ V }}</a>", V="'\"><script>&")
        self.assertEqual(page.count("&#39;&#34;&gt;&lt;script&gt;&amp;"), 2)

    def test_templates_include_each_other(self) -> None:
        templates = self.templates(header="<h1>{{ issuer() }}</h1>", page="{% include 'header.html' %}")
        page = templates.render("page.html", request_path="/dex", data={})
        self.assertEqual(page, "<h1>Acme &amp; Co</h1>")

    def test_a_name_that_no_data_has_is_an_error(self) -> None:
        self.assertRaises(jinja2.UndefinedError, self.rendered, "{{ Usrename }}", Username="alice")

    def test_a_template_error_is_told_at_the_start(self) -> None:
        refused = self.assertRaises(FrontendError, self.templates, page="\n{% if %}")
        self.assertIn("template page.html, line 2: ", str(refused))

    def test_a_template_that_is_no_text_is_told_at_the_start(self) -> None:
        (self.folder / "page.html").write_bytes(b"\xff\xfe")
        self.assertIn("page.html", str(self.assertRaises(FrontendError, self.templates)))

    def test_the_page_that_dex_has_no_template_for_comes_from_us(self) -> None:
        page = self.templates(page="x").render(
            "form_post.html", request_path="/dex", data={"ActionURL": "/a", "Fields": [], "Nonce": "n"}
        )
        self.assertIn('action="/a"', page)

    def test_an_own_template_goes_before_ours(self) -> None:
        page = self.templates(form_post="mine").render("form_post.html", request_path="/dex", data={})
        self.assertEqual(page, "mine")

    def test_our_other_templates_do_not_stand_in(self) -> None:
        templates = self.templates(page="x")
        self.assertRaises(KeyError, templates.render, "login.html", request_path="/dex", data={})
        self.assertTrue((builtin_frontend().templates / "login.html").is_file())
