"""Whoever holds a Kerberos ticket signs in without a form: MIT Kerberos, OpenLDAP, curl and Chromium."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.flows.daemon import CALLBACK, free_port
from tests.peers.callback_server import CallbackServer
from tests.peers.chrome import Window, missing_chromium
from tests.peers.daemon_process import DaemonProcess
from tests.peers.directory_case import settings
from tests.peers.kdc import Kdc, missing_kdc
from tests.peers.slapd import GROUPS, PEOPLE, Slapd, missing_slapd, person, units
from tests.peers.test_chromium import NAME, SECRET, SUBMIT

LDIF = units(PEOPLE, GROUPS) + person("jane", cn="Jane Doe")


class KerberosCase(SynchronousTestCase):
    """One realm, one directory, one daemon: a strict connector, one with the form, and two for others."""

    if missing := missing_kdc() or missing_slapd():
        skip = missing

    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.kdc = Kdc(folder)
        self.kdc.start()
        self.addCleanup(self.kdc.stop)
        self.slapd = Slapd(folder=folder / "slapd", ldif=LDIF)
        self.slapd.start()
        self.addCleanup(self.slapd.stop)
        keytab, port = str(self.kdc.keytab("HTTP/localhost", "HTTP/other")), free_port()
        self.issuer = f"http://localhost:{port}/dex"
        strict = {
            "enabled": True,
            "keytabPath": keytab,
            "spn": "HTTP/localhost",
            "expectedRealm": "test.local",
        }
        over = {
            **self.over(),
            "issuer": self.issuer,
            "connectors": [
                self.connector("strict", strict),
                self.connector("form", {**strict, "fallbackToPassword": True}),
                self.connector("other-service", {**strict, "spn": "HTTP/other"}),
                self.connector("other-realm", {**strict, "expectedRealm": "OTHER.LOCAL"}),
            ],
        }
        self.daemon = DaemonProcess(folder / "dextwist", over, port=port, environ=self.kdc.environ)
        self.daemon.start()
        self.addCleanup(self.daemon.stop)

    def over(self) -> dict[str, Any]:
        """What else the daemon is told."""
        return {}

    def connector(self, name: str, kerberos: dict[str, Any]) -> dict[str, Any]:
        config = settings(self.slapd, {"kerberos": kerberos})
        return {"type": "ldap", "id": name, "name": name, "config": config}

    def start_of(self, connector_id: str, redirect_uri: str) -> str:
        """Where the application sends a browser."""
        query = {
            "client_id": "app",
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "openid profile",
            "connector_id": connector_id,
        }
        return f"{self.issuer}/auth?{urlencode(query)}"


class CurlTests(KerberosCase):
    """With curl as the browser."""

    def arrive(self, connector_id: str, *options: str) -> str:
        return self.kdc.curl(self.start_of(connector_id, CALLBACK), "-L", *options)

    def end(self, connector_id: str) -> str:
        """The status and the address at which the browser ends."""
        return self.arrive(connector_id, "-o", "/dev/null", "-w", "%{http_code} %{url_effective}")

    def test_a_ticket_signs_in(self) -> None:
        self.kdc.person("jane")
        self.kdc.log_in("jane")
        for connector_id in ("strict", "form"):
            self.assertIn(f" {CALLBACK}?code=", self.end(connector_id))
        self.assertIn("Jane Doe", self.daemon.log())

    def test_without_a_ticket_there_is_the_form_or_nothing(self) -> None:
        self.assertTrue(self.end("strict").startswith("401 "))
        self.assertNotIn('type="password"', self.arrive("strict"))
        self.assertIn('type="password"', self.arrive("form"))

    def test_a_ticket_for_another_service_or_of_another_realm_does_not_count(self) -> None:
        self.kdc.person("jane")
        self.kdc.log_in("jane")
        for connector_id in ("other-service", "other-realm"):
            self.assertTrue(self.end(connector_id).startswith("401 "), connector_id)
        self.assertIn("is of the realm TEST.LOCAL", self.daemon.log())
        self.assertEqual(self.daemon.log().count("ticket not accepted"), 2)

    def test_a_ticket_of_nobody_in_the_directory(self) -> None:
        self.kdc.person("ghost")
        self.kdc.log_in("ghost")
        self.assertTrue(self.end("strict").startswith("401 "))
        self.assertTrue(self.end("form").startswith("200 "))

    def test_a_ticket_counts_only_once(self) -> None:
        self.kdc.person("jane")
        self.kdc.log_in("jane")
        said = self.arrive("strict", "--verbose", "--stderr", "-")
        shown = re.search(r"> GET /dex/auth/strict/login.*?> Authorization: (Negotiate \S+)", said, re.DOTALL)
        assert shown is not None, said
        again = requests.get(
            self.start_of("strict", CALLBACK), headers={"Authorization": shown[1]}, timeout=10
        )
        self.assertEqual(again.status_code, 401)
        self.assertIn("Request is a replay", self.daemon.log())

    def test_a_ticket_counts_only_in_the_browser_that_started_the_login(self) -> None:
        self.kdc.person("jane")
        link = self.end("strict").partition(" ")[2]
        self.assertIn("/auth/strict/login?", link)
        self.kdc.log_in("jane")
        (self.kdc.folder / "cookies").unlink()
        status = self.kdc.curl(link, "-o", "/dev/null", "-w", "%{http_code}")
        self.assertTrue(status.startswith("4"), status)

    def test_a_keytab_that_cannot_be_used_stops_the_start(self) -> None:
        broken = {"enabled": True, "keytabPath": "/nowhere"}
        over = {"connectors": [self.connector("broken", broken)]}
        daemon = DaemonProcess(self.kdc.folder / "broken", over, environ=self.kdc.environ)
        with self.assertRaises(RuntimeError):
            daemon.start()
        self.assertIn("kerberos.keytabPath: /nowhere cannot be used", daemon.log())
        over = {"connectors": [self.connector("form", {**broken, "fallbackToPassword": True})]}
        daemon = DaemonProcess(self.kdc.folder / "form-only", over, environ=self.kdc.environ)
        daemon.start()
        self.addCleanup(daemon.stop)
        self.assertIn("nobody can log in with a ticket", daemon.log())


class ChromiumTests(KerberosCase):
    """With a browser that shows its tickets where an administrator says so."""

    if missing := KerberosCase.missing or missing_chromium():
        skip = missing

    def over(self) -> dict[str, Any]:
        self.client = CallbackServer()
        self.addCleanup(self.client.close)
        client = {"id": "app", "name": "The App", "secret": "app-secret", "redirectURIs": [self.client.url]}
        return {"staticClients": [client]}

    def setUp(self) -> None:
        super().setUp()
        self.kdc.person("jane")

    def arrive(self, connector_id: str, tickets_for: str = "localhost") -> Window:
        """A window of the person whose tickets these are, sent by the application."""
        window = Window(tickets_for=tickets_for, environ=self.kdc.environ)
        self.addCleanup(window.close)
        window.get(self.start_of(connector_id, self.client.url))
        return window

    def assert_logged_in(self, window: Window) -> None:
        self.assertTrue(window.url.startswith(self.client.url), f"{window.url}: {window.text}")
        self.assertIn("code", self.client.answers[-1])

    def test_a_ticket_signs_in_without_a_form(self) -> None:
        self.kdc.log_in("jane")
        for connector_id in ("strict", "form"):
            self.assert_logged_in(self.arrive(connector_id))

    def test_without_a_ticket_there_is_the_form_and_a_password_signs_in(self) -> None:
        for tickets_for in ("localhost", ""):
            window = self.arrive("form", tickets_for)
            window.type(NAME, "jane")
            window.type(SECRET, "password")
            window.click(SUBMIT)
            self.assert_logged_in(window)

    def test_a_ticket_that_is_meant_for_other_hosts_is_not_shown(self) -> None:
        self.kdc.log_in("jane")
        window = self.arrive("strict", "other.example")
        self.assertEqual((window.status, self.client.answers), (401, []))
