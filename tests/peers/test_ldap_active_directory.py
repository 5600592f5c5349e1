"""What is special to Active Directory, against Samba."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from twisted.logger import capturedLogs

from dextwist.connectors.interface import ConnectorError, Identity, IdentityGone
from dextwist.connectors.ldap.connector import LdapConnector
from tests.connectors.ldap.opening import ALL_SCOPES, ConnectorCase
from tests.flows.daemon import merged
from tests.peers.samba import (
    ADMIN,
    ADMIN_PASSWORD,
    PASSWORD,
    STAFF,
    SUFFIX,
    TEAMS,
    Samba,
    missing_samba,
    team,
    user,
)
from tests.peers.slapd import units

_LONG_AGO = "132000000000000000"
_IN_CHAIN = "1.2.840.113556.1.4.1941"
_COMMA = "Doe, John (ext)*"
LDIF = "".join(
    [
        units(STAFF, TEAMS),
        user("jane", cn="Jane Roe"),
        user("jörg"),
        user("john", cn=_COMMA),
        user("off", control=0x10202),
        user("late", more=f"accountExpires: {_LONG_AGO}\n"),
        user("fresh", control=0x200, more="pwdLastSet: 0\n"),
        user("twin"),
        user("other").replace("mail: other@example.org", "mail: twin"),
        team("inner", f"CN=Jane Roe,{STAFF}", f"CN=Doe\\, John (ext)*,{STAFF}"),
        team("middle", f"CN=inner,{TEAMS}"),
        team("outer, all", f"CN=middle,{TEAMS}"),
        f"dn: CN=inner,{TEAMS}\nchangetype: modify\nadd: member\nmember: CN=outer\\, all,{TEAMS}\n-\n\n",
    ]
)
_SETTINGS = {
    "host": "127.0.0.1",
    "insecureNoSSL": True,
    "bindDN": ADMIN,
    "bindPW": ADMIN_PASSWORD,
    "userSearch": {
        "baseDN": SUFFIX,
        "filter": "(objectClass=user)",
        "username": ["sAMAccountName", "userPrincipalName"],
        "idAttr": "objectGUID",
        "nameAttr": "displayName",
        "preferredUsernameAttr": "sAMAccountName",
    },
    "groupSearch": {
        "baseDN": SUFFIX,
        "filter": "(objectClass=group)",
        "nameAttr": "cn",
        "userMatchers": [{"userAttr": "DN", "groupAttr": "member"}],
    },
}


def matching(**matcher: str) -> dict[str, Any]:
    return {"groupSearch": {"userMatchers": [{"userAttr": "DN", **matcher}]}}


class ActiveDirectoryTests(ConnectorCase):
    """Few tests, each of many things: a domain controller takes its time."""

    timeout = 240
    if missing := missing_samba():
        skip = missing

    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.server = Samba(folder)
        self.addCleanup(self.server.stop)
        self.server.start()
        self.server.change(LDIF)

    async def using(self, **over: object) -> LdapConnector:
        return await self.connector(merged(_SETTINGS, over))

    async def accepted(self, connector: LdapConnector, username: str) -> Identity:
        found = await connector.login(ALL_SCOPES, username, PASSWORD)
        assert found is not None, f"{username} was rejected"
        return found

    async def reason(self, connector: LdapConnector, username: str, password: str = PASSWORD) -> str:
        with capturedLogs() as events:
            self.assertIsNone(await connector.login(ALL_SCOPES, username, password))
        return " ".join(str(event.get("reason")) for event in events)

    async def test_names_ids_and_bind_names(self) -> None:
        connector = await self.using()
        found = [await self.accepted(connector, name) for name in ("jane", "JANE", "Jane@AD.local")]
        self.assertEqual(len({each.claims.user_id for each in found}), 1)
        self.assertEqual(str(uuid.UUID(found[0].claims.user_id)), found[0].claims.user_id)
        self.assertEqual((await self.accepted(connector, "jörg")).claims.preferred_username, "jörg")
        self.assertEqual((await self.accepted(connector, "john")).claims.username, _COMMA)
        for bind_dn in (f"CN=Administrator,CN=Users,{SUFFIX}", "ADL\\administrator"):
            await self.accepted(await self.using(bindDN=bind_dn), "jane")
        sid = await self.accepted(await self.using(userSearch={"idAttr": "objectSid"}), "jane")
        self.assertRegex(sid.claims.user_id, r"\AS-1-5-21(-\d+){4}\Z")
        self.assertIn("there is no such user", await self.reason(connector, "nobody"))
        by_mail = await self.using(userSearch={"username": ["sAMAccountName", "mail"]})
        with self.assertRaises(ConnectorError):
            await by_mail.login(ALL_SCOPES, "twin", PASSWORD)

    async def test_accounts_that_may_not_log_in_are_rejected_and_the_log_knows_why(self) -> None:
        connector = await self.using(expiredPasswordMessage="Ask the front desk.")
        for name, words in (("off", "disabled"), ("late", "account has expired")):
            self.assertIn(words, await self.reason(connector, name))
        self.assertIn("the password is wrong", await self.reason(connector, "jane", "wrong"))
        # Whether a new password is needed is said to those who know the old one.
        self.assertNotIn("changed first", await self.reason(connector, "fresh", "wrong"))
        self.assertIn("changed first", await self.reason(await self.using(), "fresh"))
        self.server.change(
            f"dn: {SUFFIX}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 2\n"
        )
        for _ in range(2):
            await self.reason(connector, "jane", "wrong")
        self.assertIn("the account is locked", await self.reason(connector, "jane"))

    async def test_groups_within_groups_by_the_servers_rule_and_by_climbing(self) -> None:
        for name in ("jane", "john"):
            direct = await self.accepted(await self.using(), name)
            self.assertEqual(direct.claims.groups, ("inner",))
            for matcher in (
                {"groupAttr": f"member:{_IN_CHAIN}:"},
                {"groupAttr": "member", "recursionGroupAttr": "member"},
            ):
                found = await self.accepted(await self.using(**matching(**matcher)), name)
                self.assertEqual(sorted(found.claims.groups), ["inner", "middle", "outer, all"])

    async def test_values_that_come_piece_by_piece_are_put_together(self) -> None:
        self.server.change("".join(team(f"many{number}", f"CN=jörg,{STAFF}") for number in range(7)))
        # Asked for a piece and the whole, Samba gives the piece, as Windows does with long attributes.
        connector = await self.using(
            userSearch={"extraAttrs": ["memberOf;range=0-2"]},
            groupSearch={"userMatchers": [{"userAttr": "memberOf", "groupAttr": "distinguishedName"}]},
        )
        found = await self.accepted(connector, "jörg")
        self.assertEqual(sorted(found.claims.groups), [f"many{number}" for number in range(7)])

    async def test_a_refresh_ends_with_the_account(self) -> None:
        not_disabled = "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
        connector = await self.using(userSearch={"filter": not_disabled})
        before = await self.accepted(connector, "jane")
        after = await connector.refresh(ALL_SCOPES, before)
        self.assertEqual(after.claims, before.claims)
        dn = f"CN=Jane Roe,{STAFF}"
        self.server.change(
            f"dn: {dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 66050\n-\n"
        )
        with self.assertRaises(IdentityGone):
            await connector.refresh(ALL_SCOPES, before)
        self.server.change(f"dn: {dn}\nchangetype: delete\n\n{user('jane', cn='Jane Roe')}")
        with self.assertRaises(IdentityGone) as raised:
            await connector.refresh(ALL_SCOPES, before)
        self.assertIn("another one now", str(raised.exception))
