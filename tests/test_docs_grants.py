"""What the pages in docs/grants show is what happens."""

from __future__ import annotations

import shutil
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess
from tests.transcripts import differences, read

PAGES = Path(__file__).parents[1] / "docs" / "grants"


class PageTests(SynchronousTestCase):
    """Each page is replayed against a daemon that is configured as it says."""

    def setUp(self) -> None:
        if shutil.which("curl") is None:
            self.skipTest("missing peer: curl")

    def replay(self, name: str) -> None:
        transcript = read(PAGES / f"{name}.md")
        self.assertTrue(transcript.exchanges)
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), transcript.config)
        daemon.start()
        self.addCleanup(daemon.stop)
        self.assertEqual([], [*differences(transcript, daemon.issuer)])

    def test_authorization_code(self) -> None:
        self.replay("authorization-code")

    def test_refresh_token(self) -> None:
        self.replay("refresh-token")

    def test_implicit_and_hybrid(self) -> None:
        self.replay("implicit")

    def test_client_credentials(self) -> None:
        self.replay("client-credentials")

    def test_password(self) -> None:
        self.replay("password")

    def test_token_exchange(self) -> None:
        self.replay("token-exchange")

    def test_introspection(self) -> None:
        self.replay("introspection")

    def test_revocation(self) -> None:
        self.replay("revocation")

    def test_device(self) -> None:
        self.replay("device")
