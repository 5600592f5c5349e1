"""npm openid-client 6, a strict relying party, in each flow that it knows."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.packed import packed_subject
from tests.flows.daemon import CALLBACK
from tests.peers.daemon_process import DaemonProcess
from tests.peers.node import missing, walk
from tests.signing.asserting import SECRET, new_key, public


class OpenidClientTests(SynchronousTestCase):
    """The walk in openid_client.mjs, with each signing algorithm."""

    def log_in(self, algorithm: str) -> dict[str, object]:
        signer = {"type": "local", "config": {"keysRotationPeriod": "6h", "algorithm": algorithm}}
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), {"signer": signer})
        daemon.start()
        self.addCleanup(daemon.stop)
        return walk(self, daemon, "openid_client.mjs")

    def test_logs_in_and_refreshes(self) -> None:
        for algorithm in ("RS256", "ES256"):
            self.assertEqual(
                {
                    "name": "Kilgore Trout",
                    "rotated": True,
                    "refreshedSub": True,
                    "email": "kilgore@kilgore.trout",
                },
                self.log_in(algorithm),
                algorithm,
            )

    if reason := missing("openid-client"):
        test_logs_in_and_refreshes.skip = reason  # type: ignore[attr-defined]  # how trial marks a skip


class FrontChannelTests(SynchronousTestCase):
    """The walk in openid_client_hybrid.mjs."""

    def test_id_tokens_of_the_authorization_endpoint(self) -> None:
        over = {
            "oauth2": {"responseTypes": ["code", "id_token"]},
            "staticClients": [
                {"id": "app", "name": "The App", "secret": "app-secret", "redirectURIs": [CALLBACK]},
                {"id": "page", "name": "Page", "public": True, "redirectURIs": [CALLBACK]},
            ],
        }
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), over)
        daemon.start()
        self.addCleanup(daemon.stop)
        email = "kilgore@kilgore.trout"
        self.assertEqual(
            {"swapped": "c_hash", "fragment": email, "formPost": email, "implicit": email},
            walk(self, daemon, "openid_client_hybrid.mjs"),
        )

    if reason := missing("openid-client"):
        test_id_tokens_of_the_authorization_endpoint.skip = reason  # type: ignore[attr-defined]  # trial's way


class DeviceTests(SynchronousTestCase):
    """The walk in openid_client_device.mjs."""

    def test_device_signs_in(self) -> None:
        over = {"staticClients": [{"id": "tv", "name": "Television", "public": True}]}
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), over)
        daemon.start()
        self.addCleanup(daemon.stop)
        self.assertEqual(
            {
                "polls": ["authorization_pending", "tokens"],
                "end": 200,
                "name": "Kilgore Trout",
                "audience": "tv",
                "refreshedSub": True,
            },
            walk(self, daemon, "openid_client_device.mjs"),
        )

    if reason := missing("openid-client"):
        test_device_signs_in.skip = reason  # type: ignore[attr-defined]  # how trial marks a skip


class WithoutABrowserTests(SynchronousTestCase):
    """The walk in openid_client_direct.mjs."""

    def test_authenticates_in_each_way_and_introspects_and_revokes(self) -> None:
        key = new_key("P-256", kid="k")
        over = {
            "oauth2": {"grantTypes": ["client_credentials"]},
            "staticClients": [
                {"id": "machine", "name": "Machine", "secret": SECRET},
                {"id": "keyed", "name": "Keyed", "jwks": {"keys": [dict(public(key))]}},
            ],
        }
        daemon = DaemonProcess(Path(self.mktemp()).absolute(), over)
        daemon.start()
        self.addCleanup(daemon.stop)
        machine, keyed = packed_subject("machine", ""), packed_subject("keyed", "")
        self.assertEqual(
            {
                "subjects": {
                    "client_secret_basic": machine,
                    "client_secret_post": machine,
                    "client_secret_jwt": machine,
                    "private_key_jwt": keyed,
                },
                "before": [True, "machine", "access_token"],
                "after": {"active": False},
                "refused": True,
            },
            walk(self, daemon, "openid_client_direct.mjs", SECRET, key.export_private()),
        )

    if reason := missing("openid-client"):
        test_authenticates_in_each_way_and_introspects_and_revokes.skip = reason  # type: ignore[attr-defined]  # trial's way
