"""Servers of a directory that the DNS names (RFC 2782), by a real name server and by one that is silent."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.ldap.connector import LdapConnector
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.peers.authority import Authority
from tests.peers.directory_case import DirectoryCase, settings
from tests.peers.dnsmasq import Dnsmasq, missing_dnsmasq
from tests.peers.slapd import GROUPS, PEOPLE, Slapd, missing_slapd, person, units
from tests.upstreams.network import CountedCalls

LDIF = units(PEOPLE, GROUPS) + person("jane")
#: more records than a datagram holds.
_MANY = tuple(f"srv-host=_ldap._tcp.org.test,spare{number}.org.test,389,90,0" for number in range(40))


class SrvTests(DirectoryCase):
    """`srvDomain`."""

    if missing := missing_slapd() or missing_dnsmasq():
        skip = missing

    def name_server(self, *records: str) -> Dnsmasq:
        """A name server that stops with the test."""
        server = Dnsmasq(folder=Path(self.mktemp()).absolute(), records=records)
        server.start()
        self.addCleanup(server.stop)
        return server

    async def located(
        self,
        server: Slapd,
        address: tuple[str, int],
        over: Mapping[str, Any] | None = None,
        metrics: CountedCalls | None = None,
    ) -> LdapConnector:
        """A connector that asks there for the servers of `org.test`."""
        config = settings(server, {"host": None, "srvDomain": "org.test", **(over or {})})
        return await self.connector(config, metrics, [address])

    async def error(self, connector: LdapConnector) -> ConnectorError:
        with self.assertRaises(ConnectorError) as raised:
            await connector.login(ALL_SCOPES, "jane", "password")
        error: ConnectorError = raised.exception
        return error

    async def test_rl12_the_servers_are_asked_in_the_order_of_their_priority(self) -> None:
        first, second, calls = self.slapd(LDIF), self.slapd(LDIF), CountedCalls()
        name_server = self.name_server(
            f"srv-host=_ldap._tcp.org.test,localhost,{second.port},20,100",
            f"srv-host=_ldap._tcp.org.test,localhost,{first.port},10,0",
            *_MANY,
        )
        connector = await self.located(first, name_server.address, metrics=calls)
        self.assertIsNotNone(await self.login(connector, "jane"))
        self.assertEqual({host for host, _ in calls.calls}, {f"localhost:{first.port}"})
        first.stop()
        self.assertIsNotNone(await self.login(connector, "jane"))
        self.assertEqual(calls.calls[-1], (f"localhost:{second.port}", "ok"))
        # Once over a datagram that was too short, and once more over a connection.
        self.assertEqual(name_server.log().count("query[SRV] _ldap._tcp.org.test"), 2)

    async def test_ldaps_is_another_service_and_the_server_proves_the_name_in_the_record(
        self,
    ) -> None:
        authority = Authority(Path(self.mktemp()).absolute())
        tls = (*authority.issue("localhost"), authority.certificate)
        server = self.slapd(LDIF, tls=tls)
        name_server = self.name_server(f"srv-host=_ldaps._tcp.org.test,localhost,{server.tls_port},0,0")
        over = {"insecureNoSSL": None, "rootCA": str(authority.certificate)}
        connector = await self.located(server, name_server.address, over)
        self.assertIsNotNone(await self.login(connector, "jane"))

    async def test_a_name_without_records_is_named(self) -> None:
        server = self.slapd(LDIF)
        for records, words in (
            ((), "_ldap._tcp.org.test is not in the DNS"),
            (("txt-record=_ldap._tcp.org.test,x",), "_ldap._tcp.org.test has no SRV records in the DNS"),
            (("srv-host=_ldap._tcp.org.test",), "_ldap._tcp.org.test has no SRV records in the DNS"),
        ):
            error = await self.error(await self.located(server, self.name_server(*records).address))
            self.assertIn(words, str(error))
            self.assertTrue(error.unreachable)

    async def test_a_name_server_that_is_silent_is_a_timeout(self) -> None:
        server = self.slapd(LDIF)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            error = await self.error(await self.located(server, silent.getsockname()))
        self.assertIn("the DNS does not answer for _ldap._tcp.org.test", str(error))
        self.assertTrue(error.timed_out)
