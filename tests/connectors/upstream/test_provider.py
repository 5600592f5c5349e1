"""The document and the keys of a provider over time."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.provider import Provider
from dextwist.jose.jws import VerifiedToken
from tests.connectors.federated import NOW
from tests.connectors.oidc.case import KEY, OTHER_KEY
from tests.upstreams.network import CountedCalls
from tests.upstreams.oidc_provider import DISCOVERY, KEYS, FakeProvider, new_key, signed
from tests.upstreams.served import Answer, sent

NEW = new_key("key-2")


class ProviderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.upstream = FakeProvider(clock=self.clock, keys=[KEY])
        http = UpstreamClient(
            connector_id="up", send=partial(sent, self.upstream), clock=self.clock, metrics=CountedCalls()
        )
        self.provider = Provider(http=http, issuer=self.upstream.url)

    def verifies(self, key: Any, **header: Any) -> bool:
        """Whether a token of this key is believed."""
        verifying = Deferred.fromCoroutine(self.provider.verified(signed({"a": 1}, key, **header)))
        verifying.addErrback(lambda failure: failure.trap(ConnectorError))
        found = self.successResultOf(verifying)
        return isinstance(found, VerifiedToken) and dict(found.claims) == {"a": 1}

    def asked(self, path: str) -> int:
        return len(self.upstream.calls_of(path))

    def publish(self, *jwks: Any) -> None:
        self.upstream.scripted[KEYS] = Answer.json({"keys": list(jwks)})

    def test_FU_01_new_key_is_looked_for_once_and_old_ones_are_forgotten(self) -> None:
        self.assertTrue(self.verifies(KEY))
        self.upstream.keys = [NEW]
        for _ in range(3):
            self.assertTrue(self.verifies(NEW))
        self.assertEqual(self.asked(KEYS), 2)
        self.assertFalse(self.verifies(KEY))

    def test_unknown_keys_do_not_make_a_flood(self) -> None:
        for number in range(20):
            self.assertFalse(self.verifies(OTHER_KEY, kid=f"made-up-{number}"))
        self.assertEqual((self.asked(KEYS), self.asked(DISCOVERY)), (2, 2))
        self.clock.advance(10)
        self.assertFalse(self.verifies(OTHER_KEY, kid="made-up"))
        self.assertEqual(self.asked(KEYS), 3)

    def test_forged_token_of_a_known_key_asks_nobody(self) -> None:
        self.verifies(KEY)
        for _ in range(3):
            self.assertFalse(self.verifies(OTHER_KEY))
        self.assertEqual(self.asked(KEYS), 1)

    def test_withdrawn_key_is_not_believed_for_ever(self) -> None:
        self.assertTrue(self.verifies(KEY))
        self.upstream.keys = [NEW]
        self.clock.advance(3599)
        self.assertTrue(self.verifies(KEY))
        self.clock.advance(1)
        self.assertFalse(self.verifies(KEY))

    def test_keys_that_have_moved_are_found(self) -> None:
        self.assertTrue(self.verifies(KEY))
        self.clock.advance(3600)
        self.upstream.scripted[KEYS] = Answer.json({}, 404)
        self.upstream.document["jwks_uri"] = f"{self.upstream.url}/moved"
        self.upstream.scripted["/moved"] = Answer.json({"keys": [json.loads(NEW.export_public())]})
        self.assertTrue(self.verifies(NEW))

    def test_document_is_read_again_every_day(self) -> None:
        def issuer_known() -> str:
            return self.successResultOf(Deferred.fromCoroutine(self.provider.document())).token_endpoint

        before = issuer_known()
        self.upstream.document["token_endpoint"] = f"{self.upstream.url}/moved"
        self.clock.advance(24 * 3600 - 1)
        self.assertEqual(issuer_known(), before)
        self.clock.advance(1)
        self.assertEqual(issuer_known(), f"{self.upstream.url}/moved")

    def test_keys_without_names_or_with_the_same(self) -> None:
        curve = new_key("x", "ES256", "EC", crv="P-256")
        for kid in (None, "same"):
            self.setUp()
            published = [json.loads(key.export_public()) for key in (curve, OTHER_KEY, KEY)]
            for jwk in published:
                del jwk["kid"]
            self.publish(*({**jwk, **({"kid": kid} if kid else {})} for jwk in published))
            self.assertTrue(self.verifies(KEY, kid=kid))
            self.assertTrue(self.verifies(curve, kid=kid))

    def test_strange_keys_do_no_harm(self) -> None:
        good = json.loads(KEY.export_public())
        self.publish(
            {"kty": "NEW", "kid": "a"},
            {"kty": "EC", "crv": "P-999", "kid": "b", "x": "AA", "y": "AA"},
            {"kty": "EC", "crv": ["P-256"], "kid": "c"},
            {"kty": "RSA", "n": 7, "e": None},
            {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "key-1"},
            "text",
            None,
            good,
        )
        self.assertTrue(self.verifies(KEY))

    def test_keys_for_something_else_verify_nothing(self) -> None:
        good = json.loads(KEY.export_public())
        for change in ({"use": "enc"}, {"alg": "RS512"}, {"alg": "RSA-OAEP"}):
            self.setUp()
            self.publish({**good, **change})
            self.assertFalse(self.verifies(KEY))

    def test_FU_01_keys_that_cannot_be_had(self) -> None:
        for answer in (
            Answer.json({}, 500),
            Answer.json({"keys": []}),
            Answer.json(["x"]),
            Answer(body=b"{"),
        ):
            self.setUp()
            self.upstream.scripted[KEYS] = answer
            self.assertFalse(self.verifies(KEY))
            del self.upstream.scripted[KEYS]
            self.assertTrue(self.verifies(KEY))
