"""What an operator is told who has not installed what only this connector needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess

_SETTINGS = {"host": "127.0.0.1:9", "userSearch": {"baseDN": "dc=x", "username": "uid"}}


class MissingLibraryTests(SynchronousTestCase):
    """A daemon to which a library is not there."""

    def daemon(self, library: str, **kerberos: Any) -> DaemonProcess:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        # Run by Python before anything else; what is None here cannot be imported.
        (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules[{library!r}] = None\n")
        config = {**_SETTINGS, "kerberos": {"enabled": bool(kerberos), **kerberos}}
        over = {"connectors": [{"type": "ldap", "id": "corp", "name": "Corp", "config": config}]}
        return DaemonProcess(folder, over, environ={"PYTHONPATH": str(folder)})

    def why_it_ends(self, daemon: DaemonProcess) -> str:
        daemon.launch()
        assert daemon.process is not None
        self.assertNotEqual(daemon.process.wait(30), 0)
        (line,) = [line for line in daemon.log().splitlines() if "cannot start" in line]
        return line

    def test_without_ldaptor_the_start_ends_with_its_name(self) -> None:
        self.assertIn(
            "connector 'corp': connector type \\\"ldap\\\" needs ldaptor, which is not installed: "
            "see its page in docs/connectors",
            self.why_it_ends(self.daemon("ldaptor")),
        )

    def test_without_gssapi_the_start_ends_where_only_tickets_would_do(self) -> None:
        daemon = self.daemon("gssapi", keytabPath="/etc/http.keytab")
        self.assertIn("kerberos: dextwist[kerberos] is not installed", self.why_it_ends(daemon))

    def test_without_gssapi_there_is_a_warning_where_passwords_do_too(self) -> None:
        daemon = self.daemon("gssapi", keytabPath="/etc/http.keytab", fallbackToPassword=True)
        daemon.start()
        self.addCleanup(daemon.stop)
        self.assertIn("nobody can log in with a ticket: kerberos: dextwist[kerberos]", daemon.log())
