"""Revoking refresh tokens, alone and beside a refresh (OA-24, RL-03, RL-04)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred

from dextwist.grants.interface import TokenResponse
from dextwist.model.revoked_token import REVOKED_TOKENS
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.packed import packed
from dextwist.signing.interface import InvalidToken
from dextwist.storage.interface import StorageUnavailable
from dextwist.tokens.revocation import TokenRevoker
from dextwist.tokens.verifier import TokenVerifier
from tests.grants.fakes import ISSUER, Choose, every_schedule
from tests.grants.refreshing import APP, FIRST, OTHER, RefreshTestCase


class RevocationTestCase(RefreshTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.verifier = TokenVerifier(
            issuer=ISSUER, signer=self.signer, storage=self.storage, clock=self.clock
        )
        self.revoker = TokenRevoker(
            storage=self.storage, verifier=self.verifier, clock=self.clock, lifetime=timedelta(hours=1)
        )

    def revoking(self, token: str = FIRST, client: Any = APP) -> Deferred[None]:
        return Deferred.fromCoroutine(self.revoker.revoke(token, client))

    def revoke(self, token: str = FIRST, client: Any = APP) -> None:
        self.successResultOf(self.revoking(token, client))

    def assert_works(self, access_token: str) -> None:
        self.successResultOf(self.verifier.access_token(access_token))

    def assert_dead(self, access_token: str) -> None:
        self.failureResultOf(self.verifier.access_token(access_token), InvalidToken)


class RefreshTokenTests(RevocationTestCase):
    def test_OA_24_the_token_and_its_reference_are_gone(self) -> None:
        self.revoke()
        self.assert_ended()
        self.refused()

    def test_OA_24_any_secret_that_it_had_ends_the_family(self) -> None:
        for spent in range(3):
            self.setUp()
            secrets = [FIRST]
            for _ in range(2):
                secrets.append(self.refreshed(secrets[-1]).refresh_token)
                self.clock.advance(60)
            self.revoke(secrets[spent])
            self.assert_ended()

    def test_OA_24_access_tokens_of_the_family_end_too(self) -> None:
        response = self.refreshed()
        self.assert_works(response.access_token)
        self.revoke(response.refresh_token)
        self.assert_dead(response.access_token)

    def test_OA_24_an_expired_token_can_be_ended(self) -> None:
        self.clock.advance(10 * 365 * 86400)
        self.revoke()
        self.assert_ended()

    def test_OA_24_other_logins_live_on(self) -> None:
        self.store("rid2")
        other = self.refreshed(packed("rid2", "s0"))
        self.revoke()
        self.assert_works(other.access_token)
        self.refreshed(other.refresh_token)

    def test_OA_24_what_is_no_token_of_the_client_is_left_alone(self) -> None:
        access_token = self.refreshed().access_token
        current = packed("rid", self.token().token)
        for token, client in (
            (current, OTHER),
            (access_token, OTHER),
            (packed("rid", "guess"), APP),
            ("rid", APP),
            (packed("unknown", "s0"), APP),
            ("nonsense", APP),
            ("a.b.c", APP),
            ("", APP),
        ):
            self.revoke(token, client)
        self.assert_works(access_token)
        self.refreshed(current)

    def test_OA_24_twice_is_as_good_as_once(self) -> None:
        for _ in range(2):
            self.revoke()
        self.assert_ended()

    def test_RL_04_a_storage_that_does_not_answer_is_no_success(self) -> None:
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.revoking(), StorageUnavailable)
        self.storage.write_failure, self.storage.read_failure = None, StorageUnavailable()
        self.failureResultOf(self.revoking(), StorageUnavailable)
        self.storage.read_failure = None
        self.refreshed()


class AccessTokenTests(RevocationTestCase):
    def test_OA_24_it_alone_ends(self) -> None:
        first = self.refreshed()
        second = self.refreshed(first.refresh_token)
        self.revoke(first.access_token)
        self.assert_dead(first.access_token)
        self.assert_works(second.access_token)
        self.refreshed(second.refresh_token)

    def test_OA_24_its_end_is_remembered_until_it_expires(self) -> None:
        access_token = self.refreshed().access_token
        self.revoke(access_token)
        (revoked,) = self.successResultOf(self.storage.page(REVOKED_TOKENS)).values
        self.assertEqual(revoked.expires_at.timestamp(), self.read(access_token).claims["exp"])

    def test_OA_24_an_id_token_is_no_access_token(self) -> None:
        self.revoke(self.refreshed().id_token)
        self.assertEqual(self.successResultOf(self.storage.page(REVOKED_TOKENS)).values, ())

    def test_a_token_without_an_id_cannot_be_ended_and_that_is_said(self) -> None:
        old = b'{"iss":"%s","aud":"app","exp":99999999999}' % ISSUER.encode()
        token = self.successResultOf(self.signer.with_signature(lambda s: s.sign(old)))
        error = self.failureResultOf(self.revoking(token), OAuthError).value
        self.assertEqual((error.error, error.status), ("unsupported_token_type", 400))


class RaceTests(RevocationTestCase):
    """A refresh and a revocation of one token, each of whose waits ends when it is chosen."""

    def test_RL_03_in_every_order_nothing_of_the_family_works_afterwards(self) -> None:
        outcomes = set()

        def scenario(choose: Choose) -> None:
            self.setUp()
            given: list[TokenResponse] = []
            turnstile = self.storage.turnstile
            self.upstream.turnstile = turnstile
            turnstile.shut = True
            refreshing = self.refresh()
            refreshing.addCallbacks(given.append, lambda failure: failure.trap(OAuthError))
            revoking = self.revoking()
            while turnstile.waiting:
                turnstile.let_on(choose(len(turnstile.waiting)))
            turnstile.open()
            self.successResultOf(revoking)
            self.assert_ended()
            self.refused()
            for response in given:
                self.refused(response.refresh_token)
                self.assert_dead(response.access_token)
            outcomes.add(len(given))

        every_schedule(scenario)
        self.assertEqual(outcomes, {0, 1}, "both sides win now and then")

    def test_RL_03_a_predecessor_under_way_gives_nothing_that_works(self) -> None:
        self.refreshed()
        examined = self.examined(FIRST)
        self.revoke()
        response = self.successResultOf(self.begun(examined))
        self.refused(response.refresh_token)
        self.assert_dead(response.access_token)

    def test_RL_03_the_end_is_still_known_when_the_last_token_expires(self) -> None:
        self.refreshed()
        examined = self.examined(FIRST)
        self.revoke()
        self.clock.advance(29)
        late = self.successResultOf(self.begun(examined)).access_token
        self.clock.advance(3599)
        self.successResultOf(self.storage.collect_garbage(utc_now(self.clock)))
        self.assert_dead(late)
