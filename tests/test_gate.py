"""The one gate (OA-31): every endpoint and every grant asks it.

Each way in is tried three times over one storage: open, and with each fence that the gate knows put up
between getting ready and trying. A route or a grant that is added without a row here fails the suite.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    IMPLICIT,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from dextwist.storage.memory import MemoryStorage
from tests.direct import Answer, Direct, direct

CALLBACK = "http://client.example/callback"
APP, PEER = ("app", "app-secret"), ("peer", "peer-secret")
SCOPE = "openid offline_access audience:server:client_id:peer"
MACHINE_SCOPE = "openid audience:server:client_id:peer"
GRANTS = (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
CONFIG: Mapping[str, Any] = {
    "oauth2": {"grantTypes": [*GRANTS], "passwordConnector": "pw", "skipApprovalScreen": True},
    "connectors": [
        {"type": "mockCallback", "id": "mock", "name": "Mock"},
        {
            "type": "mockPassword",
            "id": "pw",
            "name": "Pw",
            "config": {"username": "u", "password": "p"},
            "grantTypes": [PASSWORD],
        },
    ],
    "staticClients": [
        {
            "id": "app",
            "name": "App",
            "secret": "app-secret",
            "redirectURIs": [CALLBACK, "/dex/device/callback"],
        },
        {"id": "peer", "name": "Peer", "secret": "peer-secret", "trustedPeers": ["app"]},
        {"id": "public", "name": "Public", "public": True},
    ],
}


# Fences: what an operator changes so that something is no longer allowed.


def other_connectors(config: Any) -> None:
    """The client may only use a connector that is not there."""
    config["staticClients"][0]["allowedConnectors"] = ["elsewhere"]


def other_grants(config: Any) -> None:
    """The connectors serve a grant only that nobody asks for."""
    for connector in config["connectors"]:
        connector["grantTypes"] = [IMPLICIT]


def no_trust(config: Any) -> None:
    """The peer does not trust the client."""
    del config["staticClients"][1]["trustedPeers"]


def no_redirects(config: Any) -> None:
    """The redirect targets are not the client's."""
    config["staticClients"][0]["redirectURIs"] = ["http://client.example/elsewhere"]


def no_codes(config: Any) -> None:
    """Nobody gets or redeems authorization codes."""
    config["oauth2"]["grantTypes"].remove(AUTHORIZATION_CODE)


FENCES = (other_connectors, other_grants, no_trust, no_redirects, no_codes)


# Ways in: getting ready, while everything is open, and trying.


def nothing(d: Direct) -> str:
    """There is nothing to get ready."""
    return ""


def code(d: Direct) -> str:
    """A code of a login."""
    return d.follow(enter(d, "/auth/mock")).params["code"]


def refresh_token(d: Direct) -> str:
    """A refresh token."""
    return str(redeem_code(d, code(d)).json["refresh_token"])


def device_code(d: Direct) -> str:
    """A device code with which somebody has signed in."""
    codes = d.post("/device/code", APP, scope=SCOPE).json
    page = d.submit(d.get("/device", user_code=codes["user_code"]), "user_code")
    end = d.submit(page, "approval", "approve")
    assert end.status == 200, end.response.body
    return str(codes["device_code"])


def enter(d: Direct, path: str) -> Answer:
    return d.get(path, client_id="app", redirect_uri=CALLBACK, response_type="code", scope=SCOPE)


def token(d: Direct, grant_type: str, **params: str) -> Answer:
    return d.post("/token", APP, grant_type=grant_type, **params)


def redeem_code(d: Direct, ready: str) -> Answer:
    return token(d, AUTHORIZATION_CODE, code=ready, redirect_uri=CALLBACK)


def exchange(d: Direct, ready: str) -> Answer:
    return token(
        d,
        TOKEN_EXCHANGE,
        connector_id="mock",
        subject_token="x",
        subject_token_type="urn:ietf:params:oauth:token-type:id_token",
        scope=MACHINE_SCOPE,
    )


Fence = Callable[[Any], None]


@attrs.frozen
class Way:
    """A way in."""

    ready: Callable[[Direct], str]
    attempt: Callable[[Direct, str], Answer]
    #: how it ends while everything is open.
    open: int
    #: how it ends at each fence: the status and the OAuth error, which a page does not have. A fence
    #: without an entry has nothing to do with it.
    fenced: Mapping[Fence, tuple[int, str]]


AT_TOKEN: Mapping[Fence, tuple[int, str]] = {
    other_connectors: (400, "invalid_grant"),
    other_grants: (400, "invalid_request"),
    no_trust: (400, "invalid_scope"),
}

ROUTES: Mapping[str, Way] = {
    "/auth": Way(
        nothing,
        lambda d, _: enter(d, "/auth"),
        302,
        {
            other_connectors: (400, ""),
            other_grants: (400, ""),
            no_trust: (303, "invalid_scope"),
            no_redirects: (400, ""),
            no_codes: (303, "unsupported_response_type"),
        },
    ),
    "/auth/{connector}": Way(
        nothing,
        lambda d, _: enter(d, "/auth/mock"),
        302,
        {
            other_connectors: (403, ""),
            other_grants: (400, ""),
            no_trust: (303, "invalid_scope"),
            no_redirects: (400, ""),
            no_codes: (303, "unsupported_response_type"),
        },
    ),
    "/device/code": Way(
        nothing,
        lambda d, _: d.post("/device/code", APP, scope=SCOPE),
        200,
        {no_trust: (400, "invalid_scope"), no_redirects: (400, "unauthorized_client")},
    ),
}

TOKEN_GRANTS: Mapping[str, Way] = {
    # Whether the connector serves a code was decided when the login began.
    AUTHORIZATION_CODE: Way(
        code,
        redeem_code,
        200,
        {
            **{fence: AT_TOKEN[fence] for fence in (other_connectors, no_trust)},
            no_codes: (400, "unsupported_grant_type"),
        },
    ),
    REFRESH_TOKEN: Way(
        refresh_token, lambda d, ready: token(d, REFRESH_TOKEN, refresh_token=ready), 200, AT_TOKEN
    ),
    DEVICE_CODE: Way(device_code, lambda d, ready: token(d, DEVICE_CODE, device_code=ready), 200, AT_TOKEN),
    PASSWORD: Way(
        nothing, lambda d, _: token(d, PASSWORD, username="u", password="p", scope=SCOPE), 200, AT_TOKEN
    ),
    TOKEN_EXCHANGE: Way(nothing, exchange, 200, AT_TOKEN),
    CLIENT_CREDENTIALS: Way(
        nothing,
        lambda d, _: token(d, CLIENT_CREDENTIALS, scope=MACHINE_SCOPE),
        200,
        {no_trust: AT_TOKEN[no_trust]},
    ),
}

#: Routes where the gate has another question, with the test that asks it.
ASKED_OTHERWISE = {
    "/token": "test_every_grant_stops_at_every_fence",
    "/token/introspect": "test_OA_48_introspection_is_for_clients_that_prove_who_they_are",
    "/token/revoke": "test_revocation_is_for_the_client_that_holds_the_token",
}
#: Routes that decide nothing of the kind, and why.
NOTHING_TO_DECIDE = {
    "/": "the home page is for everybody",
    "/.well-known/openid-configuration": "metadata is for everybody",
    "/keys": "public keys are for everybody",
    "/healthz": "a probe",
    "/robots.txt": "for everybody",
    "/userinfo": "whoever holds an access token may read it",
    "/auth/{connector}/login": "a login that came through /auth/{connector}",
    "/callback": "a login that came through /auth/{connector}",
    "/callback/{connector}": "a login that came through /auth/{connector}",
    "/approval": "a login that came through /auth/{connector}",
    "/device": "a form; what is typed leads to /auth",
    "/device/auth/verify_code": "leads to /auth",
    "/device/callback": "a code that came through /auth, for the device whose it is",
}


def fenced(fence: Fence) -> Mapping[str, Any]:
    config = copy.deepcopy(dict(CONFIG))
    fence(config)
    return config


class GateTests(SynchronousTestCase):
    """Every way in."""

    def attempt(self, way: Way, fence: Fence | None) -> Answer:
        storage = MemoryStorage()
        with direct(self, CONFIG, storage) as d:
            ready = way.ready(d)
            if fence is None:
                return way.attempt(d, ready)
        with direct(self, fenced(fence), storage) as d:
            return way.attempt(d, ready)

    def assert_stops(self, ways: Mapping[str, Way]) -> None:
        for name, way in ways.items():
            answer = self.attempt(way, None)
            self.assertEqual((answer.status, answer.error), (way.open, ""), name)
            for fence in FENCES:
                expected = way.fenced.get(fence, (way.open, ""))
                answer = self.attempt(way, fence)
                self.assertEqual((answer.status, answer.error), expected, f"{name} {fence.__doc__}")

    def test_OA_31_every_way_to_a_login_stops_at_every_fence(self) -> None:
        self.assert_stops(ROUTES)

    def test_OA_31_every_grant_stops_at_every_fence(self) -> None:
        self.assert_stops(TOKEN_GRANTS)

    def test_OA_48_introspection_is_for_clients_that_prove_who_they_are(self) -> None:
        with direct(self, CONFIG) as d:
            token = redeem_code(d, code(d)).json["access_token"]
            self.assertTrue(d.post("/token/introspect", APP, token=token).json["active"])
            for stranger in (None, ("app", "wrong"), ("public", "")):
                answer = d.post("/token/introspect", stranger, token=token)
                self.assertEqual((answer.status, answer.error), (401, "invalid_client"))
            answer = d.post("/token/introspect", token=token, client_id="public")
            self.assertEqual((answer.status, answer.error), (401, "invalid_client"))

    def test_revocation_is_for_the_client_that_holds_the_token(self) -> None:
        with direct(self, CONFIG) as d:
            ready = refresh_token(d)
            for stranger in (None, ("app", "wrong")):
                answer = d.post("/token/revoke", stranger, token=ready)
                self.assertEqual((answer.status, answer.error), (401, "invalid_client"))
            for client, status in ((PEER, 200), (APP, 400)):
                d.post("/token/revoke", client, token=ready)
                answer = token(d, REFRESH_TOKEN, refresh_token=ready)
                self.assertEqual(answer.status, status)
                ready = answer.json.get("refresh_token", "")

    def test_public_client_never_acts_in_its_own_name(self) -> None:
        with direct(self, CONFIG) as d:
            answer = d.post("/token", grant_type=CLIENT_CREDENTIALS, client_id="public")
            self.assertEqual((answer.status, answer.error), (400, "unauthorized_client"))


class CompletenessTests(SynchronousTestCase):
    """Nothing is left out."""

    def test_every_route_has_its_row(self) -> None:
        with direct(self, CONFIG) as d:
            table = d.daemon.front.table
            routes = {route.pattern for route in table.exact.values()}
            routes |= {route.pattern for _, route in table.shapes}
        self.assertEqual(routes, {*ROUTES, *ASKED_OTHERWISE, *NOTHING_TO_DECIDE})
        for test in ASKED_OTHERWISE.values():
            self.assertTrue(any(name.endswith(test.removeprefix("test_")) for name in dir(GateTests)), test)

    def test_every_grant_has_its_row(self) -> None:
        with direct(self, CONFIG) as d:
            served = d.get("/.well-known/openid-configuration").json["grant_types_supported"]
        self.assertEqual({*served}, {*TOKEN_GRANTS})
