"""Apache's mod_auth_openidc lets people in by what our ID tokens say of them, and keeps others out."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.flows.browser import forms_of, links_of
from tests.peers.apache import Apache, missing_apache
from tests.peers.daemon_process import DaemonProcess


class ApacheTests(SynchronousTestCase):
    """A browser without JavaScript that wants a page of Apache's."""

    if reason := missing_apache():
        skip = reason

    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        self.apache = Apache(folder=folder)
        client = {
            "id": self.apache.client_id,
            "secret": self.apache.secret,
            "name": "Apache",
            "redirectURIs": [self.apache.callback],
        }
        self.daemon = DaemonProcess(Path(self.mktemp()).absolute(), {"staticClients": [client]})
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        self.apache.start(self.daemon.issuer)
        self.addCleanup(self.apache.stop)
        self.browser = requests.Session()

    def visit(self, path: str) -> requests.Response:
        """Where the browser is when it has asked for a page and followed all redirects."""
        return self.browser.get(self.apache.url + path, timeout=20)

    def choose(self, page: requests.Response, connector_id: str) -> requests.Response:
        """Follow the link to a way of signing in."""
        (link,) = [link for link in links_of(page.url, page.text) if f"/auth/{connector_id}?" in link]
        return self.browser.get(link, timeout=20)

    def assert_page(self, page: requests.Response, *lines: str) -> None:
        self.assertEqual(200, page.status_code, page.text + self.apache.log() + self.daemon.log()[-2000:])
        for line in lines:
            self.assertIn(line, page.text.splitlines())

    def test_group_member_sees_the_groups_page_with_their_claims(self) -> None:
        page = self.choose(self.visit("/authors"), "mock")
        self.assert_page(
            page,
            "This is the page for authors.",
            "user=kilgore@kilgore.trout",
            "name=Kilgore Trout",
            f"issuer={self.daemon.issuer}",
            "groups=authors",
        )
        self.assert_page(self.visit("/everybody"), "This is the page for everybody.")

    def test_others_are_refused_there_and_only_there(self) -> None:
        page = self.choose(self.visit("/everybody"), "local")
        (form,) = forms_of(page.url, page.text)
        typed = {**form.fields, "login": "jane@example.com", "password": "password"}
        page = self.browser.post(form.action, data=typed, timeout=20)
        self.assert_page(page, "user=jane@example.com", "name=jane", "groups=readers")
        refused = self.visit("/authors")
        self.assertIn(refused.status_code, (401, 403))
        self.assertNotIn("This is the page", refused.text)
