"""npm oauth4webapi, which other libraries are built on, checks every answer of the daemon to a client."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.peers.daemon_process import DaemonProcess
from tests.peers.node import missing, walk

GRANT_TYPES = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
]


class Oauth4webapiTests(SynchronousTestCase):
    """The walk in oauth4webapi.mjs."""

    if reason := missing("oauth4webapi"):
        skip = reason

    def test_every_endpoint(self) -> None:
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), {"oauth2": {"grantTypes": GRANT_TYPES}})
        daemon.start()
        self.addCleanup(daemon.stop)
        self.assertEqual(
            {
                "name": "Kilgore Trout",
                "mixedUp": 'unexpected "iss" (issuer) response parameter value',
                "rotated": True,
                "email": "kilgore@kilgore.trout",
                "before": [True, "app", "refresh_token"],
                "after": {"active": False},
                "granted": ["access_token", "expires_in", "token_type"],
                "pending": [400, "authorization_pending"],
                "onDevice": "kilgore@kilgore.trout",
            },
            walk(self, daemon, "oauth4webapi.mjs"),
        )
