"""What each page says, and what its forms send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_session import AuthSession
from dextwist.model.claims import Claims
from dextwist.model.times import EPOCH
from dextwist.web.pages import Pages
from dextwist.web.wording import iso_time, text_time
from tests.web.page_reader import Read
from tests.web.some_pages import ALICE, DISCOVERY, FRONTEND, PAGES, REQUEST, SESSION, connector


class LoginPageTests(SynchronousTestCase):
    def shown(self, *names: str) -> list[str]:
        page = Read(PAGES.login(REQUEST, connectors=[connector(name) for name in names]))
        return [
            span.text.strip().removeprefix("Continue with ")
            for span in page.all("span")
            if "Cont" in span.text
        ]

    def test_connectors_are_sorted_by_name(self) -> None:
        found = self.shown("keycloak", "Okta", "azure ad", "Google")
        self.assertEqual(found, ["azure ad", "Google", "keycloak", "Okta"])

    def test_names_that_differ_in_case_alone_keep_their_order(self) -> None:
        self.assertEqual(self.shown("b", "LDAP", "ldap", "Ldap"), ["b", "LDAP", "ldap", "Ldap"])

    def test_links_and_icons(self) -> None:
        page = Read(
            PAGES.login(REQUEST, connectors=[connector("A", "github", "gh"), connector("B", "new", "x")])
        )
        self.assertEqual([a.attributes["href"] for a in page.all("a")], ["/dex/auth/gh", "/dex/auth/x"])
        icons = [image.attributes["src"] for image in page.all("img")][1:]
        self.assertEqual(icons, ["/dex/static/img/github-icon.svg", "/dex/static/img/default-icon.svg"])


class PasswordPageTests(SynchronousTestCase):
    def test_the_form(self) -> None:
        page = Read(PAGES.password(REQUEST, post_url="/dex/auth/local/login?state=x&back="))
        form = page.one("form")
        self.assertEqual(form.attributes, {"method": "post", "action": "/dex/auth/local/login?state=x&back="})
        login, password = page.one("input", name="login"), page.one("input", name="password")
        self.assertEqual(login.attributes["autocomplete"], "username")
        self.assertEqual(password.attributes["autocomplete"], "current-password")
        self.assertEqual(page.response.status, 200)
        self.assertIn("Username", page.text)
        self.assertIn("autofocus", login.attributes)

    def test_a_wrong_password_keeps_the_name_and_tells(self) -> None:
        page = Read(
            PAGES.password(REQUEST, post_url="/", prompt="Email Address", username="alice", invalid=True)
        )
        self.assertEqual(page.response.status, 401)
        self.assertEqual(page.one("p", role="alert").text, "Invalid Email Address or password.")
        self.assertEqual(page.one("input", name="login").attributes["value"], "alice")
        password = page.one("input", name="password")
        self.assertNotIn("value", password.attributes)
        self.assertIn("autofocus", password.attributes)

    def test_TB_03_too_many_attempts(self) -> None:
        for seconds, words in (
            (1, "1 second."),
            (30, "30 seconds."),
            (91, "2 minutes."),
            (900, "15 minutes."),
        ):
            page = Read(PAGES.password(REQUEST, post_url="/", username="alice", retry_after=seconds))
            self.assertEqual((page.response.status, page.headers["Retry-After"]), (429, str(seconds)))
            self.assertEqual(page.one("p", role="alert").text, f"Too many attempts. Try again in {words}")

    def test_remember_me(self) -> None:
        for show, checked in ((False, False), (True, False), (True, True)):
            page = Read(
                PAGES.password(REQUEST, post_url="/", show_remember_me=show, remember_me_checked=checked)
            )
            boxes = page.all("input", name="remember_me", type="checkbox", value="on")
            self.assertEqual(["checked" in box.attributes for box in boxes], [checked] if show else [])

    def test_the_way_back(self) -> None:
        page = Read(PAGES.password(REQUEST, post_url="/", back_link="/dex/auth?client_id=a&x=y"))
        self.assertEqual(page.one("a").attributes["href"], "/dex/auth?client_id=a&x=y")
        self.assertEqual(Read(PAGES.password(REQUEST, post_url="/")).all("a"), [])

    def test_the_form_may_lead_to_the_client(self) -> None:
        page = Read(
            PAGES.password(
                REQUEST, post_url="/", form_targets=("https://app.example/cb", "https://app.example/")
            )
        )
        self.assertEqual(page.source("form-action"), ["'self'", "https://app.example", "https:"])

    def test_the_form_may_lead_to_an_app_or_to_no_place_known_yet(self) -> None:
        for target, source in (
            ("com.example.app:/cb", "com.example.app:"),
            ("https:", "https:"),
            ("/here", ""),
        ):
            page = Read(PAGES.password(REQUEST, post_url="/", form_targets=(target,)))
            self.assertEqual(" ".join(page.source("form-action")), f"'self' {source}".strip())


class ConsentPageTests(SynchronousTestCase):
    def page(self, *scopes: str, audiences: tuple[str, ...] = ()) -> Read:
        return Read(
            PAGES.approval(
                REQUEST,
                user="Alice",
                client="Web Shop",
                auth_request_id="r-1",
                scopes=scopes,
                audiences=audiences,
            )
        )

    def test_two_forms_answer_at_the_page_s_own_address(self) -> None:
        page = self.page("openid", "email")
        self.assertEqual([form.attributes for form in page.all("form")], [{"method": "post"}] * 2)
        fields = [(e.attributes["name"], e.attributes["value"]) for e in page.all("input", type="hidden")]
        self.assertEqual(
            fields, [("req", "r-1"), ("approval", "approve"), ("req", "r-1"), ("approval", "rejected")]
        )

    def test_OA_38_the_page_names_client_and_scopes_in_order(self) -> None:
        page = self.page("openid", "profile", "email", "groups", "offline_access", "federated:id")
        self.assertIn("Web Shop", page.text)
        listed = [item.text for item in page.all("li")]
        self.assertEqual(len(listed), 4)
        self.assertEqual(listed, sorted(listed))
        for word in ("offline", "profile", "email address", "groups"):
            self.assertIn(word, page.text)

    def test_a_client_that_asks_for_nothing_personal(self) -> None:
        page = self.page("openid")
        self.assertEqual(page.all("li"), [])
        self.assertNotIn("email address", page.text)

    def test_other_clients_that_the_tokens_are_for_are_named(self) -> None:
        page = self.page("openid", audiences=("Warehouse",))
        self.assertEqual([item.text for item in page.all("li")], ["Warehouse"])

    def test_OA_H22_the_page_shows_the_code_of_the_device_that_would_be_signed_in(self) -> None:
        self.assertNotIn("device", self.page("openid").text)
        shown = Read(
            PAGES.approval(
                REQUEST,
                user="Alice",
                client="Smart TV",
                auth_request_id="r-1",
                scopes=(),
                user_code="BCDF-GHJK",
            )
        )
        self.assertIn("BCDF-GHJK", shown.text)


class OtherPageTests(SynchronousTestCase):
    def test_the_device_form(self) -> None:
        page = Read(PAGES.device(REQUEST, post_url="/dex/device/auth/verify_code", user_code="BCDF-GHJK"))
        self.assertEqual(page.response.status, 200)
        self.assertEqual(page.one("form").attributes["action"], "/dex/device/auth/verify_code")
        self.assertEqual(page.one("input", name="user_code").attributes["value"], "BCDF-GHJK")
        self.assertEqual(page.all("p", role="alert"), [])

    def test_a_wrong_user_code(self) -> None:
        page = Read(PAGES.device(REQUEST, post_url="/", user_code="BBBB-BBBB", invalid=True))
        self.assertEqual(page.response.status, 400)
        self.assertIn("Invalid", page.one("p", role="alert").text)
        self.assertEqual(page.one("input", name="user_code").attributes["value"], "BBBB-BBBB")

    def test_the_device_is_connected(self) -> None:
        self.assertIn("Smart <TV>", Read(PAGES.device_success(REQUEST, client_name="Smart <TV>")).text)

    def test_the_one_time_code_form(self) -> None:
        page = Read(PAGES.totp(REQUEST, post_url="/dex/mfa/totp?x", issuer="Example", connector_id="local"))
        field = page.one("input", name="totp")
        self.assertEqual(field.attributes["autocomplete"], "one-time-code")
        self.assertEqual(field.attributes["inputmode"], "numeric")
        self.assertEqual(page.response.status, 200)
        self.assertEqual(page.source("img-src"), ["'self'"])

    def test_the_qr_code_of_a_new_secret_is_in_the_page(self) -> None:
        page = Read(
            PAGES.totp(
                REQUEST,
                post_url="/",
                issuer="Example",
                connector_id="local",
                qr_code="iVBORw",
                setup_key="KEY",
            )
        )
        self.assertEqual(len(page.all("img", src="data:image/png;base64,iVBORw")), 1)
        self.assertIn("KEY", page.text)
        self.assertEqual(page.source("img-src"), ["'self'", "data:"])

    def test_a_wrong_one_time_code(self) -> None:
        page = Read(PAGES.totp(REQUEST, post_url="/", issuer="E", connector_id="local", invalid=True))
        self.assertEqual(page.response.status, 401)
        self.assertIn("Invalid", page.one("p", role="alert").text)

    def test_the_security_key_s_page(self) -> None:
        modes: tuple[Literal["register", "login"], ...] = ("register", "login")
        for mode in modes:
            page = Read(PAGES.webauthn(REQUEST, mode=mode, authenticator_id="key"))
            self.assertEqual(page.one("button").attributes["data-mode"], mode)
            self.assertEqual(page.one("script").attributes["src"], "/dex/static/webauthn.js")
            self.assertEqual(page.source("connect-src"), ["'self'"])

    def test_the_code_to_carry_over(self) -> None:
        self.assertEqual(Read(PAGES.oob(REQUEST, code="the-code")).one("code").text, "the-code")

    def test_sign_out_asks_and_carries_what_it_was_asked_with(self) -> None:
        request = attrs.evolve(REQUEST, full_path="/dex/logout")
        page = Read(PAGES.logout(request, outcome="confirm", fields=(("state", "s"), ("client_id", "c"))))
        self.assertEqual(page.one("form").attributes, {"method": "post", "action": "/dex/logout"})
        fields = [(e.attributes["name"], e.attributes["value"]) for e in page.all("input", type="hidden")]
        self.assertEqual(fields, [("state", "s"), ("client_id", "c")])

    def test_after_signing_out_nothing_is_asked(self) -> None:
        done = Read(PAGES.logout(REQUEST, outcome="logged out"))
        none = Read(PAGES.logout(REQUEST, outcome="no session"))
        self.assertEqual((done.all("form"), none.all("form")), ([], []))
        self.assertIn("You are signed out", done.text)
        self.assertIn("You are not signed in", none.text)

    def test_a_form_posts_itself_under_its_own_policy(self) -> None:
        fields = (("SAMLRequest", "PHg+"), ("RelayState", "r"))
        page = Read(PAGES.form_post(REQUEST, action="https://sso.example:8443/acs?tenant=a", fields=fields))
        form = page.one("form")
        self.assertEqual(
            form.attributes, {"method": "post", "action": "https://sso.example:8443/acs?tenant=a"}
        )
        self.assertEqual(
            [(e.attributes["name"], e.attributes["value"]) for e in page.all("input")], list(fields)
        )
        self.assertEqual(page.one("button").attributes["type"], "submit")
        self.assertEqual(page.one("script").attributes["nonce"], "the-nonce")
        self.assertEqual(page.source("script-src"), ["'self'", "'nonce-the-nonce'"])
        self.assertEqual(page.source("form-action"), ["'self'", "https://sso.example:8443", "https:"])

    def test_every_form_that_posts_itself_has_a_nonce_of_its_own(self) -> None:
        made_by = Pages(frontend=FRONTEND, issuer_path="/dex")
        nonces = {
            Read(made_by.form_post(REQUEST, action="/", fields=())).one("script").attributes["nonce"]
            for _ in "ab"
        }
        self.assertEqual(len(nonces), 2)


class ErrorPageTests(SynchronousTestCase):
    def test_WB_12_status_sentence_request_id_and_what_to_do(self) -> None:
        for status, phrase, advice in (
            (400, "Bad Request", "sign in from there again"),
            (401, "Unauthorized", "sign in from there again"),
            (403, "Forbidden", "ask your administrator"),
            (429, "Too Many Requests", "Wait a little"),
            (500, "Internal Server Error", "Try again in a moment"),
            (503, "Service Unavailable", "Try again in a moment"),
        ):
            page = Read(PAGES.error(REQUEST, status, "The link has expired."))
            self.assertEqual(page.response.status, status)
            self.assertEqual(page.one("p", role="alert").text, "The link has expired.")
            for words in (phrase, advice, "3f9a1c52"):
                self.assertIn(words, page.text)

    def test_without_a_request_id_none_is_shown(self) -> None:
        page = Read(PAGES.error(attrs.evolve(REQUEST, request_id=""), 400, "No."))
        self.assertNotIn("Request ID", page.text)


class HomePageTests(SynchronousTestCase):
    LOGOUT = "https://idp.example/dex/logout"

    def links(self, page: Read) -> list[str | None]:
        return [link.attributes["href"] for link in page.all("a")]

    def shown(self, session: AuthSession = SESSION) -> Read:
        who = attrs.evolve(ALICE, session=session)
        return Read(PAGES.home(REQUEST, discovery_url=DISCOVERY, logout_url=self.LOGOUT, signed_in=who))

    def test_without_sessions(self) -> None:
        page = Read(PAGES.home(REQUEST, discovery_url=DISCOVERY))
        self.assertEqual((page.response.status, self.links(page)), (200, [DISCOVERY]))
        self.assertNotIn("signed in", page.text)

    def test_with_sessions_and_nobody_signed_in(self) -> None:
        page = Read(PAGES.home(REQUEST, discovery_url=DISCOVERY, logout_url=self.LOGOUT))
        self.assertEqual(self.links(page), [DISCOVERY])
        self.assertIn("not signed in", page.text)

    def test_signed_in(self) -> None:
        page = self.shown()
        self.assertEqual(self.links(page), [self.LOGOUT, DISCOVERY])
        for words in (
            "alice@example.com",
            "Company directory",
            "engineering",
            "203.0.113.9",
            "Some Browser/1.0",
        ):
            self.assertIn(words, page.text)
        self.assertIn("alice", [dd.text for dd in page.all("dd")])
        self.assertNotIn("Alice Doe", page.text)
        self.assertNotIn("never shown", page.html)

    def test_the_name_of_who_has_no_preferred_one(self) -> None:
        who = attrs.evolve(ALICE, claims=Claims(username="Alice Doe"))
        page = Read(PAGES.home(REQUEST, discovery_url=DISCOVERY, logout_url="/", signed_in=who))
        self.assertIn("Alice Doe", page.text)

    def test_the_time_of_signing_in_is_the_session_s_start(self) -> None:
        used_since = attrs.evolve(SESSION, last_activity_at=SESSION.created_at + timedelta(hours=1))
        times = self.shown(used_since).all("time")
        self.assertEqual(
            [(t.attributes["datetime"], t.text) for t in times],
            [("2026-07-28T09:05:00Z", "28 Jul 2026, 09:05 UTC")],
        )

    def test_the_limit_shown_is_the_earlier_one_and_says_which(self) -> None:
        early, late = (datetime(2026, 7, day, tzinfo=UTC) for day in (29, 30))
        for idle, absolute, day, is_idle in (
            (early, late, 29, True),
            (late, early, 29, False),
            (early, early, 29, False),
            (late, EPOCH, 30, True),
            (EPOCH, late, 30, False),
        ):
            page = self.shown(attrs.evolve(SESSION, idle_expires_at=idle, absolute_expires_at=absolute))
            self.assertEqual(page.all("time")[-1].attributes["datetime"], f"2026-07-{day}T00:00:00Z")
            self.assertEqual("Ends, if idle" in page.text, is_idle)

    def test_without_a_limit_none_is_shown(self) -> None:
        page = self.shown()
        self.assertEqual(len(page.all("time")), 1)
        self.assertNotIn("Ends", page.text)


class TimeTests(SynchronousTestCase):
    def test_times_are_shown_in_utc(self) -> None:
        tokyo = datetime(2026, 7, 28, 18, 5, tzinfo=timezone(timedelta(hours=9)))
        self.assertEqual(iso_time(tokyo), "2026-07-28T09:05:00Z")
        self.assertEqual(text_time(tokyo), "28 Jul 2026, 09:05 UTC")

    def test_the_day_has_no_leading_zero(self) -> None:
        self.assertEqual(text_time(datetime(2026, 12, 1, 0, 0, tzinfo=UTC)), "1 Dec 2026, 00:00 UTC")

    def test_a_time_that_is_not_set_is_empty(self) -> None:
        year_one = datetime(1, 1, 1, tzinfo=UTC)
        for at in (EPOCH, year_one):
            self.assertEqual((iso_time(at), text_time(at)), ("", ""))
