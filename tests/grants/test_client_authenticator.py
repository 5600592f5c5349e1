"""Clients that say who they are with an assertion."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs as captured_logs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.model.client import CLIENTS, Client
from dextwist.model.times import utc_now
from dextwist.model.used_assertion import USED_ASSERTIONS
from dextwist.oauth.client_assertion import JWT_BEARER
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.parameters import Form
from dextwist.signing.client_assertions import ClientAssertions
from dextwist.storage.interface import Create, StorageUnavailable
from tests.grants.fakes import ISSUER, SteppedStorage, clock_at_the_beginning
from tests.signing.asserting import SECRET, new_key, public, secret_key, signed

KEY = new_key("P-256", kid="k")
SIGNER = Client(id="signer", secret=SECRET)
KEYED = Client(id="keyed", jwks=(public(KEY),))


class AssertionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.storage = clock_at_the_beginning(), SteppedStorage()
        self.authenticator = ClientAuthenticator(
            storage=self.storage,
            clock=self.clock,
            assertions=ClientAssertions(),
            audiences=(ISSUER, f"{ISSUER}/token"),
        )
        for client in (SIGNER, KEYED):
            self.successResultOf(self.storage.write(Create(CLIENTS, client)))

    def claims(self, client_id: str, **changed: Any) -> dict[str, Any]:
        now = int(self.clock.seconds())
        claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 60, "jti": "one"}
        return {**claims, **changed}

    def assertion(self, client: Client = SIGNER, **changed: Any) -> str:
        claims = self.claims(client.id, **changed)
        return signed(claims, KEY, "ES256", kid="k") if client.jwks else signed(claims, secret_key(), "HS256")

    def presenting(self, assertion: str, authorization: str | None = None, **fields: str) -> Deferred[Client]:
        form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion, **fields}
        answer = self.authenticator.client(Form(tuple(form.items())), authorization)
        return Deferred.fromCoroutine(answer)

    def refused(self, assertion: str, authorization: str | None = None, **fields: str) -> OAuthError:
        error = self.failureResultOf(self.presenting(assertion, authorization, **fields), OAuthError).value
        assert isinstance(error, OAuthError)
        return error

    def assert_not_authenticated(self, assertion: str, **fields: str) -> None:
        error = self.refused(assertion, **fields)
        self.assertEqual(
            (error.error, error.status, error.description),
            ("invalid_client", 401, "invalid client credentials"),
        )

    def test_client_secret_jwt_and_private_key_jwt(self) -> None:
        for client in (SIGNER, KEYED):
            self.assertEqual(self.successResultOf(self.presenting(self.assertion(client))), client)

    def test_client_id_may_be_sent_and_must_be_the_same(self) -> None:
        self.assertEqual(self.successResultOf(self.presenting(self.assertion(), client_id="signer")), SIGNER)
        self.assert_not_authenticated(self.assertion(jti="two"), client_id="keyed")

    def test_an_assertion_works_once(self) -> None:
        assertion = self.assertion()
        self.successResultOf(self.presenting(assertion))
        self.assert_not_authenticated(assertion)
        self.successResultOf(self.presenting(self.assertion(jti="two")))
        self.successResultOf(self.presenting(self.assertion(KEYED)))

    def test_of_two_at_once_one_works(self) -> None:
        assertion = self.assertion()
        self.storage.turnstile.shut = True
        both = [self.presenting(assertion), self.presenting(assertion)]
        self.storage.turnstile.open()
        outcomes = []
        for each in both:
            each.addCallbacks(outcomes.append, lambda failure: outcomes.append(failure.value))
        self.assertEqual(sum(outcome == SIGNER for outcome in outcomes), 1)
        self.assertEqual(sum(isinstance(outcome, OAuthError) for outcome in outcomes), 1)

    def test_it_is_remembered_for_as_long_as_it_would_work(self) -> None:
        assertion = self.assertion()
        self.successResultOf(self.presenting(assertion))
        self.clock.advance(59.9)
        self.successResultOf(self.storage.collect_garbage(utc_now(self.clock)))
        self.assert_not_authenticated(assertion)
        self.clock.advance(10)
        self.successResultOf(self.storage.collect_garbage(utc_now(self.clock)))
        self.assertEqual(self.successResultOf(self.storage.page(USED_ASSERTIONS)).values, ())
        self.assert_not_authenticated(assertion)

    def test_OA_15_whatever_is_wrong_with_it_is_answered_alike(self) -> None:
        for changed in (
            {"aud": "https://elsewhere.test"},
            {"exp": 0},
            {"sub": "keyed"},
            {"iss": "keyed", "sub": "keyed"},
            {"iss": "nobody", "sub": "nobody"},
            {"jti": ""},
        ):
            self.assert_not_authenticated(self.assertion(**changed))
        for assertion in ("", "nonsense", "a.b.c"):
            self.assert_not_authenticated(assertion)
        self.assert_not_authenticated(self.assertion(), client_assertion_type="urn:other")
        self.assert_not_authenticated(self.assertion(), client_assertion_type="")
        self.assertEqual(self.successResultOf(self.storage.page(USED_ASSERTIONS)).values, ())

    def test_a_secret_beside_it_is_refused(self) -> None:
        basic = "Basic c2lnbmVyOg=="  # signer and no secret
        for authorization, fields in ((None, {"client_secret": SECRET}), (basic, {})):
            error = self.refused(self.assertion(), authorization, **fields)
            self.assertEqual((error.error, error.status), ("invalid_request", 400))

    def test_a_client_with_keys_has_no_blank_secret(self) -> None:
        form = Form((("client_id", "keyed"),))
        self.failureResultOf(self.authenticator.client(form, None), OAuthError)

    def test_RL_05_a_use_that_cannot_be_remembered_authenticates_nobody(self) -> None:
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.presenting(self.assertion()), StorageUnavailable)

    def test_WB_15_assertions_are_not_logged(self) -> None:
        assertion = self.assertion()
        with captured_logs() as events:
            self.successResultOf(self.presenting(assertion))
            self.assert_not_authenticated(assertion)
        self.assertEqual([(e["client_id"], e["reason"]) for e in events], [("signer", "it was used before")])
        self.assertNotIn(assertion, repr(events))
