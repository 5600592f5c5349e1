"""Logging in against OpenLDAP: names, passwords, accounts, groups and refreshes."""

from __future__ import annotations

import json
import time

import attrs
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginRefused,
)
from dextwist.connectors.ldap.connector import LdapConnector
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.peers.directory_case import OnSlapd, settings
from tests.peers.slapd import ADMIN_PASSWORD, GROUPS, PEOPLE, SUFFIX, group, person, units

ODD = "Jörg (QA)*\\"
_OTHER = f"ou=Other,{PEOPLE}"
LDIF = "".join(
    [
        units(PEOPLE, GROUPS, _OTHER),
        person("jane", cn="Jane Doe"),
        person("jörg"),
        person(ODD),
        person("a(b)"),
        person("a,b+c=d;e"),
        person("twin"),
        person("twin", ou=_OTHER),
        person("locked"),
        person("nomail", mail=""),
        person("bytes", more="audio:: //79\n"),
        f"dn: cn=strict,{SUFFIX}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: strict\n"
        "pwdAttribute: userPassword\npwdMaxAge: 1\n\n",
        person("expired", more=f"pwdPolicySubentry: cn=strict,{SUFFIX}\npwdChangedTime: 20200101000000Z\n"),
        f"dn: cn=first,{SUFFIX}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: first\n"
        "pwdAttribute: userPassword\npwdMustChange: TRUE\n\n",
        person("reset", more=f"pwdPolicySubentry: cn=first,{SUFFIX}\npwdReset: TRUE\n"),
        group("admins", "jane"),
        group("inner", "jane"),
        group("ring1", f"cn=inner,{GROUPS}", f"cn=ring3,{GROUPS}"),
        group("ring2", f"cn=ring1,{GROUPS}"),
        group("ring3", f"cn=ring2,{GROUPS}"),
        group("comma, inc (ö)", "a,b+c=d;e", ODD),
        *(group(f"many{number:03}", "jörg") for number in range(120)),
        group("above-the-last", f"cn=many119,{GROUPS}"),
    ]
)


class LdapCase(OnSlapd):
    """People and groups of every kind."""

    ldif = LDIF

    async def using(self, **over: object) -> LdapConnector:
        return await self.connector(settings(self.server, over))

    async def accepted(self, connector: LdapConnector, username: str) -> Identity:
        found = await self.login(connector, username)
        assert found is not None, f"{username} was rejected"
        return found

    async def failure(self, connector: LdapConnector, username: str) -> str:
        """Why this login is an error."""
        with self.assertRaises(ConnectorError) as raised:
            await connector.login(ALL_SCOPES, username, "password")
        return str(raised.exception)

    async def reason(self, connector: LdapConnector, username: str, password: str) -> str:
        """Why it is rejected, by the log."""
        with capturedLogs() as events:
            self.assertIsNone(await connector.login(ALL_SCOPES, username, password))
        (event,) = [event for event in events if "not accepted" in event.get("log_format", "")]
        self.assertEqual((event["username"], event["connector_id"]), (username, "ldap"))
        return str(event["reason"])


class LoginTests(LdapCase):
    """Who somebody is, and whether it is them."""

    async def test_an_entry_becomes_an_identity(self) -> None:
        claims = (await self.accepted(await self.using(), "jane")).claims
        self.assertEqual(
            (claims.user_id, claims.username, claims.preferred_username, claims.email, claims.email_verified),
            ("jane", "Jane Doe", "jane", "jane@example.org", True),
        )

    async def test_claims_rules_get_what_was_read(self) -> None:
        connector = await self.using(
            userSearch={"extraAttrs": ["objectClass", "entryUUID", "title", "audio"]}
        )
        told = (await self.accepted(connector, "bytes")).upstream_claims
        self.assertEqual(told["uid"], "bytes")
        self.assertEqual(told["objectClass"], "inetOrgPerson")
        self.assertEqual((told["title"], told["audio"]), ([], []))
        self.assertEqual(len(told["entryUUID"]), 36)

    async def test_names_with_any_character_log_in(self) -> None:
        connector = await self.using()
        for name in ("jörg", "a(b)", ODD, "a,b+c=d;e"):
            self.assertEqual((await self.accepted(connector, name)).claims.preferred_username, name)

    async def test_ld01_filter_syntax_in_a_user_name_is_text(self) -> None:
        connector = await self.using()
        for name in (
            "*",
            "j*",
            "a*",
            ")(uid=*",
            "*)(objectClass=*",
            "admin)(&",
            "\\2a",
            "jane)(|(uid=*",
            "jane\0",
        ):
            self.assertEqual(await self.reason(connector, name, "password"), "there is no such user")
        self.assertIn('filter="(uid=\\2A)"', self.server.log())

    async def test_ld01_text_that_is_no_unicode_or_has_no_end_is_rejected(self) -> None:
        connector = await self.using()
        for name, password in (
            ("ja\udcff", "password"),
            ("jane", "\udcff"),
            ("j" * 5000, "x"),
            ("jane", "x" * 5000),
        ):
            self.assertIsNone(await connector.login(ALL_SCOPES, name, password))

    async def test_ld02_an_empty_password_is_rejected_without_a_word_to_the_server(self) -> None:
        connector = await self.using()
        self.assertIsNone(await connector.login(ALL_SCOPES, "jane", ""))
        self.assertNotIn("BIND", self.server.log())
        self.assertNotIn("SRCH", self.server.log())

    async def test_ld03_an_ambiguous_user_is_an_error(self) -> None:
        self.assertIn("ambiguous user name 'twin'", await self.failure(await self.using(), "twin"))

    async def test_a_filter_makes_an_ambiguous_user_clear(self) -> None:
        connector = await self.using(userSearch={"filter": "(ou:dn:=Other)"})
        await self.accepted(connector, "twin")

    async def test_scope_one_does_not_look_below(self) -> None:
        await self.accepted(await self.using(userSearch={"scope": "one"}), "twin")

    async def test_the_service_account_is_not_the_user(self) -> None:
        error = await self.failure(await self.using(bindPW="wrong"), "jane")
        self.assertIn("bind of the service account: result 49", error)

    async def test_a_search_can_be_anonymous(self) -> None:
        await self.accepted(await self.using(bindDN=None, bindPW=None), "jane")

    async def test_all_missing_attributes_are_named_in_one_error(self) -> None:
        connector = await self.using(userSearch={"preferredUsernameAttr": "title", "idAttr": "street"})
        error = await self.failure(connector, "nomail")
        self.assertIn(f"uid=nomail,{PEOPLE} lacks street, title, mail", error)

    async def test_attribute_names_have_no_letter_case(self) -> None:
        over = {"emailAttr": "MAIL", "idAttr": "UID", "nameAttr": "CN"}
        claims = (await self.accepted(await self.using(userSearch=over), "jane")).claims
        self.assertEqual((claims.email, claims.user_id), ("jane@example.org", "jane"))

    async def test_an_id_that_is_no_text_is_written_in_base64url(self) -> None:
        connector = await self.using(userSearch={"idAttr": "audio"})
        self.assertEqual((await self.accepted(connector, "bytes")).claims.user_id, "__79")

    async def test_a_name_that_is_no_text_counts_as_missing(self) -> None:
        connector = await self.using(userSearch={"nameAttr": "audio"})
        self.assertIn("lacks audio", await self.failure(connector, "bytes"))

    async def test_tb01_an_unknown_user_costs_a_bind_too(self) -> None:
        connector = await self.using()
        await connector.login(ALL_SCOPES, "jane", "wrong-password")
        known = await self.log_of(1)
        await connector.login(ALL_SCOPES, "nobody", "wrong-password")
        unknown = (await self.log_of(2))[len(known) :]
        for word, count in (("ACCEPT", 1), ('BIND dn="', 1), ('SRCH base="ou=People', 1), ("err=49", 1)):
            self.assertEqual(unknown.count(word), count, (word, unknown))
        self.assertIn('BIND dn="cn=', unknown)

    async def log_of(self, binds: int) -> str:
        """The server's, once it tells the results of so many binds as a person, and their ends.

        Its threads write when they come to it. The connections of the pool are not unbound.
        """
        until = time.monotonic() + 10
        while (log := self.server.log()) and time.monotonic() < until:
            if min(log.count("err=49"), log.count("UNBIND")) >= binds:
                break
            await deferLater(IReactorTime(reactor), 0.02, lambda: None)
        return log

    async def test_no_password_is_logged(self) -> None:
        connector = await self.using()
        with capturedLogs() as events:
            await connector.login(ALL_SCOPES, "jane", "mistyped-secret")
            await connector.login(ALL_SCOPES, "nobody", "mistyped-secret")
        told = [value for event in events for value in event.values() if isinstance(value, str)]
        self.assertIn("(uid=nobody)", told)
        self.assertEqual([text for text in told if "secret" in text or text == ADMIN_PASSWORD], [])


class AccountTests(LdapCase):
    """What a directory does not let in looks like a wrong password, and the log knows better."""

    async def test_reasons_are_in_the_log_alone(self) -> None:
        connector = await self.using()
        self.assertEqual(await self.reason(connector, "jane", "wrong"), "result 49")
        self.assertEqual(await self.reason(connector, "nobody", "wrong"), "there is no such user")

    async def test_a_locked_account_is_rejected(self) -> None:
        connector = await self.using()
        for _ in range(4):
            await self.reason(connector, "locked", "wrong")
        self.assertIn("the account is locked", await self.reason(connector, "locked", "password"))

    async def test_an_expired_password_is_rejected(self) -> None:
        self.assertIn("has expired", await self.reason(await self.using(), "expired", "password"))
        self.assertIn("changed first", await self.reason(await self.using(), "reset", "password"))

    async def test_an_expired_password_tells_what_to_do_where_the_operator_says_it(self) -> None:
        connector = await self.using(expiredPasswordMessage="Change it at the front desk.")
        for name in ("expired", "reset"):
            with self.assertRaises(LoginRefused) as raised:
                await connector.login(ALL_SCOPES, name, "password")
            self.assertEqual(raised.exception.message, "Change it at the front desk.")
            # Whoever only guesses learns nothing.
            self.assertEqual(await self.reason(connector, name, "wrong"), "result 49")


class GroupTests(LdapCase):
    """Which groups somebody has."""

    async def groups(self, username: str, **search: object) -> list[str]:
        connector = await self.using(groupSearch=search)
        return sorted((await self.accepted(connector, username)).claims.groups)

    async def test_groups_are_read_when_asked_for(self) -> None:
        connector = await self.using()
        self.assertEqual(sorted((await self.accepted(connector, "jane")).claims.groups), ["admins", "inner"])
        found = await connector.login(ConnectorScopes(), "jane", "password")
        assert found is not None
        self.assertEqual((found.claims.groups, found.connector_data), ((), b""))

    async def test_a_ring_of_three_is_climbed_once(self) -> None:
        matcher = {"userAttr": "DN", "groupAttr": "member", "recursionGroupAttr": "member"}
        found = await self.groups("jane", userMatchers=[matcher])
        self.assertEqual(found, ["admins", "inner", "ring1", "ring2", "ring3"])

    async def test_a_group_that_two_matchers_find_is_named_once_and_climbed_all_the_same(self) -> None:
        plain = {"userAttr": "DN", "groupAttr": "member"}
        found = await self.groups("jane", userMatchers=[plain, {**plain, "recursionGroupAttr": "member"}])
        self.assertEqual(found, ["admins", "inner", "ring1", "ring2", "ring3"])

    async def test_members_with_special_characters_are_found(self) -> None:
        for name in ("a,b+c=d;e", ODD):
            self.assertEqual(await self.groups(name), ["comma, inc (ö)"])

    async def test_a_base_that_does_not_exist_holds_no_groups(self) -> None:
        self.assertEqual(await self.groups("jane", baseDN=f"ou=Nowhere,{SUFFIX}"), [])

    async def test_a_base_of_users_that_does_not_exist_is_an_error(self) -> None:
        connector = await self.using(userSearch={"baseDN": f"ou=Nowhere,{SUFFIX}"})
        self.assertIn("search: result 32", await self.failure(connector, "jane"))

    async def test_no_base_means_no_groups(self) -> None:
        self.assertEqual(await self.groups("jane", baseDN=None), [])

    async def test_a_group_without_a_name_is_an_error(self) -> None:
        connector = await self.using(groupSearch={"nameAttr": "description"})
        self.assertIn("has no usable description", await self.failure(connector, "jane"))

    async def test_scope_one_does_not_look_below(self) -> None:
        self.assertEqual(await self.groups("jane", scope="one"), ["admins", "inner"])
        self.assertEqual(await self.groups("jane", scope="one", baseDN=SUFFIX), [])

    async def test_more_groups_than_are_asked_for_at_once_are_climbed(self) -> None:
        matcher = {"userAttr": "DN", "groupAttr": "member", "recursionGroupAttr": "member"}
        self.assertEqual(len(await self.groups("jörg", userMatchers=[matcher])), 121)

    async def test_a_filter_narrows(self) -> None:
        self.assertEqual(await self.groups("jane", filter="(cn=adm*)"), ["admins"])

    async def test_all_groups_are_read_in_spite_of_a_size_limit(self) -> None:
        server = self.slapd(LDIF, settings="sizelimit 50")
        over = {"bindDN": f"uid=jane,{PEOPLE}", "bindPW": "password"}
        connector = await self.connector(settings(server, over))
        self.assertEqual(len((await self.accepted(connector, "jörg")).claims.groups), 120)

    async def test_the_groups_that_a_person_names_are_found(self) -> None:
        # Written by the overlay memberof, for groups that come later.
        self.server.change(group("late, but (new)", "jane"))
        matcher = {"userAttr": "memberOf", "groupAttr": "entryDN"}
        self.assertEqual(await self.groups("jane", userMatchers=[matcher]), ["late, but (new)"])

    async def test_one_of_three_hundred_is_found_in_spite_of_a_size_limit(self) -> None:
        crowd = "".join(person(f"person{number}") for number in range(300))
        server = self.slapd(LDIF + crowd, settings="sizelimit 50")
        config = settings(server, {"bindDN": f"uid=jane,{PEOPLE}", "bindPW": "password"})
        await self.accepted(await self.connector(config), "person299")
        # The same limit on what finds several: whether there are two is not known, so nobody gets in.
        one_only = self.slapd(LDIF, settings="sizelimit 1")
        config = settings(one_only, {"bindDN": f"uid=jane,{PEOPLE}", "bindPW": "password"})
        self.assertIn("size limit", await self.failure(await self.connector(config), "twin"))

    async def test_pages_are_followed_to_the_end(self) -> None:
        connector = await self.using()
        in_small_pages = attrs.evolve(connector, directory=attrs.evolve(connector.directory, page_size=7))
        self.assertEqual(len((await self.accepted(in_small_pages, "jörg")).claims.groups), 120)


class RefreshTests(LdapCase):
    """A refresh token lives as long as the person's entry."""

    async def test_what_changed_is_read_again(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jane")
        self.server.change(
            f"dn: uid=jane,{PEOPLE}\nchangetype: modify\nreplace: cn\ncn: Jane Roe\n\n{group('late', 'jane')}"
        )
        after = await connector.refresh(ALL_SCOPES, before)
        self.assertEqual(after.claims.username, "Jane Roe")
        self.assertEqual(sorted(after.claims.groups), ["admins", "inner", "late"])
        self.assertEqual((await connector.refresh(ConnectorScopes(), before)).claims.groups, ())

    async def gone(self, connector: LdapConnector, identity: Identity) -> str:
        with self.assertRaises(IdentityGone) as raised:
            await connector.refresh(ALL_SCOPES, identity)
        return str(raised.exception)

    async def test_a_deleted_user_is_gone(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jane")
        self.server.change(f"dn: uid=jane,{PEOPLE}\nchangetype: delete\n")
        self.assertIn("no such user", await self.gone(connector, before))

    async def test_a_user_whom_the_filter_leaves_out_by_now_is_gone(self) -> None:
        connector = await self.using(userSearch={"filter": "(!(title=disabled))"})
        before = await self.accepted(connector, "jane")
        self.server.change(f"dn: uid=jane,{PEOPLE}\nchangetype: modify\nadd: title\ntitle: disabled\n")
        self.assertIn("no such user", await self.gone(connector, before))

    async def test_a_moved_user_is_gone(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jane")
        self.server.change(
            f"dn: uid=jane,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=jane\n"
            f"deleteoldrdn: 1\nnewsuperior: {_OTHER}\n"
        )
        self.assertIn("belongs to", await self.gone(connector, before))

    async def test_somebody_else_under_the_same_dn_is_not_the_person(self) -> None:
        connector = await self.using(userSearch={"idAttr": "entryUUID"})
        before = await self.accepted(connector, "jane")
        self.server.change(f"dn: uid=jane,{PEOPLE}\nchangetype: delete\n\n{person('jane')}")
        self.assertIn("another one now", await self.gone(connector, before))

    async def test_what_dex_kept_is_understood(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jörg")
        dn = f"uid=jörg,{PEOPLE}"
        for username in ("jörg", "j\\c3\\b6rg"):
            data = json.dumps({"username": username, "entry": {"DN": dn, "Attributes": []}}).encode()
            after = await connector.refresh(ALL_SCOPES, attrs.evolve(before, connector_data=data))
            self.assertEqual((after.claims.user_id, after.connector_data), ("jörg", data))

    async def test_a_dn_in_another_spelling_is_the_same(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jane")
        data = json.dumps({"username": "jane", "dn": f"UID = Jane , {PEOPLE.upper()}"}).encode()
        await connector.refresh(ALL_SCOPES, attrs.evolve(before, connector_data=data))

    async def test_what_cannot_be_read_ends_the_refresh(self) -> None:
        connector = await self.using()
        before = await self.accepted(connector, "jane")
        for data in (
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"username": 5, "dn": "x"}',
            b'{"username": "jane", "dn": 5}',
            b"\xff",
        ):
            self.assertIn(
                "cannot be read", await self.gone(connector, attrs.evolve(before, connector_data=data))
            )
