"""Logins on their way, from outside: the form, the callback, consent, and who may go on (server row 31.6)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from twisted.internet.defer import Deferred, gatherResults

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.storage.interface import every
from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import CALLBACK, FlowCase, Running
from tests.flows.relying_party import RelyingParty

ASK = {"oauth2": {"skipApprovalScreen": False}}


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


class LoginCase(FlowCase):
    """Steps that several tests take."""

    async def password_form(self, running: Running, browser: Browser, **params: str | None) -> Page:
        page = await browser.visit(RelyingParty(running=running).authorize_url("/auth/local", **params))
        assert isinstance(page, Page), page
        page.form("password")
        return page

    async def consent_page(self, running: Running, browser: Browser, **params: str | None) -> Page:
        page = await browser.visit(RelyingParty(running=running).authorize_url("/auth/mock", **params))
        assert isinstance(page, Page), page
        page.form("approval")
        return page

    def assert_refused(self, page: Page | AtClient, *statuses: int) -> None:
        assert isinstance(page, Page), page
        self.assertIn(page.status, statuses or (400, 401))
        self.assertIsNone(page.header("location"))


class PasswordFormTests(LoginCase):
    """The built-in password database's form."""

    async def test_right_password_logs_in_whatever_the_case_of_the_address(self) -> None:
        running, browser = await self.start(), Browser()
        page = await self.password_form(running, browser)
        end = await browser.submit(
            page, page.form("password"), login=" JANE@Example.com", password="password"
        )
        assert isinstance(end, AtClient), end
        self.assertIn("code", end.params)

    async def test_wrong_password_keeps_the_name_and_shows_the_form(self) -> None:
        running, browser = await self.start(), Browser()
        page = await self.password_form(running, browser)
        again = await browser.submit(
            page, page.form("password"), login="jane@example.com", password="wr<b>ong"
        )
        assert isinstance(again, Page)
        self.assertEqual(401, again.status)
        self.assertEqual("jane@example.com", again.form("password").fields["login"])
        self.assertNotIn(b"wr<b>ong", again.body)
        self.assertIsNone(again.header("www-authenticate"))
        end = await browser.submit(again, again.form("password"), password="password")
        self.assertIsInstance(end, AtClient)

    async def test_tb02_unknown_users_look_like_wrong_passwords(self) -> None:
        running, texts = await self.start(), []
        for name in ("jane@example.com", "nobody@example.com"):
            browser = Browser()
            page = await self.password_form(running, browser)
            again = await browser.submit(page, page.form("password"), login=name, password="wrong")
            assert isinstance(again, Page)
            texts.append((again.status, again.text))
        self.assertEqual(texts[0], texts[1])

    async def test_credentials_in_the_query_do_not_count(self) -> None:
        running, browser = await self.start(), Browser()
        page = await self.password_form(running, browser)
        query = urlencode({"login": "jane@example.com", "password": "password"})
        end = await browser.visit(f"{page.form('password').action}&{query}", "POST", b"")
        self.assert_refused(end)

    async def test_missing_unknown_and_misplaced_states_are_refused(self) -> None:
        running, browser = await self.start(), Browser()
        action = (await self.password_form(running, browser)).form("password").action
        bare = action.partition("?")[0]
        for url in (bare, bare + "?state=", bare + "?state=unknown", action.replace("/local/", "/mock/")):
            for method in ("GET", "POST"):
                self.assert_refused(await browser.request(method, url, data={"login": "x", "password": "y"}))

    async def test_wb02_the_back_link_stays_here(self) -> None:
        running, browser = await self.start(), Browser()
        page = await self.password_form(running, browser)
        back = page.link("/dex/auth")
        self.assertEqual("the state", query_of(back)["state"])
        action = urlsplit(page.form("password").action)
        for evil in (
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "relative/path",
            "",
        ):
            query = urlencode({**query_of(action.geturl()), "back": evil})
            shown = await browser.request("GET", action._replace(query=query).geturl())
            self.assertEqual((200, []), (shown.status, list(shown.links)), evil)

    async def test_oa32_another_browser_cannot_take_the_login_over(self) -> None:
        running, victim, thief = await self.start(), Browser(), Browser()
        page = await self.password_form(running, victim)
        typed = {"login": "jane@example.com", "password": "password"}
        self.assert_refused(await thief.submit(page, page.form("password"), **typed))
        self.assertIsInstance(await victim.submit(page, page.form("password"), **typed), AtClient)

    async def test_two_logins_side_by_side_in_one_browser(self) -> None:
        running, browser = await self.start(), Browser()
        pages = [await self.password_form(running, browser, state=name) for name in ("one", "two")]
        for page, name in zip(pages, ("one", "two"), strict=True):
            form = page.form("password")
            end = await browser.submit(page, form, login="jane@example.com", password="password")
            assert isinstance(end, AtClient), end
            self.assertEqual(name, end.params["state"])

    async def test_offline_session_is_there_after_the_login(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.password_form(running, browser)
        await browser.submit(page, page.form("password"), login="jane@example.com", password="password")
        session = await running.storage.get(OFFLINE_SESSIONS, ("jane-id", "local"))
        self.assertEqual({}, session.refresh)

    async def test_without_offline_access_there_is_no_offline_session(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.password_form(running, browser, scope="openid")
        await browser.submit(page, page.form("password"), login="jane@example.com", password="password")
        self.assertEqual([], await every(running.storage, OFFLINE_SESSIONS))


class CallbackTests(LoginCase):
    """Coming back from an upstream."""

    async def test_callbacks_out_of_nowhere(self) -> None:
        running = await self.start()
        for query in ("", "?code=&state=", "?state=unknown&code=x", "?state=%00", "?error=x&state=y"):
            for path in ("/callback", "/callback/mock"):
                page = await Browser().request("GET", running.issuer + path + query)
                self.assert_refused(page, 400)
                self.assertNotIn("storage", page.text.lower())
        for data in (b"", b"RelayState=unknown&SAMLResponse=x"):
            self.assert_refused(await Browser().request("POST", running.issuer + "/callback", data=data), 400)

    async def test_oa34_a_finished_callback_cannot_be_replayed(self) -> None:
        running, browser = await self.start(ASK), Browser()
        start = await browser.request("GET", RelyingParty(running=running).authorize_url("/auth/mock"))
        self.assertEqual(303, (await browser.request("GET", start.location)).status)
        self.assert_refused(await browser.request("GET", start.location), 400)

    async def test_oa32_the_callback_belongs_to_the_browser_that_began(self) -> None:
        running, browser = await self.start(), Browser()
        start = await browser.request("GET", RelyingParty(running=running).authorize_url("/auth/mock"))
        self.assert_refused(await Browser().request("GET", start.location), 400)
        self.assertEqual(303, (await browser.request("GET", start.location)).status)

    async def test_the_callback_of_another_connector_is_refused(self) -> None:
        running, browser = await self.start(), Browser()
        start = await browser.request("GET", RelyingParty(running=running).authorize_url("/auth/mock"))
        state = query_of(start.location)["state"]
        url = f"{running.issuer}/callback/local?state={state}"
        self.assert_refused(await browser.request("GET", url), 400)

    async def test_oa37_the_cookie_is_narrow(self) -> None:
        running = await self.start()
        page = await Browser().request("GET", RelyingParty(running=running).authorize_url("/auth/mock"))
        cookie = (page.header("set-cookie") or "").split("; ")
        self.assertEqual({"Path=/dex", "HttpOnly", "SameSite=Lax", "Max-Age=3600"}, set(cookie[1:]))


class ConsentTests(LoginCase):
    """The consent page and the steps around it."""

    async def test_consent_leads_to_the_client_once(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        self.assertIn("The App", page.text)
        form = page.form("approval", "approve")
        end = await browser.submit(page, form)
        assert isinstance(end, AtClient)
        self.assertEqual({"code", "state", "iss"}, set(end.params))
        self.assertEqual([], await every(running.storage, AUTH_REQUESTS))
        self.assert_refused(await browser.submit(page, form), 400)

    async def test_refusal_is_access_denied_at_the_client(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        end = await browser.submit(page, page.form("approval", "rejected"))
        assert isinstance(end, AtClient)
        self.assertEqual(("access_denied", "the state"), (end.params["error"], end.params["state"]))
        self.assert_refused(await browser.submit(page, page.form("approval", "approve")), 400)
        self.assertEqual([], await every(running.storage, AUTH_CODES))

    async def test_an_answer_that_is_neither_is_refused(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        self.assert_refused(await browser.submit(page, page.form("approval"), approval="perhaps"), 400)

    async def test_skipping_gives_way_to_a_forced_question(self) -> None:
        running = await self.start()
        rp = RelyingParty(running=running)
        self.assertIn("code", (await rp.log_in()).params)
        for params in ({"approval_prompt": "force"}, {"prompt": "consent"}):
            await self.consent_page(running, Browser(), **params)

    async def test_cross_client_audiences_are_named(self) -> None:
        peer = {"id": "peer", "name": "The Peer", "secret": "s", "trustedPeers": ["app"]}
        app = {"id": "app", "name": "The App", "secret": "s", "redirectURIs": [CALLBACK]}
        running = await self.start({**ASK, "staticClients": [app, peer]})
        page = await self.consent_page(running, Browser(), scope="openid audience:server:client_id:peer")
        self.assertIn("The Peer", page.text)

    async def test_oa33_consent_needs_the_proof_and_the_browser(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        good, bare = query_of(page.url), page.url.partition("?")[0]
        for params in (
            {"req": good["req"]},
            {"req": good["req"], "hmac": ""},
            {"req": good["req"], "hmac": "AQ"},
            {"req": "unknown", "hmac": "AQ"},
            {"hmac": good["hmac"]},
        ):
            for method in ("GET", "POST"):
                url = f"{bare}?{urlencode(params)}"
                self.assert_refused(await browser.request(method, url, data={"approval": "approve"}))
        stranger = Browser()
        self.assert_refused(await stranger.request("GET", page.url), 400)
        self.assert_refused(await stranger.request("POST", page.url, data={"approval": "approve"}), 400)
        self.assertIsInstance(await browser.submit(page, page.form("approval", "approve")), AtClient)

    async def test_the_dispatcher_takes_its_own_proofs_alone(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        step = query_of(page.url)
        for query in ({"req": step["req"]}, {**step}, {"req": step["req"], "hmac": "AQ"}):
            self.assert_refused(
                await browser.request("GET", f"{running.issuer}/auth?{urlencode(query)}"), 401
            )

    async def test_rl23_two_answers_at_once_give_one_code(self) -> None:
        running, browser = await self.start(ASK), Browser()
        page = await self.consent_page(running, browser)
        form = page.form("approval", "approve")
        both = [Deferred.fromCoroutine(browser.submit(page, form)) for _ in range(2)]
        ends = await gatherResults(both)
        self.assertEqual(1, sum(isinstance(end, AtClient) for end in ends))
        self.assertEqual(1, len(await every(running.storage, AUTH_CODES)))


class PendingLoginTests(LoginCase):
    """Logins that are begun and left."""

    async def test_rx06_a_flood_of_beginnings_keeps_no_more_than_the_limit(self) -> None:
        running = await self.start({"web": {"limits": {"maxPendingLogins": 3}}})
        first, browser = Browser(), Browser()
        page = await self.password_form(running, first)
        for _ in range(5):
            await self.password_form(running, browser)
        self.assertEqual(3, len(await every(running.storage, AUTH_REQUESTS)))
        typed = {"login": "jane@example.com", "password": "password"}
        self.assert_refused(await first.submit(page, page.form("password"), **typed), 400)
        last = await self.password_form(running, browser)
        self.assertIsInstance(await browser.submit(last, last.form("password"), **typed), AtClient)
