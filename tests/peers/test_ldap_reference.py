"""What dex's own tests say of its LDAP connector, on the same directory, against OpenLDAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.flows.daemon import merged
from tests.peers.directory_case import OnSlapd
from tests.peers.slapd import ADMIN, ADMIN_PASSWORD, DATA, SUFFIX

_SEATTLE = "(ou:dn:=Seattle)"


def in_tree(tree: str, over: Mapping[str, Any] | None = None, groups: Mapping[str, Any] | None = None) -> Any:
    """The settings that these tests share; every tree has its own test."""
    base: dict[str, Any] = {
        "insecureNoSSL": True,
        "bindDN": ADMIN,
        "bindPW": ADMIN_PASSWORD,
        "userSearch": {
            "baseDN": f"ou=People,ou={tree},{SUFFIX}",
            "nameAttr": "cn",
            "emailAttr": "mail",
            "idAttr": "DN",
            "username": "cn",
        },
    }
    if groups is not None:
        base["groupSearch"] = {"baseDN": f"ou=Groups,ou={tree},{SUFFIX}", "nameAttr": "cn", **groups}
    return merged(base, {"userSearch": over or {}})


def matching(*matchers: tuple[str, str], **more: str) -> dict[str, Any]:
    return {"userMatchers": [{"userAttr": user, "groupAttr": group, **more} for user, group in matchers]}


class ReferenceTests(OnSlapd):
    """One test a subtree."""

    ldif = (DATA / "schema.ldif").read_text()

    async def attempt(self, config: Any, username: str, password: str) -> Any:
        connector = await self.connector(config | {"host": f"127.0.0.1:{self.server.port}"})
        return await self.login(connector, username, password)

    async def expect(
        self, config: Any, username: str, password: str, dn: str, email: str, groups: Sequence[str] = ()
    ) -> tuple[str, ...]:
        found = await self.attempt(config, username, password)
        assert found is not None, "rejected"
        claims = found.claims
        self.assertEqual((claims.user_id, claims.email), (f"{dn},{SUFFIX}", email))
        self.assertEqual(claims.username, dn.partition("=")[2].partition(",")[0])
        self.assertTrue(claims.email_verified)
        self.assertEqual(sorted(claims.groups), sorted(groups))
        given: tuple[str, ...] = claims.groups
        return given

    async def test_query(self) -> None:
        config = in_tree("TestQuery")
        await self.expect(config, "jane", "foo", "cn=jane,ou=People,ou=TestQuery", "janedoe@example.com")
        await self.expect(config, "john", "bar", "cn=john,ou=People,ou=TestQuery", "johndoe@example.com")
        for username, password in (
            ("jane", "badpassword"),
            ("idontexist", "foo"),
            ("a*", "foo"),
            ("john", "*"),
        ):
            self.assertIsNone(await self.attempt(config, username, password))

    async def test_email_suffix(self) -> None:
        over = {"emailSuffix": "test.example.com", "emailAttr": None}
        config, people = in_tree("TestQueryWithEmailSuffix", over), "ou=People,ou=TestQueryWithEmailSuffix"
        await self.expect(config, "jane", "foo", f"cn=jane,{people}", "jane@test.example.com")
        await self.expect(config, "john", "bar", f"cn=john,{people}", "john@test.example.com")

    async def test_user_filter(self) -> None:
        over = {"baseDN": f"ou=TestUserFilter,{SUFFIX}", "filter": _SEATTLE}
        config, people = in_tree("TestUserFilter", over), "ou=People,ou=Seattle,ou=TestUserFilter"
        await self.expect(config, "jane", "foo", f"cn=jane,{people}", "janedoe@example.com")
        await self.expect(config, "john", "bar", f"cn=john,{people}", "johndoe@example.com")
        for username, password in (("jane", "badpassword"), ("idontexist", "foo")):
            self.assertIsNone(await self.attempt(config, username, password))

    async def test_username_with_multiple_attributes(self) -> None:
        tree = "TestUsernameWithMultipleAttributes"
        over = {"baseDN": f"ou={tree},{SUFFIX}", "filter": _SEATTLE, "username": ["cn", "mail"]}
        for typed in ("jane", "janedoe@example.com"):
            await self.expect(
                in_tree(tree, over),
                typed,
                "foo",
                f"cn=jane,ou=People,ou=Seattle,ou={tree}",
                "janedoe@example.com",
            )

    async def check_groups(self, config: Any, tree: str, janes: Sequence[str], johns: Sequence[str]) -> None:
        people = f"ou=People,ou={tree}"
        await self.expect(config, "jane", "foo", f"cn=jane,{people}", "janedoe@example.com", janes)
        await self.expect(config, "john", "bar", f"cn=john,{people}", "johndoe@example.com", johns)

    async def test_group_query(self) -> None:
        config = in_tree("TestGroupQuery", groups=matching(("DN", "member")))
        await self.check_groups(config, "TestGroupQuery", ["admins", "developers"], ["admins"])

    async def test_groups_on_user_entity(self) -> None:
        config = in_tree("TestGroupsOnUserEntity", groups=matching(("departmentNumber", "gidNumber")))
        await self.check_groups(
            config, "TestGroupsOnUserEntity", ["admins", "developers"], ["admins", "designers"]
        )

    async def test_group_filter(self) -> None:
        tree = "TestGroupFilter"
        groups = {"baseDN": f"ou={tree},{SUFFIX}", "filter": _SEATTLE, **matching(("dn", "member"))}
        await self.check_groups(in_tree(tree, groups=groups), tree, ["admins", "developers"], ["admins"])

    async def test_group_to_user_matchers(self) -> None:
        tree = "TestGroupToUserMatchers"
        groups = {
            "baseDN": f"ou={tree},{SUFFIX}",
            "filter": "(|(objectClass=posixGroup)(objectClass=groupOfNames))",
            **matching(("DN", "member"), ("uid", "memberUid")),
        }
        await self.check_groups(
            in_tree(tree, groups=groups),
            tree,
            ["admins", "developers", "frontend"],
            ["admins", "qa", "logger"],
        )

    async def test_deprecated_group_to_user_matcher(self) -> None:
        tree = "TestDeprecatedGroupToUserMatcher"
        groups = {
            "baseDN": f"ou={tree},{SUFFIX}",
            "filter": _SEATTLE,
            "userAttr": "DN",
            "groupAttr": "member",
        }
        await self.check_groups(in_tree(tree, groups=groups), tree, ["admins", "developers"], ["admins"])

    async def test_start_tls_ldaps_and_insecure_skip_verify(self) -> None:
        authority, certificate, key = (DATA / "certs" / name for name in ("ca.crt", "ldap.crt", "ldap.key"))
        server = self.slapd(self.ldif, tls=(certificate, key, authority))
        plain, tls = f"localhost:{server.port}", f"localhost:{server.tls_port}"
        for tree, over in (
            ("TestStartTLS", {"host": plain, "startTLS": True, "rootCA": str(authority)}),
            ("TestLDAPS", {"host": tls, "rootCA": str(authority)}),
            ("TestInsecureSkipVerify", {"host": tls, "insecureSkipVerify": True}),
        ):
            connector = await self.connector(merged(in_tree(tree), {"insecureNoSSL": None, **over}))
            found = await self.login(connector, "jane", "foo")
            assert found is not None, tree
            self.assertEqual(found.claims.user_id, f"cn=jane,ou=People,ou={tree},{SUFFIX}")
            self.assertEqual((found.claims.username, found.claims.email), ("jane", "janedoe@example.com"))

    async def test_nested_groups(self) -> None:
        config = in_tree("TestNestedGroups", groups=matching(("DN", "member"), recursionGroupAttr="member"))
        people, rings = "ou=People,ou=TestNestedGroups", ["circularGroup1", "circularGroup2"]
        janes = ["childGroup", *rings, "intermediateGroup", "parentGroup"]
        given = await self.expect(config, "jane", "foo", f"cn=jane,{people}", "janedoe@example.com", janes)
        self.assertLess(given.index("childGroup"), given.index("intermediateGroup"))
        self.assertLess(given.index("intermediateGroup"), given.index("parentGroup"))
        johns = [*rings, "intermediateGroup", "parentGroup"]
        await self.expect(config, "john", "bar", f"cn=john,{people}", "johndoe@example.com", johns)


class ExampleTests(OnSlapd):
    """The small directory of dex's documentation."""

    ldif = (DATA / "config-ldap.ldif").read_text()

    async def test_people_log_in_by_mail(self) -> None:
        config = {
            "host": f"127.0.0.1:{self.server.port}",
            "insecureNoSSL": True,
            "bindDN": ADMIN,
            "bindPW": ADMIN_PASSWORD,
            "usernamePrompt": "Email Address",
            "userSearch": {
                "baseDN": f"ou=People,{SUFFIX}",
                "filter": "(objectClass=person)",
                "username": "mail",
                "idAttr": "DN",
                "emailAttr": "mail",
                "nameAttr": "cn",
            },
            "groupSearch": {
                "baseDN": f"ou=Groups,{SUFFIX}",
                "filter": "(objectClass=groupOfNames)",
                "userMatchers": [{"userAttr": "DN", "groupAttr": "member"}],
                "nameAttr": "cn",
            },
        }
        connector = await self.connector(config)
        self.assertEqual(connector.prompt, "Email Address")
        jane = await self.login(connector, "janedoe@example.com", "foo")
        john = await self.login(connector, "johndoe@example.com", "bar")
        assert jane is not None
        assert john is not None
        self.assertEqual(sorted(jane.claims.groups), ["admins", "developers"])
        self.assertEqual(john.claims.groups, ("admins",))
