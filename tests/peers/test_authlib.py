"""Authlib, a relying party in Python, logs in and refreshes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urljoin

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from twisted.trial.unittest import SynchronousTestCase

from tests.flows.daemon import CALLBACK
from tests.peers.daemon_process import DaemonProcess
from tests.secrecy import WATCH


def browse(url: str) -> str:
    """Follow a login that needs no typing up to the client; where the browser arrives."""
    browser = requests.Session()
    for _ in range(10):
        answer = browser.get(url, allow_redirects=False, timeout=10)
        if "location" not in answer.headers:
            raise AssertionError(f"{answer.status_code} at {url}: {answer.text[:300]}")
        url = urljoin(url, answer.headers["location"])
        if url.startswith(CALLBACK):
            return url
    raise AssertionError("too many redirects")


class AuthlibTests(SynchronousTestCase):
    """The whole life of a login with Authlib's own checks."""

    def setUp(self) -> None:
        self.daemon = DaemonProcess(Path(self.mktemp()).absolute())
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        self.metadata = self.get("/.well-known/openid-configuration")
        # Authlib refuses plain http otherwise; here it stays on this machine.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        self.addCleanup(os.environ.pop, "AUTHLIB_INSECURE_TRANSPORT")

    def get(self, path: str) -> dict[str, object]:
        found: dict[str, object] = requests.get(self.daemon.issuer + path, timeout=10).json()
        return found

    def claims(self, id_token: str, nonce: str) -> CodeIDToken:
        """What the ID token says, once Authlib is satisfied with it."""
        keys = KeySet.import_key_set(self.get("/keys"))  # type: ignore[arg-type]  # JSON is what it is
        token = jwt.decode(id_token, keys, algorithms=["ES256"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": self.daemon.issuer},
                "aud": {"essential": True, "value": "app"},
            },
            params={"nonce": nonce, "client_id": "app"},
        )
        claims.validate()
        return claims

    def test_logs_in_and_refreshes(self) -> None:
        session = OAuth2Session(
            "app",
            "app-secret",
            scope="openid profile email offline_access",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
        )
        verifier, nonce = generate_token(48), generate_token(20)
        url, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"],
            code_verifier=verifier,
            nonce=nonce,
            connector_id="mock",
        )
        token = session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=browse(url),
            state=state,
            code_verifier=verifier,
        )
        WATCH.note_fields(token)
        claims = self.claims(token["id_token"], nonce)
        self.assertEqual("Kilgore Trout", claims["name"])
        refreshed = session.refresh_token(self.metadata["token_endpoint"])
        self.assertNotEqual(token["refresh_token"], refreshed["refresh_token"])
        self.assertEqual(claims["sub"], self.claims(refreshed["id_token"], nonce)["sub"])
        userinfo = session.get(self.metadata["userinfo_endpoint"]).json()
        self.assertEqual("kilgore@kilgore.trout", userinfo["email"])
