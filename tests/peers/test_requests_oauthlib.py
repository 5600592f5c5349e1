"""requests-oauthlib, which Python services use, gets tokens with a secret of its own and with a password."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.packed import packed_subject
from tests.peers.daemon_process import DaemonProcess

APP = HTTPBasicAuth("app", "app-secret")
OVER = {
    "oauth2": {
        "grantTypes": ["client_credentials", "password", "refresh_token"],
        "passwordConnector": "local",
    }
}


class RequestsOAuthlibTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.daemon = DaemonProcess(Path(self.mktemp()).absolute(), OVER)
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        self.token_url = self.daemon.issuer + "/token"
        # oauthlib refuses plain http otherwise; here it stays on this machine.
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        self.addCleanup(os.environ.pop, "OAUTHLIB_INSECURE_TRANSPORT")

    def subject(self, session: OAuth2Session) -> str:
        """Whom the session's token is about."""
        claims: dict[str, Any] = session.get(self.daemon.issuer + "/userinfo", timeout=10).json()
        return str(claims["sub"])

    def test_client_credentials(self) -> None:
        session = OAuth2Session(client=BackendApplicationClient("app", scope=["openid", "profile"]))
        token = session.fetch_token(self.token_url, auth=APP)
        self.assertEqual({"access_token", "id_token", "token_type", "expires_in", "expires_at"}, set(token))
        self.assertEqual(packed_subject("app", ""), self.subject(session))

    def test_password_and_refresh(self) -> None:
        scopes = ["openid", "email", "offline_access"]
        session = OAuth2Session(client=LegacyApplicationClient("app", scope=scopes))
        token = session.fetch_token(
            self.token_url, username="jane@example.com", password="password", auth=APP
        )
        self.assertEqual(packed_subject("jane-id", "local"), self.subject(session))
        refreshed = session.refresh_token(self.token_url, auth=APP)
        self.assertNotEqual(token["refresh_token"], refreshed["refresh_token"])
        self.assertEqual(packed_subject("jane-id", "local"), self.subject(session))

    def test_a_wrong_password_is_named(self) -> None:
        session = OAuth2Session(client=LegacyApplicationClient("app", scope=["openid"]))
        with self.assertRaises(OAuth2Error) as raised:
            session.fetch_token(self.token_url, username="jane@example.com", password="wrong", auth=APP)
        self.assertEqual("access_denied", raised.exception.error)
