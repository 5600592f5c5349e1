"""How OpenLDAP is reached: in clear text, with StartTLS, over LDAPS; and when no password is sent (LD-04)."""

from __future__ import annotations

import base64
from pathlib import Path

from dextwist.connectors.interface import ConnectorError
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.peers.authority import Authority
from tests.peers.directory_case import DirectoryCase, settings
from tests.peers.slapd import DATA, PEOPLE, Slapd, person, units

LDIF = units(PEOPLE, "ou=Groups,dc=example,dc=org") + person("jane")
CERTIFICATES = DATA / "certs"


class TransportTests(DirectoryCase):
    """Every test for both ways to TLS."""

    def setUp(self) -> None:
        self.authority = Authority(Path(self.mktemp()).absolute())

    def serving(self, host: str = "localhost", *, days: int = 1, clients: str = "never") -> Slapd:
        """A server with a certificate for that host."""
        tls = (*self.authority.issue(host, days=days), self.authority.certificate)
        return self.slapd(LDIF, tls=tls, client_certificates=clients)

    def both_ways(self, server: Slapd, **over: object) -> list[dict[str, object]]:
        """The settings for StartTLS and for LDAPS."""
        trusted = {"insecureNoSSL": None, "rootCA": str(self.authority.certificate), **over}
        return [
            settings(server, {"host": f"localhost:{server.port}", "startTLS": True, **trusted}),
            settings(server, {"host": f"localhost:{server.tls_port}", **trusted}),
        ]

    async def assert_accepted(self, config: dict[str, object]) -> None:
        self.assertIsNotNone(await self.login(await self.connector(config), "jane"))

    async def assert_failed(self, config: dict[str, object], server: Slapd) -> str:
        """An error, before anything of ours was sent."""
        connector = await self.connector(config)
        with self.assertRaises(ConnectorError) as raised:
            await connector.login(ALL_SCOPES, "jane", "password")
        self.assertNotIn("BIND", server.log())
        return str(raised.exception)

    async def test_the_right_certificate_is_accepted(self) -> None:
        server = self.serving()
        for config in self.both_ways(server):
            await self.assert_accepted(config)
        pem = base64.b64encode(self.authority.certificate.read_bytes()).decode()
        # The text counts before the file.
        for config in self.both_ways(server, rootCAData=pem, rootCA=str(CERTIFICATES / "ca.crt")):
            await self.assert_accepted(config)

    async def test_the_certificates_of_dex_are_accepted(self) -> None:
        tls = (CERTIFICATES / "ldap.crt", CERTIFICATES / "ldap.key", CERTIFICATES / "ca.crt")
        for config in self.both_ways(self.slapd(LDIF, tls=tls), rootCA=str(CERTIFICATES / "ca.crt")):
            await self.assert_accepted(config)

    async def test_ld04_an_authority_that_is_not_trusted(self) -> None:
        server = self.serving()
        for root in (None, str(CERTIFICATES / "ca.crt")):
            for config in self.both_ways(server, rootCA=root):
                self.assertIn("certificate verify failed", await self.assert_failed(config, server))

    async def test_ld04_a_certificate_of_another_host(self) -> None:
        server = self.serving("ldap.example.org")
        for config in self.both_ways(server):
            self.assertIn("TLS: VerificationError", await self.assert_failed(config, server))

    async def test_ld04_a_certificate_that_is_over(self) -> None:
        server = self.serving(days=-1)
        for config in self.both_ways(server):
            self.assertIn("certificate verify failed", await self.assert_failed(config, server))

    async def test_ld04_a_server_that_knows_no_tls(self) -> None:
        server = self.slapd(LDIF)
        start_tls, ldaps = self.both_ways(server)
        self.assertIn("StartTLS: result", await self.assert_failed(start_tls, server))
        await self.assert_failed({**ldaps, "host": f"localhost:{server.port}"}, server)

    async def test_rl12_a_host_that_fails_in_tls_is_left_for_the_next_and_told_nothing(self) -> None:
        wrong, right = self.serving("ldap.example.org"), self.serving()
        for first, second in zip(self.both_ways(wrong), self.both_ways(right), strict=True):
            await self.assert_accepted({**second, "host": None, "hosts": [first["host"], second["host"]]})
        self.assertNotIn("BIND", wrong.log())
        self.assertNotIn("SRCH", wrong.log())

    async def test_verification_can_be_switched_off(self) -> None:
        server = self.serving("ldap.example.org", days=-1)
        for config in self.both_ways(server, rootCA=None, insecureSkipVerify=True):
            await self.assert_accepted(config)

    async def test_a_client_certificate_is_shown(self) -> None:
        server = self.serving(clients="demand")
        certificate, key = map(str, self.authority.issue("dextwist"))
        for more in ({}, {"insecureSkipVerify": True}):
            for config in self.both_ways(server, clientCert=certificate, clientKey=key, **more):
                await self.assert_accepted(config)
        server = self.serving(clients="demand")
        for config in self.both_ways(server):
            await self.assert_failed(config, server)

    async def test_clear_text_wins_over_start_tls(self) -> None:
        await self.assert_accepted(settings(self.slapd(LDIF), {"startTLS": True}))
