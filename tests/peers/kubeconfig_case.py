"""Clients of Kubernetes that find an ID token in their kubeconfig that is over."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import requests
import yaml
from joserfc import jwt
from joserfc.jwk import KeySet
from twisted.trial.unittest import SynchronousTestCase

from tests.flows.daemon import free_port, merged
from tests.peers.api_server import ApiServer
from tests.peers.authority import Authority
from tests.peers.daemon_process import DaemonProcess
from tests.secrecy import WATCH

CLIENT = ("kubernetes", "kubernetes-secret")


class KubeconfigCase(SynchronousTestCase):
    """Jane has logged in before; daemon and API server have the same certificate for localhost."""

    def setUp(self) -> None:
        authority = Authority(Path(self.mktemp()).absolute())
        self.ca = str(authority.certificate)
        certificate, key = authority.issue("localhost")
        port = free_port()
        self.issuer = f"https://localhost:{port}/dex"
        config = {
            "issuer": self.issuer,
            "web": {
                "http": None,
                "https": f"127.0.0.1:{port}",
                "tlsCert": str(certificate),
                "tlsKey": str(key),
            },
            "oauth2": {"passwordConnector": "local"},
            "staticClients": [{"id": CLIENT[0], "name": "Kubernetes", "secret": CLIENT[1]}],
        }
        over_at_once = merged(config, {"expiry": {"idTokens": "1ms"}})
        self.daemon = DaemonProcess(Path(self.mktemp()).absolute(), over_at_once, port=port)
        self.daemon.start()
        try:
            self.tokens = self.log_in()
        finally:
            self.daemon.stop()
        self.daemon.over = config
        self.daemon.start()
        self.addCleanup(self.daemon.stop)
        self.api = ApiServer(certificate, key)
        self.addCleanup(self.api.close)

    def log_in(self) -> dict[str, Any]:
        """Jane's tokens."""
        form = {
            "grant_type": "password",
            "username": "jane@example.com",
            "password": "password",
            "scope": "openid email groups offline_access",
        }
        answer = requests.post(f"{self.issuer}/token", form, auth=CLIENT, verify=self.ca, timeout=10)
        self.assertEqual(200, answer.status_code, answer.text)
        tokens: dict[str, Any] = answer.json()
        WATCH.note_fields(tokens)
        return tokens

    def kubeconfig(self) -> Path:
        """A file of her own, as it was after the login."""
        authority = base64.b64encode(Path(self.ca).read_bytes()).decode()
        provider = {
            "idp-issuer-url": self.issuer,
            "idp-certificate-authority-data": authority,
            "client-id": CLIENT[0],
            "client-secret": CLIENT[1],
            "id-token": self.tokens["id_token"],
            "refresh-token": self.tokens["refresh_token"],
        }
        cluster = {"server": self.api.url, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "jane", "user": {"auth-provider": {"name": "oidc", "config": provider}}}],
            "contexts": [{"name": "jane@here", "context": {"cluster": "here", "user": "jane"}}],
            "current-context": "jane@here",
        }
        path = Path(self.mktemp()).absolute()
        path.write_text(yaml.safe_dump(config))
        return path

    def kept_in(self, kubeconfig: Path) -> dict[str, str]:
        """What the file says of Jane now."""
        config = yaml.safe_load(kubeconfig.read_text())
        kept: dict[str, str] = config["users"][0]["user"]["auth-provider"]["config"]
        WATCH.note_fields({name.replace("-", "_"): value for name, value in kept.items()})
        return kept

    def assert_lets_jane_in(self, id_token: str) -> None:
        """Check an ID token as the API server does."""
        answer = requests.get(f"{self.issuer}/keys", verify=self.ca, timeout=10)
        token = jwt.decode(id_token, KeySet.import_key_set(answer.json()), algorithms=["ES256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": CLIENT[0]},
            exp={"essential": True},
            email={"essential": True, "value": "jane@example.com"},
            email_verified={"essential": True, "value": True},
            groups={"essential": True, "value": ["readers"]},
        ).validate(token.claims)
