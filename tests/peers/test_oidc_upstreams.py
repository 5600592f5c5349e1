"""The `oidc` connector at providers by others, strict and hostile, and at a second server of our own."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import requests
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.packed import packed_subject
from tests.flows.browser import forms_of
from tests.flows.daemon import CALLBACK, free_port
from tests.peers.daemon_process import DaemonProcess
from tests.peers.node import HERE, missing

SECRET = "in-confidence secret+%&"
SCOPE = "openid profile email groups offline_access"
APP = ("app", "app-secret")


def claims_of(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


class UpstreamCase(SynchronousTestCase):
    """A daemon whose connector `up` leads to an upstream."""

    daemon: DaemonProcess

    def node(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """The script at work, listening on the port that is its first argument."""
        process = subprocess.Popen(
            ["node", str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        end = time.monotonic() + 20
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", int(arguments[0]))) == 0:
                    return process
            time.sleep(0.05)
        raise RuntimeError(f"{script} does not listen")

    def federate(self, port: int, issuer: str, **config: Any) -> None:
        """Start a daemon on this port, in front of that issuer."""
        settings = {
            "issuer": issuer,
            "clientID": "federation",
            "clientSecret": SECRET,
            "redirectURI": f"http://127.0.0.1:{port}/dex/callback",
            "scopes": ["profile", "email", "groups", "offline_access"],
            "insecureEnableGroups": True,
            **config,
        }
        connector = {"type": "oidc", "id": "up", "name": "Up", "config": settings}
        folder = Path(self.mktemp()).absolute()
        self.daemon = DaemonProcess(folder, {"connectors": [connector]}, port=port)
        self.daemon.start()
        self.addCleanup(self.daemon.stop)

    def walk(self, **typed: str) -> requests.Response | dict[str, str]:
        """Log in, typing this into forms: the query with which the client is reached, or the last page."""
        browser = requests.Session()
        where = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": SCOPE}
        url = f"{self.daemon.issuer}/auth"
        page = browser.get(
            url, params={**where, "connector_id": "up", "state": "s"}, allow_redirects=False, timeout=20
        )
        for _ in range(30):
            if page.is_redirect:
                target = requests.compat.urljoin(page.url, page.headers["Location"])
                if target.startswith(CALLBACK):
                    return dict(parse_qsl(urlsplit(target).query))
                page = browser.get(target, allow_redirects=False, timeout=20)
                continue
            forms = forms_of(page.url, page.text)
            if page.status_code != 200 or not forms:
                return page
            fields = {name: typed.get(name, value) for name, value in forms[0].fields.items()}
            page = browser.post(forms[0].action, data=fields, allow_redirects=False, timeout=20)
        raise RuntimeError("the walk does not end")

    def tokens(self, **typed: str) -> dict[str, Any]:
        """Log in and redeem the code."""
        end = self.walk(**typed)
        assert isinstance(end, dict), (end.status_code, end.text, self.daemon.log()[-3000:])
        return self.token(grant_type="authorization_code", code=end["code"], redirect_uri=CALLBACK)

    def token(self, **form: str) -> dict[str, Any]:
        answer = requests.post(f"{self.daemon.issuer}/token", data=form, auth=APP, timeout=20)
        self.assertEqual(answer.status_code, 200, answer.text + self.daemon.log()[-2000:])
        tokens: dict[str, Any] = answer.json()
        return tokens

    def kept_out(self) -> None:
        end = self.walk()
        assert isinstance(end, requests.Response), end
        self.assertEqual(end.status_code, 500)


class StrictProviderTests(UpstreamCase):
    """npm oidc-provider."""

    def setUp(self) -> None:
        port, upstream = free_port(), free_port()
        self.node("oidc_provider.mjs", str(upstream), f"http://127.0.0.1:{port}/dex/callback")
        # Its ID tokens are thin: what the scopes give is at its userinfo endpoint.
        self.federate(port, f"http://127.0.0.1:{upstream}", getUserInfo=True)

    def test_logs_in_and_refreshes_as_often_as_one_likes(self) -> None:
        tokens = self.tokens(login="jane", password="any")
        for _ in range(3):
            claims = claims_of(tokens["id_token"])
            self.assertEqual(
                (
                    claims["sub"],
                    claims["name"],
                    claims["preferred_username"],
                    claims["email"],
                    claims["groups"],
                ),
                (
                    packed_subject("jane", "up"),
                    "Name of jane",
                    "jane",
                    "jane@example.org",
                    ["staff", "admins"],
                ),
            )
            tokens = self.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    if reason := missing("oidc-provider"):
        skip = reason


class HostileProviderTests(UpstreamCase):
    """npm oauth2-mock-server, with claims that nobody should believe."""

    WRONG: ClassVar[tuple[dict[str, Any], ...]] = (
        {"aud": "another"},
        {"aud": ["federation", "another"]},
        {"iss": "https://other.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"azp": "another"},
        {"email_verified": None},
        {"at_hash": "MDEyMzQ1Njc4OWFiY2RlZg"},
    )

    def test_FU_01_wrong_claims(self) -> None:
        port, upstream = free_port(), free_port()
        server = self.node("oauth2_mock_server.mjs", str(upstream))
        # It names itself by another name than its address.
        issuer = requests.get(
            f"http://127.0.0.1:{upstream}/.well-known/openid-configuration", timeout=10
        ).json()["issuer"]
        self.federate(port, issuer, scopes=["profile", "email"])
        assert server.stdin is not None
        assert server.stdout is not None
        for over in ({}, *self.WRONG, {}):
            print(json.dumps(over), file=server.stdin, flush=True)
            self.assertEqual(server.stdout.readline(), "ready\n")
            if over:
                self.kept_out()
            else:
                self.assertEqual(claims_of(self.tokens()["id_token"])["name"], "Jane Doe")

    if reason := missing("oauth2-mock-server"):
        skip = reason


class OwnProviderTests(UpstreamCase):
    """A second daemon, with a local user."""

    def setUp(self) -> None:
        port = free_port()
        client = {
            "id": "federation",
            "name": "Federation",
            "secret": SECRET,
            "redirectURIs": [f"http://127.0.0.1:{port}/dex/callback", CALLBACK],
        }
        over = {
            "connectors": [],
            "staticClients": [
                client,
                {"id": "app", "name": "App", "secret": "s", "redirectURIs": [CALLBACK]},
            ],
        }
        self.upstream = DaemonProcess(Path(self.mktemp()).absolute(), over)
        self.upstream.start()
        self.addCleanup(self.upstream.stop)
        self.federate(port, self.upstream.issuer)

    def test_login_hint_of_the_application_reaches_the_provider(self) -> None:
        where = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": SCOPE}
        page = requests.get(
            f"{self.daemon.issuer}/auth/up",
            params={**where, "login_hint": "jane@example.com"},
            allow_redirects=False,
            timeout=20,
        )
        asked = dict(parse_qsl(urlsplit(page.headers["Location"]).query))
        self.assertEqual((asked["client_id"], asked["login_hint"]), ("federation", "jane@example.com"))

    def test_logs_in_and_refreshes_as_often_as_one_likes(self) -> None:
        subject = packed_subject(packed_subject("jane-id", "local"), "up")
        tokens = self.tokens(login="jane@example.com", password="password")
        for _ in range(3):
            claims = claims_of(tokens["id_token"])
            self.assertEqual(
                (claims["sub"], claims["name"], claims["groups"]), (subject, "jane", ["readers"])
            )
            tokens = self.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def test_FU_01_keys_are_found_after_the_upstream_has_lost_them(self) -> None:
        self.tokens(login="jane@example.com", password="password")
        self.upstream.stop()
        self.upstream.database.unlink()
        self.upstream.start()
        self.tokens(login="jane@example.com", password="password")

    def test_RL_10_upstream_that_was_away_at_the_start_is_used_when_it_comes(self) -> None:
        self.upstream.stop()
        self.daemon.stop()
        self.daemon.start()
        end = self.walk()
        assert isinstance(end, requests.Response)
        self.assertEqual(end.status_code, 502)
        self.upstream.start()
        self.tokens(login="jane@example.com", password="password")
