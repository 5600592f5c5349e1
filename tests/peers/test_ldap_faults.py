"""Servers of a directory that stop, hang and come back, and crowds (RL-09, RL-12)."""

from __future__ import annotations

import time

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from dextwist.connectors.interface import ConnectorError, Identity
from dextwist.connectors.ldap.connector import LdapConnector
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.peers.directory_case import DirectoryCase, settings
from tests.peers.slapd import PEOPLE, Slapd, person, units
from tests.upstreams.network import CountedCalls

LDIF = units(PEOPLE, "ou=Groups,dc=example,dc=org") + "".join(person(f"user{n}") for n in range(50))


class FaultTests(DirectoryCase):
    """What servers do, and what becomes of logins."""

    def started(self, connector: LdapConnector, number: int = 0) -> Deferred[Identity | None]:
        return Deferred.fromCoroutine(connector.login(ALL_SCOPES, f"user{number}", "password"))

    async def assert_accepted(self, connector: LdapConnector) -> None:
        self.assertIsNotNone(await self.started(connector))

    async def error(self, connector: LdapConnector) -> ConnectorError:
        with self.assertRaises(ConnectorError) as raised:
            await self.started(connector)
        error: ConnectorError = raised.exception
        return error

    async def assert_connections(self, server: Slapd, most: int) -> None:
        """That no more are open, once the goodbyes have arrived."""
        until = time.monotonic() + 10
        while server.connections() > most and time.monotonic() < until:
            await deferLater(IReactorTime(reactor), 0.02, lambda: None)
        self.assertLessEqual(server.connections(), most)

    def hosts(self, *servers: Slapd) -> dict[str, object]:
        listed = [f"127.0.0.1:{server.port}" for server in servers]
        return settings(servers[0], {"host": None, "hosts": listed, "connectTimeout": "1s"})

    async def test_a_server_that_is_down_is_unreachable_and_needs_no_restart_when_it_is_back(self) -> None:
        server = self.slapd(LDIF)
        connector = await self.connector(settings(server))
        await self.assert_accepted(connector)
        server.stop()
        error = await self.error(connector)
        self.assertEqual((error.unreachable, error.timed_out), (True, False))
        server.start()
        await self.assert_accepted(connector)

    async def test_rl09_a_server_that_hangs_is_a_timeout(self) -> None:
        server = self.slapd(LDIF)
        limits = {"connectTimeout": "300ms", "operationTimeout": "300ms", "loginTimeout": "2s"}
        connector = await self.connector(settings(server, limits))
        await self.assert_accepted(connector)
        server.pause()
        for _ in range(2):  # over a connection that was kept, and over a new one
            error = await self.error(connector)
            self.assertEqual((error.unreachable, error.timed_out), (False, True))
        server.resume()
        await self.assert_accepted(connector)

    async def test_a_login_takes_no_longer_than_it_may(self) -> None:
        server = self.slapd(LDIF)
        server.pause()
        connector = await self.connector(settings(server, {"loginTimeout": "200ms"}))
        began = time.monotonic()
        self.assertTrue((await self.error(connector)).timed_out)
        self.assertLess(time.monotonic() - began, 5)
        server.resume()

    async def test_rl12_the_next_host_is_asked_and_the_first_one_again_later(self) -> None:
        one, two = self.slapd(LDIF), self.slapd(LDIF)
        calls = CountedCalls()
        connector = await self.connector(self.hosts(one, two), calls)
        first, second = f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"
        await self.assert_accepted(connector)
        self.assertEqual({host for host, _ in calls.calls}, {first})
        one.stop()
        await self.assert_accepted(connector)
        self.assertIn((first, "error"), calls.calls)
        self.assertEqual(calls.calls[-1], (second, "ok"))
        calls.calls.clear()
        await self.assert_accepted(connector)  # the first is passed over for a while
        self.assertEqual({host for host, _ in calls.calls}, {second})
        one.start()
        two.stop()
        await self.assert_accepted(connector)  # though not when nobody else is there
        self.assertEqual(calls.calls[-1], (first, "ok"))

    async def test_rl12_logins_under_way_go_on_at_the_next_host(self) -> None:
        one, two = self.slapd(LDIF), self.slapd(LDIF)
        connector = await self.connector(self.hosts(one, two))
        logins = [self.started(connector, number) for number in range(50)]
        await logins[0]
        self.assertNoResult(logins[-1])
        one.stop()
        for login in logins[1:]:
            self.assertIsNotNone(await login)

    async def test_rl12_a_host_that_hangs_is_left_after_one_connect_timeout(self) -> None:
        one, two = self.slapd(LDIF), self.slapd(LDIF)
        connector = await self.connector(self.hosts(one, two))
        await self.assert_accepted(connector)
        await deferLater(IReactorTime(reactor), 1.1, lambda: None)  # kept connections are asked from then on
        one.pause()
        began = time.monotonic()
        await self.assert_accepted(connector)
        self.assertLess(time.monotonic() - began, 10)
        one.resume()

    async def test_an_answer_is_not_asked_of_the_next_host(self) -> None:
        one, two = self.slapd(LDIF), self.slapd(LDIF)
        connector = await self.connector(self.hosts(one, two))
        for username, password in (("user0", "wrong"), ("nobody", "password")):
            self.assertIsNone(await connector.login(ALL_SCOPES, username, password))
        self.assertNotIn("BIND", two.log())

    async def test_fifty_logins_at_once_use_few_connections_and_leave_fewer(self) -> None:
        server = self.slapd(LDIF)
        connector = await self.connector(settings(server, {"maxConnections": 4}))
        logins = [self.started(connector, number) for number in range(50)]
        for found in await gatherResults(logins):
            self.assertIsNotNone(found)
        await self.assert_connections(server, 4)
        await connector.close()
        await self.assert_connections(server, 0)

    async def test_a_connection_that_nobody_uses_is_closed(self) -> None:
        server = self.slapd(LDIF)
        connector = await self.connector(settings(server, {"idleTimeout": "100ms"}))
        await self.assert_accepted(connector)
        await self.assert_connections(server, 1)
        await self.assert_connections(server, 0)

    async def test_a_login_that_is_given_up_leaves_nothing_behind(self) -> None:
        server = self.slapd(LDIF)
        connector = await self.connector(settings(server))
        await self.assert_accepted(connector)
        login = self.started(connector, 1)
        login.addErrback(lambda _: None)
        login.cancel()
        await self.assert_connections(server, 0)
        await self.assert_accepted(connector)
