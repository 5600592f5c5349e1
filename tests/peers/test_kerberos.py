"""A browser that holds a Kerberos ticket signs in without a form: MIT Kerberos, OpenLDAP, and curl."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from tests.flows.daemon import CALLBACK, free_port
from tests.peers.daemon_process import DaemonProcess
from tests.peers.directory_case import settings
from tests.peers.kdc import Kdc, missing_kdc
from tests.peers.slapd import GROUPS, PEOPLE, Slapd, missing_slapd, person, units

LDIF = units(PEOPLE, GROUPS) + person("jane", cn="Jane Doe")


class KerberosTests(SynchronousTestCase):
    """One realm, one directory, one daemon with a strict connector and one that falls back to the form."""

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
        keytab, port = str(self.kdc.keytab("HTTP/localhost")), free_port()
        self.issuer = f"http://localhost:{port}/dex"
        strict = {
            "enabled": True,
            "keytabPath": keytab,
            "spn": "HTTP/localhost",
            "expectedRealm": "test.local",
        }
        over = {
            "issuer": self.issuer,
            "connectors": [
                self.connector("strict", strict),
                self.connector("form", {**strict, "fallbackToPassword": True}),
            ],
        }
        self.daemon = DaemonProcess(folder / "dextwist", over, port=port, environ=self.kdc.environ)
        self.daemon.start()
        self.addCleanup(self.daemon.stop)

    def connector(self, name: str, kerberos: dict[str, Any]) -> dict[str, Any]:
        config = settings(self.slapd, {"kerberos": kerberos})
        return {"type": "ldap", "id": name, "name": name, "config": config}

    def arrive(self, connector_id: str, *options: str) -> str:
        query = {
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile",
            "connector_id": connector_id,
        }
        return self.kdc.curl(f"{self.issuer}/auth?{urlencode(query)}", "-L", *options)

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

    def test_a_ticket_of_nobody_in_the_directory(self) -> None:
        self.kdc.person("ghost")
        self.kdc.log_in("ghost")
        self.assertTrue(self.end("strict").startswith("401 "))
        self.assertTrue(self.end("form").startswith("200 "))

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
