"""What people and applications see of a directory: pages, tokens, and nothing of other people's servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import FlowCase, Running
from tests.flows.relying_party import RelyingParty, claims_of
from tests.peers.directory_case import DirectoryCase, settings
from tests.peers.slapd import GROUPS, PEOPLE, SUFFIX, Slapd, group, person, units

ODD = "Jörg (QA)*\\"
_OTHER = f"ou=Other,{PEOPLE}"
LDIF = "".join(
    [
        units(PEOPLE, GROUPS, _OTHER),
        person("jane", cn="Jane Doe"),
        person(ODD),
        person("twin"),
        person("twin", ou=_OTHER),
        person("locked", more="pwdAccountLockedTime: 000001010000Z\n"),
        f"dn: cn=first,{SUFFIX}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: first\n"
        "pwdAttribute: userPassword\npwdMustChange: TRUE\n\n",
        person("reset", more=f"pwdPolicySubentry: cn=first,{SUFFIX}\npwdReset: TRUE\n"),
        group("admins", "jane", ODD),
    ]
)


class LdapPagesCase(FlowCase, DirectoryCase):
    """A daemon in front of directories."""

    timeout = 60

    def entry(
        self, server: Slapd, name: str = "corp", over: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A connector of the daemon's configuration."""
        return {"type": "ldap", "id": name, "name": name, "config": settings(server, over)}

    def setUp(self) -> None:
        self.server = self.slapd(LDIF)

    async def attempt(
        self, running: Running, username: str, password: str = "password", connector_id: str = "corp"
    ) -> Page | AtClient:
        """Where the form leads."""
        browser = Browser()
        form = await browser.visit(RelyingParty(running=running).authorize_url(f"/auth/{connector_id}"))
        assert isinstance(form, Page), form
        return await browser.submit(form, form.form("password"), login=username, password=password)

    async def page(self, running: Running, username: str, password: str = "password") -> Page:
        """Where it leads whoever does not get in."""
        end = await self.attempt(running, username, password)
        assert isinstance(end, Page), end
        return end

    async def tokens(self, running: Running, username: str) -> dict[str, Any]:
        end = await self.attempt(running, username)
        assert isinstance(end, AtClient), f"{end.status}: {end.text}"
        status, answer = await RelyingParty(running=running).redeem(end.params["code"])
        self.assertEqual(status, 200, answer)
        return answer


class PersonTests(LdapPagesCase):
    """From the form to the tokens."""

    async def test_a_name_of_odd_characters_gets_its_tokens(self) -> None:
        running = await self.start({"connectors": [self.entry(self.server)]})
        claims = claims_of((await self.tokens(running, ODD))["id_token"])
        self.assertEqual((claims["preferred_username"], claims["groups"]), (ODD, ["admins"]))

    async def test_ld03_an_ambiguous_name_is_an_error_whose_reason_is_in_the_log_alone(self) -> None:
        running = await self.start({"connectors": [self.entry(self.server)]})
        with capturedLogs() as events:
            page = await self.page(running, "twin")
        self.assertEqual(page.status, 500)
        self.assertNotIn("ambiguous", page.text)
        told = [text for event in events for text in event.values() if "ambiguous user name" in str(text)]
        self.assertTrue(told)

    async def test_tb02_whoever_is_not_let_in_sees_the_same_page(self) -> None:
        running = await self.start({"connectors": [self.entry(self.server)]})
        names = {"jane": "a-wrong-word", "nobody": "password", "locked": "password", "reset": "password"}
        pages = {name: await self.page(running, name, password) for name, password in names.items()}
        self.assertEqual({(page.status, page.text) for page in pages.values()}, {(401, pages["jane"].text)})
        self.assertIn("password", pages["jane"].text)

    async def test_an_expired_password_says_what_the_operator_wants_it_to(self) -> None:
        advice = {"expiredPasswordMessage": "Change it at the front desk."}
        running = await self.start({"connectors": [self.entry(self.server, over=advice)]})
        page = await self.page(running, "reset")
        self.assertEqual(page.status, 403)
        self.assertIn("Change it at the front desk.", page.text)
        self.assertEqual((await self.page(running, "reset", "a-wrong-word")).status, 401)

    async def test_a_refresh_token_ends_with_the_person(self) -> None:
        running = await self.start({"connectors": [self.entry(self.server)]})
        app, tokens = RelyingParty(running=running), await self.tokens(running, "jane")
        status, tokens = await app.refresh(tokens["refresh_token"])
        self.assertEqual((status, claims_of(tokens["id_token"])["groups"]), (200, ["admins"]))
        self.server.change(f"dn: uid=jane,{PEOPLE}\nchangetype: delete\n")
        status, answer = await app.refresh(tokens["refresh_token"])
        self.assertEqual((status, answer["error"]), (400, "invalid_grant"))


class HangingTests(LdapPagesCase):
    """A server that hangs harms nobody but its own users."""

    async def test_rl09_nobody_else_waits(self) -> None:
        hanging = self.slapd(LDIF)
        connectors = [self.entry(self.server), self.entry(hanging, "hanging")]
        running = await self.start({"connectors": connectors})
        before = await self.tokens(running, "jane")
        hanging.pause()
        stuck = [
            Deferred.fromCoroutine(self.attempt(running, "jane", connector_id="hanging")) for _ in range(20)
        ]
        for _ in range(3):
            await self.tokens(running, "jane")
        local = await self.attempt(running, "jane@example.com", connector_id="local")
        self.assertIsInstance(local, AtClient)
        status, _ = await RelyingParty(running=running).refresh(before["refresh_token"])
        self.assertEqual(status, 200)
        # All of that while nobody had an answer there.
        for each in stuck:
            self.assertNoResult(each)
        hanging.resume()
        for each in stuck:
            self.assertIsInstance(await each, AtClient)

    async def test_rl09_its_own_users_get_a_504(self) -> None:
        limits = {"connectTimeout": "1s", "operationTimeout": "1s"}
        running = await self.start({"connectors": [self.entry(self.server, over=limits)]})
        tokens = await self.tokens(running, "jane")
        self.server.pause()
        self.assertEqual((await self.page(running, "jane")).status, 504)
        status, _ = await RelyingParty(running=running).refresh(tokens["refresh_token"])
        self.assertGreaterEqual(status, 500)
        self.server.resume()
        # The refresh token has outlived it.
        status, _ = await RelyingParty(running=running).refresh(tokens["refresh_token"])
        self.assertEqual(status, 200)
