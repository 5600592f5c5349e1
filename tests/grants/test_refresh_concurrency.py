"""Refreshing at the same time: in one process, in several, in every order."""

from __future__ import annotations

from datetime import timedelta

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs as captured_logs

from dextwist.connectors.interface import ConnectorError, IdentityGone
from dextwist.grants.interface import TokenResponse
from dextwist.grants.refresh_token import RefreshTokenGrant
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import utc_now
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.packed import packed
from dextwist.storage.interface import StorageUnavailable, Update
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy, redeemed
from dextwist.tokens.refresh_tokens import ending, parse_refresh_token
from tests.grants.fakes import KILGORE, Choose, every_schedule
from tests.grants.refreshing import NO_WINDOW, REPLAYED, SESSION_KEY, RefreshTestCase


class Both:
    """What two redemptions came to."""

    def __init__(self, *redemptions: Deferred[TokenResponse]) -> None:
        self.answers: list[str] = []
        self.errors: list[str] = []
        for redemption in redemptions:
            redemption.addCallbacks(self._answered, self._failed)

    def _answered(self, response: TokenResponse) -> None:
        self.answers.append(response.refresh_token)

    def _failed(self, failure: object) -> None:
        error = getattr(failure, "value", None)
        self.errors.append(error.error if isinstance(error, OAuthError) else repr(error))


class ScheduleTestCase(RefreshTestCase):
    def played(self, choose: Choose, first: RefreshTokenGrant, second: RefreshTokenGrant) -> Both:
        """Two redemptions of one token, each of whose waits ends when it is chosen."""
        examined = [self.examined(grant=first), self.examined(grant=second)]
        turnstile = self.storage.turnstile
        self.upstream.turnstile = turnstile
        turnstile.shut = True
        both = Both(self.begun(examined[0], first), self.begun(examined[1], second))
        while turnstile.waiting:
            turnstile.let_on(choose(len(turnstile.waiting)))
        turnstile.shut = False
        return both


class OneProcessTests(ScheduleTestCase):
    def test_OA_25_in_every_order_one_look_up_and_one_successor(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            both = self.played(choose, self.grant, self.grant)
            self.assertEqual(both.errors, [])
            self.assertEqual(both.answers, [packed("rid", self.token().token)] * 2)
            self.assertEqual(len(self.upstream.asked), 1)

        every_schedule(scenario)

    def test_OA_26_without_a_window_there_is_one_winner_and_the_family_ends(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            grant = self.new_grant(policy=NO_WINDOW)
            both = self.played(choose, grant, grant)
            self.assertEqual((len(both.answers), both.errors), (1, ["invalid_grant"]))
            self.assertEqual(len(self.upstream.asked), 1)
            self.assert_ended()

        every_schedule(scenario)

    def test_without_rotation_both_share_one_look_up(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            grant = self.new_grant(policy=RefreshPolicy(rotate=False))
            both = self.played(choose, grant, grant)
            self.assertEqual((both.answers, both.errors), ([packed("rid", "s0")] * 2, []))
            self.assertEqual(len(self.upstream.asked), 1)

        every_schedule(scenario)

    def test_OA_25_crowd_gets_one_successor(self) -> None:
        self.upstream.turnstile.shut = True
        crowd = Both(*[self.begun() for _ in range(50)])
        self.assertEqual(len(self.upstream.asked), 1)
        self.upstream.turnstile.open()
        self.assertEqual(crowd.errors, [])
        self.assertEqual(crowd.answers, [packed("rid", self.token().token)] * 50)

    def test_31_9_crowd_without_a_window_has_one_winner(self) -> None:
        grant = self.new_grant(policy=NO_WINDOW)
        self.upstream.turnstile.shut = True
        crowd = Both(*[self.begun(grant=grant) for _ in range(12)])
        self.upstream.turnstile.open()
        self.assertEqual((len(crowd.answers), crowd.errors), (1, ["invalid_grant"] * 11))

    def test_waiters_use_the_scopes_that_they_asked_for(self) -> None:
        narrow = self.successResultOf(self.grant.examine(self.request(packed("rid", "s0"), scope="openid")))
        self.upstream.turnstile.shut = True
        whole, less = self.begun(), self.begun(narrow)
        self.upstream.turnstile.open()
        self.assertIn("groups", self.read(self.successResultOf(whole).id_token).claims)
        self.assertNotIn("groups", self.read(self.successResultOf(less).id_token).claims)

    def test_tokens_of_one_session_take_turns_at_the_upstream(self) -> None:
        # What it gave is theirs together, and it may honour it once.
        self.store("rid2")
        self.upstream.turnstile.shut = True
        one, two = self.begun(), self.begun(self.examined(packed("rid2", "s0")))
        self.assertEqual(len(self.upstream.asked), 1)
        self.upstream.turnstile.open()
        self.successResultOf(one)
        self.successResultOf(two)
        presented = [identity.connector_data for _, identity in self.upstream.asked]
        self.assertEqual(presented, [b"data-0", b"data-1"])
        self.assertEqual(self.session().connector_data, b"data-2")

    def test_nothing_of_the_storage_is_held_while_the_upstream_is_asked(self) -> None:
        self.store("rid2")
        self.upstream.turnstile.shut = True
        waiting = self.begun()
        self.connector = attrs.evolve(self.connector, connector=object())
        self.successResultOf(self.refresh(packed("rid2", "s0")))
        self.assertNoResult(waiting)


class SharedFailureTests(RefreshTestCase):
    def crowd_that_fails(self) -> Both:
        self.upstream.turnstile.shut = True
        crowd = Both(*[self.begun() for _ in range(5)])
        self.upstream.turnstile.open()
        self.assertEqual((len(self.upstream.asked), crowd.answers), (1, []))
        return crowd

    def assert_unharmed(self) -> None:
        self.assertEqual((self.token().token, self.token().obsolete_token), ("s0", ""))
        self.upstream.failure = self.storage.write_failure = None
        self.refreshed()

    def test_refusal_of_the_upstream_is_shared(self) -> None:
        self.upstream.failure = IdentityGone("disabled")
        self.assertEqual(self.crowd_that_fails().errors, ["invalid_grant"] * 5)
        self.assert_unharmed()

    def test_silence_of_the_upstream_is_shared(self) -> None:
        self.upstream.failure = ConnectorError("timed out", timed_out=True)
        self.assertEqual(self.crowd_that_fails().errors, ["temporarily_unavailable"] * 5)
        self.assert_unharmed()

    def test_RL_05_failure_of_the_storage_is_shared(self) -> None:
        self.storage.write_failure = StorageUnavailable()
        self.assertEqual(self.crowd_that_fails().errors, [repr(StorageUnavailable())] * 5)
        self.assert_unharmed()

    def test_RL_05_storage_that_cannot_be_read(self) -> None:
        examined = self.examined()
        self.storage.read_failure = StorageUnavailable()
        self.failureResultOf(self.begun(examined), StorageUnavailable)
        self.failureResultOf(self.refresh(), StorageUnavailable)
        self.storage.read_failure = None
        self.assert_unharmed()


class SeveralProcessesTests(ScheduleTestCase):
    def test_OA_25_in_every_order_one_successor(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            both = self.played(choose, self.grant, self.new_grant())
            self.assertEqual(both.errors, [])
            self.assertEqual(both.answers, [packed("rid", self.token().token)] * 2)
            # The upstream answered both, and may honour only what it said last.
            self.assertIn(self.session().connector_data, (b"data-1", b"data-2"))
            self.assertEqual(self.token().spent_digests, ())

        self.assertGreater(every_schedule(scenario), 100)

    def test_OA_26_without_a_window_there_is_one_winner_and_the_family_ends(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            both = self.played(choose, self.new_grant(policy=NO_WINDOW), self.new_grant(policy=NO_WINDOW))
            self.assertEqual((len(both.answers), both.errors), (1, ["invalid_grant"]))
            self.assert_ended()

        self.assertGreater(every_schedule(scenario), 100)

    def test_without_rotation_both_are_answered(self) -> None:
        policy = RefreshPolicy(rotate=False)

        def scenario(choose: Choose) -> None:
            self.setUp()
            both = self.played(choose, self.new_grant(policy=policy), self.new_grant(policy=policy))
            self.assertEqual((both.answers, both.errors), ([packed("rid", "s0")] * 2, []))

        every_schedule(scenario)


class UnderOurFeetTests(RefreshTestCase):
    """Another process changes the stored token between a look at it and the write."""

    def rotate_elsewhere(self, *secrets: str) -> None:
        for secret in secrets:

            def rotated(token: RefreshToken, secret: str = secret) -> RefreshToken:
                now = token.last_used_at
                return redeemed(token, RefreshPolicy(), now, new_secret=secret, claims=token.claims)

            self.successResultOf(self.storage.write(Update(REFRESH_TOKENS, "rid", rotated)))

    def under_way(self) -> Deferred[TokenResponse]:
        self.upstream.turnstile.shut = True
        return self.begun()

    def test_OA_25_its_successor_answers(self) -> None:
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs")
        self.upstream.turnstile.open()
        self.assertEqual(self.successResultOf(redeeming).refresh_token, packed("rid", "theirs"))
        self.assertEqual(self.token().token, "theirs")

    def test_OA_25_its_successor_answers_those_who_wait_as_well(self) -> None:
        crowd = Both(self.under_way(), self.begun(), self.begun())
        self.rotate_elsewhere("theirs")
        self.upstream.turnstile.open()
        self.assertEqual((crowd.answers, crowd.errors), ([packed("rid", "theirs")] * 3, []))

    def test_what_the_upstream_said_to_us_is_kept(self) -> None:
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs")
        self.upstream.turnstile.open()
        self.successResultOf(redeeming)
        self.assertEqual(self.session().connector_data, b"data-1")

    def test_its_claims_answer(self) -> None:
        self.upstream.claims = attrs.evolve(KILGORE, groups=("ours",))
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs")
        self.upstream.turnstile.open()
        claims = self.read(self.successResultOf(redeeming).id_token).claims
        self.assertEqual(claims["groups"], ["authors"])

    def test_OA_26_after_two_rotations_ours_is_a_replay(self) -> None:
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs", "theirs-2")
        with captured_logs() as events:
            self.upstream.turnstile.open()
        self.assertEqual(self.failureResultOf(redeeming, OAuthError).value.error, "invalid_grant")
        self.assertEqual(len([e for e in events if REPLAYED in str(e.get("log_format"))]), 1)
        self.assert_ended()

    def test_OA_25_after_the_window_ours_is_a_replay(self) -> None:
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs")
        self.clock.advance(31)
        self.upstream.turnstile.open()
        self.failureResultOf(redeeming, OAuthError)
        self.assert_ended()

    def test_RL_03_token_that_was_ended_meanwhile_gives_nothing(self) -> None:
        redeeming = self.under_way()
        changes = ending("rid", KILGORE.user_id, "mock", access_tokens_until=utc_now(self.clock))
        self.successResultOf(self.storage.write(*changes))
        self.upstream.turnstile.open()
        self.assertEqual(self.failureResultOf(redeeming, OAuthError).value.error, "invalid_grant")
        self.assert_ended()

    def test_RL_03_reference_that_was_removed_meanwhile_gives_nothing(self) -> None:
        def unlisted(session: OfflineSession) -> OfflineSession:
            return attrs.evolve(session, refresh={})

        redeeming = self.under_way()
        self.successResultOf(self.storage.write(Update(OFFLINE_SESSIONS, SESSION_KEY, unlisted)))
        self.upstream.turnstile.open()
        self.assertEqual(self.failureResultOf(redeeming, OAuthError).value.error, "invalid_grant")
        self.assertEqual(self.token().token, "s0")

    def test_data_that_another_token_brought_meanwhile_is_not_overwritten(self) -> None:
        def renewed(session: OfflineSession) -> OfflineSession:
            return attrs.evolve(session, connector_data=b"newer")

        for recheck in (RecheckPolicy(keep_on_error=True), RecheckPolicy(interval=None)):
            self.setUp()
            self.grant = self.new_grant(rechecks={"mock": recheck})
            self.upstream.failure = ConnectorError("unreachable")
            examined = self.examined()
            self.storage.turnstile.shut = True
            redeeming = self.begun(examined)
            self.storage.turnstile.let_on()
            self.storage.turnstile.let_on()
            self.storage.turnstile.shut = False
            self.successResultOf(self.storage.write(Update(OFFLINE_SESSIONS, SESSION_KEY, renewed)))
            self.storage.turnstile.open()
            self.successResultOf(redeeming)
            self.assertEqual(self.session().connector_data, b"newer")

    def test_claims_that_another_process_brought_meanwhile_are_not_overwritten(self) -> None:
        renewed = attrs.evolve(KILGORE, groups=("newer",))
        self.grant = self.new_grant(
            policy=RefreshPolicy(rotate=False), rechecks={"mock": RecheckPolicy(keep_on_error=True)}
        )
        self.upstream.failure = ConnectorError("unreachable")
        redeeming = self.under_way()
        update = Update(REFRESH_TOKENS, "rid", lambda token: attrs.evolve(token, claims=renewed))
        self.successResultOf(self.storage.write(update))
        self.upstream.turnstile.open()
        self.assertEqual(self.read(self.successResultOf(redeeming).id_token).claims["groups"], ["newer"])
        self.assertEqual(self.token().claims, renewed)

    def test_request_that_was_examined_before_and_redeemed_after_gets_the_successor(self) -> None:
        examined = self.examined()
        second = self.refreshed().refresh_token
        self.assertEqual(self.successResultOf(self.begun(examined)).refresh_token, second)
        self.assertEqual(parse_refresh_token(second)[1], self.token().token)

    def test_OA_25_current_secret_is_not_held_up_by_the_one_before_it(self) -> None:
        late = self.examined()
        second = self.refreshed().refresh_token
        current = self.examined(second)
        self.upstream.turnstile.shut = True
        both = Both(self.begun(late), self.begun(current))
        self.upstream.turnstile.open()
        self.assertEqual(both.errors, [])
        self.assertEqual(set(both.answers), {second, packed("rid", self.token().token)})
        self.assertEqual(len(set(both.answers)), 2)

    def test_OA_25_window_is_judged_at_the_write(self) -> None:
        redeeming = self.under_way()
        self.rotate_elsewhere("theirs")
        self.clock.advance(timedelta(seconds=30).total_seconds())
        self.upstream.turnstile.open()
        self.assertEqual(self.successResultOf(redeeming).refresh_token, packed("rid", "theirs"))
