"""Servers that answer wrongly, late or not at all: which one is asked next, and how a login ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from ldaptor.protocols import pureldap
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from dextwist.connectors.interface import ConnectorError, Identity, Overloaded
from dextwist.connectors.ldap.connector import LdapConnector
from dextwist.connectors.ldap.directory import MOST_GROUPS, MOST_LEVELS
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.connectors.ldap.scripted import Said, ScriptedCase, ScriptedServer, accepted, found
from tests.upstreams.network import CountedCalls

_BIND, _SEARCH = pureldap.LDAPBindRequest, pureldap.LDAPSearchRequest
_JANE = (b"uid=jane,dc=x", {"uid": [b"jane"], "mail": [b"jane@x"]})
#: for servers that do not answer.
_SOON: dict[str, Any] = {"connectTimeout": "1s", "operationTimeout": "1s"}
_DIRECT = {"userAttr": "DN", "groupAttr": "member"}
_CLIMBING = {**_DIRECT, "recursionGroupAttr": "member"}


def nothing(request: Any) -> Said:
    return ()


def garbage(request: Any) -> Said:
    return b"HTTP/1.1 400 Bad Request\r\n"


def bound(code: int) -> Callable[[Any], Said]:
    return lambda request: accepted(code)


def ended(code: int) -> Callable[[Any], Said]:
    return lambda request: found(code=code)


def jane_is_found(request: Any) -> Said:
    return found(_JANE)


def group(unique: str, name: str = "") -> tuple[bytes, dict[str, list[bytes]]]:
    """An entry."""
    return f"cn={unique},ou=g".encode(), {"cn": [(name or unique).encode()]}


class FaultyCase(ScriptedCase):
    """A directory of some servers."""

    async def using(
        self, *servers: ScriptedServer, metrics: CountedCalls | None = None, **over: Any
    ) -> LdapConnector:
        config = {
            "hosts": [server.host for server in servers],
            "insecureNoSSL": True,
            "userSearch": {"baseDN": "dc=x", "username": "uid"},
            **over,
        }
        return await self.connector(config, metrics)

    def login(self, connector: LdapConnector) -> Deferred[Identity | None]:
        return Deferred.fromCoroutine(connector.login(ALL_SCOPES, "jane", "password"))

    async def error(self, connector: LdapConnector) -> ConnectorError:
        with self.assertRaises(ConnectorError) as raised:
            await self.login(connector)
        error: ConnectorError = raised.exception
        return error


class NextHostTests(FaultyCase):
    """What has the next host asked, and what does not."""

    async def test_rl12_a_host_that_gives_no_answer_is_left_for_the_next(self) -> None:
        good = await self.serve({_SEARCH: jane_is_found})
        for answers in (
            {_BIND: bound(51)},
            {_BIND: bound(52)},
            {_BIND: nothing},
            {_SEARCH: ended(51)},
            {_SEARCH: ended(52)},
            {_SEARCH: nothing},
            {_SEARCH: garbage},
        ):
            faulty, calls = await self.serve(answers), CountedCalls()
            self.assertIsNotNone(await self.login(await self.using(faulty, good, metrics=calls, **_SOON)))
            self.assertEqual(calls.calls, [(faulty.host, "error"), (good.host, "ok"), (good.host, "ok")])
            self.assertTrue(faulty.asked)

    async def test_a_refusal_is_an_answer_and_nobody_else_is_asked(self) -> None:
        good = await self.serve({_SEARCH: jane_is_found})
        for answers, words in (
            ({_BIND: bound(49)}, "bind of the service account: result 49"),
            ({_SEARCH: ended(32)}, "search: result 32"),
            ({_SEARCH: ended(50)}, "search: result 50"),
            ({_SEARCH: ended(4)}, "size limit"),
        ):
            refusing = await self.serve(answers)
            error = await self.error(await self.using(refusing, good))
            self.assertIn(words, str(error))
            self.assertEqual((error.unreachable, error.timed_out), (False, False))
        self.assertEqual(good.asked, [])

    async def test_where_all_fail_the_last_one_says_why(self) -> None:
        garbled, silent = await self.serve({_SEARCH: garbage}), await self.serve({_SEARCH: nothing})
        self.assertTrue((await self.error(await self.using(silent, garbled, **_SOON))).unreachable)
        self.assertTrue((await self.error(await self.using(garbled, silent, **_SOON))).timed_out)


class PersonTests(FaultyCase):
    """The bind as the person, and what stands before it."""

    async def test_a_bind_that_fails_for_another_reason_than_the_password_is_an_error(self) -> None:
        def refusing_jane(request: Any) -> Said:
            return accepted(80 if request.dn else 0)

        connector = await self.using(await self.serve({_SEARCH: jane_is_found, _BIND: refusing_jane}))
        self.assertIn("bind as uid=jane,dc=x: result 80", str(await self.error(connector)))

    async def test_tb01_an_unknown_user_costs_the_same_operations(self) -> None:
        def refusing_people(request: Any) -> Said:
            return accepted(49 if request.dn else 0)

        operations = []
        for search in (jane_is_found, ended(0)):
            server = await self.serve({_SEARCH: search, _BIND: refusing_people})
            self.assertIsNone(await self.login(await self.using(server)))
            operations.append(server.binds_and_searches())
        known, unknown = operations
        self.assertEqual([type(each) for each in known], [_BIND, _SEARCH, _BIND])
        self.assertEqual([type(each) for each in unknown], [_BIND, _SEARCH, _BIND])
        # Another password, and one that is as long.
        self.assertNotEqual(unknown[-1].auth, b"password")
        self.assertEqual(len(unknown[-1].auth), len(b"password"))

    async def test_whoever_comes_when_too_many_wait_is_told_so_at_once(self) -> None:
        server = await self.serve({_BIND: nothing})
        connector = await self.using(server, maxConnections=1, loginTimeout="500ms")
        waiting = [self.login(connector) for _ in range(1 + connector.directory.pool.limits.queue)]
        self.failureResultOf(self.login(connector), Overloaded)
        for each in waiting:
            with self.assertRaises(ConnectorError):
                await each


class GroupsTests(FaultyCase):
    """Groups of one name, and lists and levels without end."""

    async def grouped(
        self, groups: Callable[[Any], Said], matcher: Mapping[str, str] = _DIRECT
    ) -> LdapConnector:
        def search(request: Any) -> Said:
            return groups(request) if request.baseObject == b"ou=g" else found(_JANE)

        group_search = {"baseDN": "ou=g", "nameAttr": "cn", "userMatchers": [matcher]}
        return await self.using(await self.serve({_SEARCH: search}), groupSearch=group_search)

    async def test_a_ladder_of_groups_without_end_is_an_error(self) -> None:
        numbers = count()

        def one_more(request: Any) -> Said:
            return found(group(f"g{next(numbers)}"))

        connector = await self.grouped(one_more, _CLIMBING)
        self.assertIn(f"more than {MOST_LEVELS} levels", str(await self.error(connector)))

    async def test_too_many_groups_are_an_error(self) -> None:
        many = found(*(group(f"g{number}") for number in range(MOST_GROUPS + 1)))
        connector = await self.grouped(lambda request: many)
        self.assertIn(f"more than {MOST_GROUPS} groups", str(await self.error(connector)))

    async def test_groups_of_one_name_are_named_once_and_all_climbed(self) -> None:
        parents = {
            _JANE[0]: [group("one", "staff"), group("two", "staff")],
            group("one")[0]: [group("three")],
            group("two")[0]: [group("four")],
        }

        def above(request: Any) -> Said:
            matches = getattr(request.filter, "data", None) or [request.filter]
            members = [match.assertionValue.value for match in matches]
            return found(*(parent for member in members for parent in parents.get(member, [])))

        identity = await self.login(await self.grouped(above, _CLIMBING))
        assert identity is not None
        self.assertEqual(identity.claims.groups, ("staff", "three", "four"))


class ReferralTests(FaultyCase):
    """Other servers that are named are not asked."""

    async def test_a_referral_is_an_error(self) -> None:
        connector = await self.using(await self.serve({_SEARCH: ended(10)}))
        self.assertIn("search: result 10", str(await self.error(connector)))

    async def test_a_reference_is_told_once(self) -> None:
        def referring(request: Any) -> Said:
            other = pureldap.LDAPSearchResultReference([pureldap.LDAPString(b"ldap://127.0.0.1:9/dc=x")])
            return [other, *found(_JANE)]

        connector = await self.using(await self.serve({_SEARCH: referring}))
        with capturedLogs() as events:
            for _ in range(2):
                self.assertIsNotNone(await self.login(connector))
        told = [event for event in events if "refers to other servers" in event.get("log_format", "")]
        self.assertEqual(len(told), 1)
