"""Discovery tells exactly what is on (OA-47): what it lists works, and what it does not list is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
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
from dextwist.oauth.response_types import RESPONSE_TYPES
from tests.direct import Answer, Direct, direct

CALLBACK = "http://client.example/callback"
APP = ("app", "app-secret")
SCOPE = "openid offline_access"
#: RFC 7636 appendix B
VERIFIER, S256 = (
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
)
PAIRS = {"S256": S256, "plain": VERIFIER}
GRANTS = (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)


def some(values: Any) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(values)), min_size=1, unique=True)


OAUTH2 = st.fixed_dictionaries(
    {
        "responseTypes": some(RESPONSE_TYPES),
        "pkce": st.fixed_dictionaries({"codeChallengeMethodsSupported": some(PAIRS)}),
        "passwordConnector": st.sampled_from(["", "pw"]),
    },
    optional={"grantTypes": some({*GRANTS, IMPLICIT})},
)


@attrs.frozen
class Provider:
    """A daemon, what it says of itself, and a client that tries it."""

    d: Direct
    document: Mapping[str, Any]

    def enter(self, **params: str) -> Answer:
        """Where an authorization request ends, through a login where there is one."""
        asked = {"client_id": "app", "redirect_uri": CALLBACK, "scope": SCOPE, "nonce": "n", **params}
        return self.d.follow(self.d.get("/auth/mock", **asked))

    def token(self, grant_type: str, **params: str) -> Answer:
        return self.d.post("/token", APP, grant_type=grant_type, **params)

    def supports(self, member: str, value: str) -> bool:
        return value in self.document[member]

    def takes_response_type(self, words: str) -> bool:
        """A value that is listed, or made of listed single words, as dex has it."""
        return self.supports("response_types_supported", words) or all(
            self.supports("response_types_supported", word) for word in words.split()
        )

    def code(self) -> str:
        """A code, if any is to be had."""
        challenge = self.document["code_challenge_methods_supported"][0]
        pair = {"code_challenge": PAIRS[challenge], "code_challenge_method": challenge}
        return self.enter(response_type="code", **pair).params.get("code", "")


class DiscoveryTests(SynchronousTestCase):
    """Configurations of every kind."""

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(OAUTH2)
    @example(
        {
            "responseTypes": ["code token"],
            "grantTypes": [IMPLICIT],
            "pkce": {"codeChallengeMethodsSupported": ["S256"]},
            "passwordConnector": "",
        }
    )
    def test_OA_47_OA_18_it_is_exact(self, oauth2: dict[str, Any]) -> None:
        config = {
            "oauth2": {**oauth2, "skipApprovalScreen": True},
            "connectors": [
                {"type": "mockCallback", "id": "mock", "name": "Mock"},
                {
                    "type": "mockPassword",
                    "id": "pw",
                    "name": "Pw",
                    "config": {"username": "u", "password": "p"},
                    "grantTypes": [PASSWORD, REFRESH_TOKEN],
                },
            ],
            "staticClients": [
                {
                    "id": "app",
                    "name": "App",
                    "secret": "app-secret",
                    "redirectURIs": [CALLBACK, "/dex/device/callback"],
                },
                {"id": "public", "name": "Public", "public": True},
            ],
        }
        with direct(self, config) as d:
            provider = Provider(d, d.get("/.well-known/openid-configuration").json)
            self.check_endpoints(provider)
            self.check_response_types(provider)
            self.check_proof_keys(provider)
            self.check_grants(provider)
            self.check_scopes_and_modes(provider)
            self.check_client_authentication(provider)

    def check_endpoints(self, provider: Provider) -> None:
        document = provider.document
        for member, url in document.items():
            if member.endswith(("_endpoint", "_uri")):
                path = urlsplit(url).path
                self.assertIsNotNone(provider.d.daemon.front.table.find(path), member)
        devices = provider.supports("grant_types_supported", DEVICE_CODE)
        self.assertEqual("device_authorization_endpoint" in document, devices)
        answer = provider.d.ask("POST", "/dex/device/code", {"scope": SCOPE}, client=APP)
        self.assertEqual(answer.status if answer else 404, 200 if devices else 404)
        if answer and devices:
            d, codes = provider.d, answer.json
            page = d.submit(d.get("/device", user_code=codes["user_code"]), "user_code")
            self.assertEqual(d.submit(page, "approval", "approve").status, 200)
            tokens = provider.token(DEVICE_CODE, device_code=codes["device_code"])
            self.assertEqual(tokens.status, 200)

    def check_response_types(self, provider: Provider) -> None:
        members = {"code": "code", "id_token": "id_token", "token": "access_token"}
        for words in RESPONSE_TYPES:
            challenge = {"code_challenge": S256, "code_challenge_method": "S256"}
            if not provider.supports("code_challenge_methods_supported", "S256"):
                challenge = {}
            end = provider.enter(response_type=words, **challenge)
            if not provider.takes_response_type(words):
                self.assertEqual(end.error, "unsupported_response_type", words)
            elif words == "token":
                # Known, and no OpenID Connect request by itself.
                self.assertEqual(end.error, "invalid_request")
            else:
                given_back = {member for member in members.values() if member in end.params}
                self.assertEqual(given_back, {members[word] for word in words.split()}, words)
                if "id_token" in end.params:
                    self.check_algorithm(provider, end.params["id_token"])

    def check_algorithm(self, provider: Provider, token: str) -> None:
        head = token.partition(".")[0]
        algorithm = json.loads(base64.urlsafe_b64decode(head + "=="))["alg"]
        self.assertTrue(provider.supports("id_token_signing_alg_values_supported", algorithm))

    def check_proof_keys(self, provider: Provider) -> None:
        words = next((each for each in RESPONSE_TYPES if provider.takes_response_type(each)), "")
        for method, challenge in PAIRS.items():
            end = provider.enter(response_type=words, code_challenge=challenge, code_challenge_method=method)
            refused = "code_challenge_method" in end.params.get("error_description", "")
            self.assertEqual(refused, not provider.supports("code_challenge_methods_supported", method))

    def check_grants(self, provider: Provider) -> None:
        supported = {*provider.document["grant_types_supported"]}
        self.assertLessEqual(supported, {*GRANTS, IMPLICIT})
        for grant_type in (*GRANTS, IMPLICIT, "barter"):
            refused = provider.token(grant_type).error == "unsupported_grant_type"
            # Tokens of the implicit grant come from the authorization endpoint.
            self.assertEqual(refused, grant_type == IMPLICIT or grant_type not in supported, grant_type)
        if IMPLICIT in supported:
            self.assertTrue(any("token" in t.split() for t in provider.document["response_types_supported"]))
        self.check_grants_that_work(provider, supported)

    def check_grants_that_work(self, provider: Provider, supported: set[str]) -> None:
        answers = {
            CLIENT_CREDENTIALS: {"scope": "openid"},
            PASSWORD: {"username": "u", "password": "p", "scope": SCOPE},
            TOKEN_EXCHANGE: {
                "connector_id": "mock",
                "subject_token": "x",
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            },
        }
        refresh_token = ""
        for grant_type, params in answers.items():
            if grant_type in supported:
                answer = provider.token(grant_type, **params)
                self.assertEqual(answer.status, 200, grant_type)
                refresh_token = answer.json.get("refresh_token", refresh_token)
        if any("code" in words.split() for words in provider.document["response_types_supported"]):
            self.assertIn(AUTHORIZATION_CODE, supported)
        if AUTHORIZATION_CODE in supported and provider.takes_response_type("code"):
            answer = provider.token(
                AUTHORIZATION_CODE, code=provider.code(), redirect_uri=CALLBACK, code_verifier=VERIFIER
            )
            self.assertEqual(answer.status, 200, answer.response.body)
            refresh_token = answer.json.get("refresh_token", refresh_token)
        if REFRESH_TOKEN in supported and refresh_token:
            self.assertEqual(provider.token(REFRESH_TOKEN, refresh_token=refresh_token).status, 200)

    def check_scopes_and_modes(self, provider: Provider) -> None:
        words = next(
            (each for each in RESPONSE_TYPES if each != "token" and provider.takes_response_type(each)), ""
        )
        if not words:
            return
        scopes = " ".join(provider.document["scopes_supported"])
        self.assertEqual(provider.enter(response_type=words, scope=scopes).error, "")
        self.assertEqual(provider.enter(response_type=words, scope="openid wings").error, "invalid_scope")
        for mode in (*provider.document["response_modes_supported"], "pigeon"):
            end = provider.enter(response_type=words, response_mode=mode)
            in_query = mode == "query" and words != "code"
            self.assertEqual(end.error == "invalid_request", mode == "pigeon" or in_query, mode)

    def check_client_authentication(self, provider: Provider) -> None:
        """`none` is what a public client does; no client here can sign assertions."""
        ways = provider.document["token_endpoint_auth_methods_supported"]
        self.assertEqual(ways, ["client_secret_basic", "client_secret_post", "none"])
        grant_type = next((g for g in GRANTS if provider.supports("grant_types_supported", g)), "")
        for client, params, error in (
            (APP, {}, False),
            (None, {"client_id": "app", "client_secret": "app-secret"}, False),
            (None, {"client_id": "public"}, False),
            (None, {"client_id": "app"}, True),
            (("app", "wrong"), {}, True),
        ):
            answer = provider.d.post("/token", client, grant_type=grant_type, **params)
            self.assertEqual(answer.error == "invalid_client", error and bool(grant_type))
