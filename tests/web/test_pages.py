"""All pages alike: headers, bones, nothing in their data breaks out of its place; and an operator's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.web.assets import REQUIRED_TEMPLATES, Assets, Frontend
from dextwist.web.http import Request, Response
from dextwist.web.pages import ConnectorChoice, Pages, SignedIn
from tests.web.page_reader import Read
from tests.web.some_pages import FRONTEND, PAGES, REQUEST, SESSION, connector, pages


def connector_named(text: str) -> ConnectorChoice:
    return ConnectorChoice(id=text, type=text, name=text, url=text)


def signed_in_as(text: str) -> SignedIn:
    claims = Claims(username=text, preferred_username=text, email=text, groups=(text, text))
    session = attrs.evolve(SESSION, ip_address=text, user_agent=text, idle_expires_at=SESSION.created_at)
    return SignedIn(session=session, claims=claims, connector_name=text)


#: Every page, with the text wherever a page takes one.
EVERY_PAGE: dict[str, Callable[[Pages, Request, str], Response]] = {
    "login": lambda p, r, t: p.login(r, connectors=[connector_named(t), connector_named(t)]),
    "password": lambda p, r, t: p.password(
        r, post_url=t, prompt=t, username=t, back_link=t, connector_name=t, show_remember_me=True
    ),
    "password, wrong": lambda p, r, t: p.password(r, post_url=t, prompt=t, username=t, invalid=True),
    "password, too often": lambda p, r, t: p.password(r, post_url=t, username=t, retry_after=60),
    "totp": lambda p, r, t: p.totp(r, post_url=t, issuer=t, connector_id=t),
    "totp, new": lambda p, r, t: p.totp(
        r, post_url=t, issuer=t, connector_id=t, qr_code=t, setup_key=t, invalid=True
    ),
    "device": lambda p, r, t: p.device(r, post_url=t),
    "device, wrong": lambda p, r, t: p.device(r, post_url=t, user_code=t, invalid=True),
    "device, done": lambda p, r, t: p.device_success(r, client_name=t),
    "security key, new": lambda p, r, t: p.webauthn(r, mode="register", authenticator_id=t),
    "security key": lambda p, r, t: p.webauthn(r, mode="login", authenticator_id=t),
    "consent": lambda p, r, t: p.approval(
        r, user=t, client=t, auth_request_id=t, scopes=("email", t), audiences=(t, t)
    ),
    "oob": lambda p, r, t: p.oob(r, code=t),
    "home": lambda p, r, t: p.home(r, discovery_url=t, logout_url=t),
    "home, signed in": lambda p, r, t: p.home(r, discovery_url=t, logout_url=t, signed_in=signed_in_as(t)),
    "sign out?": lambda p, r, t: p.logout(r, outcome="confirm", fields=((t, t),)),
    "signed out": lambda p, r, t: p.logout(r, outcome="logged out"),
    "not signed in": lambda p, r, t: p.logout(r, outcome="no session"),
    "form post": lambda p, r, t: p.form_post(r, action=t, fields=((t, t),)),
    "error": lambda p, r, t: p.error(attrs.evolve(r, request_id=t), 400, t),
}


def every_page(made_by: Pages = PAGES, text: str = "Some text") -> Iterator[tuple[str, Read]]:
    for name, make in EVERY_PAGE.items():
        yield name, Read(make(made_by, REQUEST, text))


class EveryPageTests(SynchronousTestCase):
    def test_WB_06_OA_07_the_default_headers(self) -> None:
        for name, page in every_page():
            self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8", name)
            self.assertEqual(page.headers["Cache-Control"], "no-store", name)
            self.assertEqual(page.headers["Referrer-Policy"], "no-referrer", name)
            self.assertEqual(page.source("default-src"), ["'none'"], name)
            self.assertEqual(page.source("frame-ancestors"), ["'none'"], name)
            self.assertNotIn("unsafe-inline", page.headers["Content-Security-Policy"], name)

    def test_WB_06_strict_transport_security_with_an_https_issuer(self) -> None:
        for made_by, expected in ((pages(https=True), True), (PAGES, False)):
            for name, page in every_page(made_by):
                self.assertEqual("Strict-Transport-Security" in page.headers, expected, name)

    def test_WB_06_configured_headers_replace_ours(self) -> None:
        for name, page in every_page(pages(headers={"content-security-policy": "default-src 'self'"})):
            found = [v for n, v in page.response.headers if n.lower() == "content-security-policy"]
            self.assertEqual(found, ["default-src 'self'"], name)

    def test_WB_05_no_script_style_or_handler_is_inline(self) -> None:
        for name, page in every_page():
            self.assertEqual(page.all("style"), [], name)
            names = {attribute for element in page.elements for attribute in element.attributes}
            self.assertEqual([n for n in names if n == "style" or n.startswith("on")], [], name)
            scripts = [script for script in page.all("script") if "src" not in script.attributes]
            self.assertEqual(bool(scripts), name == "form post", name)

    def test_OA_07_everything_loaded_is_ours_and_there(self) -> None:
        static, theme = Assets(FRONTEND.static), Assets(FRONTEND.theme)
        for name, page in every_page():
            loaded = [e.attributes["href"] for e in page.all("link")]
            loaded += [e.attributes["src"] for e in (*page.all("img"), *page.all("script", defer=""))]
            loaded += [e.attributes["src"] for e in page.all("script") if "src" in e.attributes]
            self.assertGreaterEqual(len(loaded), 4, name)
            for address in loaded:
                assert address is not None
                if address.startswith("data:image/png;base64,"):
                    continue
                folder, _, path = address.removeprefix("/dex/").partition("/")
                assets = {"static": static, "theme": theme}[folder]
                self.assertIsNotNone(assets.read(path), f"{name}: {address}")

    def test_the_bones_of_a_page(self) -> None:
        for name, page in every_page():
            self.assertEqual([d.lower() for d in page.declarations], ["doctype html"], name)
            self.assertEqual(page.one("html").attributes["lang"], "en", name)
            viewport = page.one("meta", name="viewport").attributes["content"]
            self.assertIn("width=device-width", str(viewport), name)
            self.assertEqual(len(page.all("h1")), 1, name)
            self.assertEqual(len(page.all("main")), 1, name)
            self.assertEqual([i for i in page.all("img") if "alt" not in i.attributes], [], name)
            ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
            self.assertEqual(len(ids), len(set(ids)), name)

    def test_every_field_has_its_label_and_its_descriptions_exist(self) -> None:
        for name, page in every_page():
            ids = {e.attributes["id"] for e in page.elements if "id" in e.attributes}
            labelled = {label.attributes.get("for") for label in page.all("label")}
            for field in page.all("input"):
                if field.attributes["type"] not in {"hidden", "checkbox"}:
                    self.assertIn(field.attributes["id"], labelled, name)
                described_by = field.attributes.get("aria-describedby") or ""
                self.assertLessEqual(set(described_by.split()), ids, name)

    def test_titles_tell_pages_apart(self) -> None:
        titles = {page.one("title").text for name, page in every_page() if "," not in name}
        self.assertEqual(len(titles), len([name for name in EVERY_PAGE if "," not in name]))

    @settings(max_examples=25, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_WB_05_no_text_becomes_markup(self, text: str) -> None:
        for made, plain in zip(every_page(text=text), every_page(), strict=True):
            self.assertEqual(made[1].shape(), plain[1].shape(), made[0])

    def test_WB_05_hostile_texts_are_shown_as_they_are(self) -> None:
        for text in (
            "<script>alert(1)</script>",
            '"onmouseover=alert(1) x="',
            "'><img src=x onerror=alert(1)>",
            "</title></textarea>--><b>",
            "{{ 7 * 7 }}{% raw %}",
        ):
            for (name, page), (_, plain) in zip(every_page(text=text), every_page(), strict=True):
                self.assertEqual(page.shape(), plain.shape(), name)
            shown = Read(PAGES.error(REQUEST, 400, text))
            self.assertIn(text, shown.text)
            typed = Read(PAGES.password(REQUEST, post_url="/", username=text, invalid=True))
            self.assertEqual(typed.one("input", name="login").attributes["value"], text)

    def test_WB_05_the_operator_s_own_words_are_escaped(self) -> None:
        acme = pages(issuer_name="Acme & <b>Co</b>", logo_url='https://logo.example/"><b>.svg')
        for name, page in every_page(acme):
            self.assertEqual(page.all("b"), [], name)
            self.assertIn("Acme & <b>Co</b>", page.text, name)

    def test_a_logo_from_elsewhere_is_allowed_by_the_policy(self) -> None:
        for name, page in every_page(pages(logo_url="https://logo.example/logo.svg")):
            self.assertIn("https://logo.example", page.source("img-src"), name)
            self.assertTrue(page.all("img", src="https://logo.example/logo.svg"), name)

    def test_an_issuer_without_a_path(self) -> None:
        for name, page in every_page(pages(issuer_path="")):
            sheets = [e.attributes["href"] for e in page.all("link", rel="stylesheet")]
            self.assertEqual(sheets, ["/theme/styles.css", "/static/main.css"], name)


class OwnFrontendTests(SynchronousTestCase):
    """An operator's templates, which know the names that dex has and no other."""

    def setUp(self) -> None:
        self.folder = Path(mkdtemp(dir=Path(self.mktemp()).parent.resolve()))
        for name in REQUIRED_TEMPLATES:
            (self.folder / name).write_text("{{ issuer() }} {{ ReqPath }}")

    def pages(self, **texts: str) -> Pages:
        for name, text in texts.items():
            (self.folder / f"{name}.html").write_text(text)
        frontend = Frontend(templates=self.folder, static=self.folder, theme=self.folder, robots=b"")
        return pages(frontend=frontend, issuer_name="Acme")

    def test_they_replace_all_of_ours(self) -> None:
        for name, page in every_page(self.pages()):
            if name != "form post":
                self.assertEqual(page.html, "Acme /dex/auth/local/login", name)

    def test_they_need_not_use_what_dex_does_not_have(self) -> None:
        made_by = self.pages(
            password="{{ PostURL }}|{{ Username }}|{{ UsernamePrompt }}|{{ Invalid }}|{{ BackLink }}",
            login="{% for c in Connectors %}{{ c.ID }} {{ c.Name }} {{ c.URL }} {{ c.Type }}{% endfor %}",
        )
        page = made_by.password(REQUEST, post_url="/p", username="alice", invalid=True)
        self.assertEqual(page.body, b"/p|alice|Username|True|")
        self.assertEqual(made_by.login(REQUEST, connectors=[connector("A")]).body, b"c A /dex/auth/c oidc")

    def test_without_icons_none_is_named(self) -> None:
        made_by = self.pages(login="{% for c in Connectors %}[{{ c.Icon }}]{% endfor %}")
        self.assertEqual(made_by.login(REQUEST, connectors=[connector("A")]).body, b"[]")

    def test_WB_12_a_template_that_fails_is_a_plain_500(self) -> None:
        made_by = self.pages(oob="{{ Code }} {{ 1 / 0 }}")
        response = made_by.oob(REQUEST, code="the-code")
        self.assertEqual((response.status, response.body), (500, b"This page cannot be shown.\n"))
        headers = dict(response.headers)
        self.assertEqual(headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
