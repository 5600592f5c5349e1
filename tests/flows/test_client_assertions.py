"""Clients that authenticate with assertions, from outside (RFC 7523)."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from dextwist.oauth.client_assertion import JWT_BEARER
from tests.flows.browser import Browser
from tests.flows.daemon import FlowCase, Running
from tests.signing.asserting import SECRET, new_key, public, secret_key, signed

KEY = new_key("Ed25519", kid="k")
CONFIG = {
    "oauth2": {"grantTypes": ["client_credentials"]},
    "staticClients": [
        {"id": "signer", "name": "Signer", "secret": SECRET},
        {"id": "keyed", "name": "Keyed", "jwks": {"keys": [dict(public(KEY))]}},
    ],
}


class ClientAssertionTests(FlowCase):
    async def post(self, running: Running, path: str, assertion: str, **more: str) -> tuple[int, Any]:
        data = {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion,
            "grant_type": "client_credentials",
            **more,
        }
        page = await Browser().request("POST", running.issuer + path, data=data)
        return page.status, json.loads(page.body or b"{}")

    def claims(self, client_id: str, audience: str) -> dict[str, Any]:
        return {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "exp": int(time.time()) + 60,
            "jti": str(uuid.uuid4()),
        }

    async def test_both_ways_with_both_audiences_at_every_endpoint(self) -> None:
        running = await self.start(CONFIG)
        for audience in (running.issuer, running.issuer + "/token"):
            for path in ("/token", "/token/introspect", "/token/revoke"):
                for client_id in ("signer", "keyed"):
                    claims = self.claims(client_id, audience)
                    keyed = client_id == "keyed"
                    assertion = (
                        signed(claims, KEY, "EdDSA", kid="k")
                        if keyed
                        else signed(claims, secret_key(), "HS256")
                    )
                    status, answer = await self.post(running, path, assertion, token="nonsense")
                    self.assertEqual(200, status, answer)

    async def test_an_assertion_works_once_wherever_it_is_shown(self) -> None:
        running = await self.start(CONFIG)
        assertion = signed(self.claims("keyed", running.issuer), KEY, "EdDSA")
        self.assertEqual(200, (await self.post(running, "/token", assertion))[0])
        for path in ("/token", "/token/introspect", "/token/revoke"):
            status, answer = await self.post(running, path, assertion, token="x")
            self.assertEqual((401, "invalid_client"), (status, answer["error"]))

    async def test_a_secret_beside_it_is_refused(self) -> None:
        running = await self.start(CONFIG)
        assertion = signed(self.claims("signer", running.issuer), secret_key(), "HS256")
        status, answer = await self.post(running, "/token", assertion, client_secret=SECRET)
        self.assertEqual((400, "invalid_request"), (status, answer["error"]))

    async def test_OA_47_discovery_tells_of_it(self) -> None:
        running = await self.start(CONFIG)
        page = await Browser().request("GET", running.issuer + "/.well-known/openid-configuration")
        document = json.loads(page.body)
        for endpoint in ("token", "introspection", "revocation"):
            methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
            self.assertLessEqual({"private_key_jwt", "client_secret_jwt"}, set(methods))
            algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
            self.assertLessEqual({"HS256", "RS256", "ES256", "EdDSA"}, set(algorithms))
            self.assertNotIn("none", algorithms)
