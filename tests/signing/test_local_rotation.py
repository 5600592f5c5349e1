"""The built-in signer: its keys' lives, other instances, and storages that fail."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs

from dextwist.signing.interface import Signature
from dextwist.signing.local import poll_pause
from dextwist.storage.interface import Conflict, NotFound, StorageUnavailable
from tests.signing.conformance import fuzz
from tests.signing.fakes import HeldThreads, UnsteadyStorage
from tests.signing.forgeries import parts
from tests.signing.local_case import HOUR, LocalSignerCase, fail, policy


class RotationTests(LocalSignerCase):
    def test_rotation_happens_at_the_first_look_after_it_is_due(self) -> None:
        signer = self.started(policy(period=HOUR + 1))
        first, second = self.kids(signer)
        self.advance(HOUR + 29)
        self.assertEqual(self.kid(signer), first)
        self.advance(1)
        self.assertEqual(self.kid(signer), second)

    def test_rotation_keeps_what_was_published(self) -> None:
        signer = self.started()
        first, second = self.kids(signer)
        token = self.token(signer)
        self.advance(6 * HOUR - 1)
        self.assertEqual(self.kids(signer), [first, second])
        self.advance(1)
        self.assertEqual(self.kid(signer), second)
        self.assertEqual(self.kids(signer)[::2], [second, first])
        self.assertTrue(self.verifies(signer, token))

    def test_old_keys_are_published_oldest_first(self) -> None:
        signer = self.started(policy(period=60))
        firsts = []
        for _ in range(3):
            firsts.append(self.kid(signer))
            self.advance(60)
        self.assertEqual(self.kids(signer)[2:], firsts)

    def test_2_3_key_leaves_a_token_life_and_a_minute_after_it_signed_last(self) -> None:
        signer = self.started(policy(period=HOUR, token_lifetime=600))
        first = self.kid(signer)
        token = self.token(signer)
        self.advance(HOUR + 659)
        self.assertIn(first, self.kids(signer))
        self.assertTrue(self.verifies(signer, token))
        self.advance(2)
        self.assertNotIn(first, self.kids(signer))
        self.assertFalse(self.verifies(signer, token))
        self.assertEqual(len(self.record().verification_keys), 1)
        self.advance(HOUR)
        self.assertNotIn(first, [old.public_key["kid"] for old in self.record().verification_keys])

    def test_private_key_is_loaded_once_a_rotation(self) -> None:
        signer = self.started()

        def same(signature: Signature) -> Signature:
            return signature

        first = self.outcome(signer.with_signature(same))
        gets = self.storage.gets
        self.advance(HOUR)
        self.assertGreater(self.storage.gets, gets + 100)
        self.assertIs(self.outcome(signer.with_signature(same)), first)
        self.advance(5 * HOUR)
        self.assertIsNot(self.outcome(signer.with_signature(same)), first)

    def test_signing_and_verifying_read_nothing(self) -> None:
        signer = self.started()
        gets = self.storage.gets
        for _ in range(5):
            self.verifies(signer, self.token(signer))
            self.kids(signer)
        self.assertEqual(self.storage.gets, gets)

    def test_rotation_is_logged(self) -> None:
        self.started()
        with capturedLogs() as events:
            self.advance(6 * HOUR)
        about = [(event["log_level"], event["log_format"], event["reason"]) for event in events]
        self.assertEqual(
            about,
            [
                (LogLevel.info, "rotating signing keys: {reason}", "expired"),
                (LogLevel.info, "keys rotated: {reason}; next rotation at {next_rotation}", "expired"),
            ],
        )
        self.assertEqual(events[-1]["next_rotation"], self.record().next_rotation_at.isoformat())

    def test_log_events_hold_no_private_key(self) -> None:
        signer = self.started()
        with capturedLogs() as events:
            self.advance(6 * HOUR)
        self.assertEqual(len(events), 2)
        for pair in (self.record().signing_key, self.record().next_key):
            assert pair is not None
            self.assertNotIn(pair.private["d"], str(events))
            self.assertNotIn(pair.private["d"], repr(signer))

    def test_pause_between_looks_is_30_seconds_give_or_take_10(self) -> None:
        pauses = [poll_pause() for _ in range(500)]
        self.assertTrue(20 <= min(pauses) < 24 and 36 < max(pauses) <= 40, (min(pauses), max(pauses)))


class MaxAgeTests(LocalSignerCase):
    def test_RL_13_fresh_keys_may_be_kept_for_10_minutes_or_a_shorter_rotation_period(self) -> None:
        for period, max_age in ((6 * HOUR, 600), (600, 600), (5, 5), (1, 1), (0.5, 1)):
            self.storage = UnsteadyStorage()
            self.assertEqual(self.max_age(self.started(policy(period))), max_age)

    def test_RL_13_time_since_our_last_look_does_not_count(self) -> None:
        signer = self.started()
        self.clock.advance(29.5)
        self.assertEqual(self.max_age(signer), 570)
        self.clock.advance(0.5)
        self.assertEqual(self.max_age(signer), 600)

    def test_keys_that_we_can_no_longer_check_are_not_to_be_kept(self) -> None:
        signer = self.started()
        self.storage.before_get = fail
        self.advance(700)
        self.assertEqual(self.max_age(signer), 1)


class AlgorithmChangeTests(LocalSignerCase):
    def test_algorithm_changes_at_the_next_due_rotation(self) -> None:
        self.outcome(self.started(policy(algorithm="RS256")).stop())
        self.advance(HOUR)
        signer = self.started(policy(algorithm="ES256"))
        old = self.token(signer)
        self.assertEqual(self.outcome(signer.algorithms()), ("RS256", "ES256"))
        self.assertEqual(
            [jwk["alg"] for jwk in self.outcome(signer.published_keys()).keys], ["RS256", "ES256"]
        )
        self.advance(5 * HOUR - 1)
        self.assertEqual(parts(self.token(signer))[0]["alg"], "RS256")
        self.advance(1)
        new = self.token(signer)
        self.assertEqual(parts(new)[0]["alg"], "ES256")
        self.assertEqual(self.outcome(signer.algorithms()), ("ES256",))
        self.assertTrue(self.verifies(signer, old) and self.verifies(signer, new))

    def test_RL_13_rotation_waits_for_the_new_successor_to_be_known(self) -> None:
        self.outcome(self.started(policy(algorithm="RS256")).stop())
        self.advance(6 * HOUR - 10)
        signer = self.started(policy(algorithm="ES256"))
        self.advance(599)
        self.assertEqual(parts(self.token(signer))[0]["alg"], "RS256")
        self.advance(1)
        self.assertEqual(parts(self.token(signer))[0]["alg"], "ES256")

    def test_instance_of_the_old_configuration_leaves_the_new_successor_alone(self) -> None:
        before = self.started(policy(algorithm="RS256"))
        self.started(policy(algorithm="ES256"))
        record = self.record()
        self.advance(HOUR)
        self.assertEqual(self.record(), record)
        self.assertEqual(self.outcome(before.algorithms()), ("RS256", "ES256"))

    def test_change_that_fails_at_the_start_is_made_later(self) -> None:
        self.outcome(self.started(policy(algorithm="RS256")).stop())
        self.storage.before_write = fail
        signer = self.started(policy(algorithm="ES256"))
        self.assertEqual(self.outcome(signer.algorithms()), ("RS256",))
        self.storage.before_write = lambda: None
        self.clock.advance(30)
        self.assertEqual(self.outcome(signer.algorithms()), ("RS256", "ES256"))


class SeveralInstancesTests(LocalSignerCase):
    def test_RL_14_instances_that_start_together_have_one_key_set(self) -> None:
        held = HeldThreads()
        signers = [self.signer(threads=held) for _ in range(20)]
        starts = [Deferred.fromCoroutine(signer.start()) for signer in signers]
        with capturedLogs() as events:
            held.free.callback(None)
        for start in starts:
            self.successResultOf(start)
        self.assertEqual({tuple(self.kids(signer)) for signer in signers}, {tuple(self.kids(signers[0]))})
        texts = [str(event["log_format"]) for event in events]
        self.assertEqual(sum(text.startswith("keys rotated") for text in texts), 1)
        lost = [event for event in events if str(event["log_format"]).startswith("key rotation not needed")]
        self.assertEqual({event["log_level"] for event in lost}, {LogLevel.info})
        self.assertEqual(len(lost), 19)

    def test_2_4_instances_that_find_the_same_key_expired_make_one_new_key(self) -> None:
        held = HeldThreads()
        held.free.callback(None)
        signers = [self.signer(threads=held) for _ in range(3)]
        for signer in signers:
            self.outcome(signer.start())
        before = self.kids(signers[0])
        held.free = Deferred()
        self.advance(6 * HOUR)
        self.assertEqual([self.kid(signer) for signer in signers], [before[0]] * 3)
        held.free.callback(None)
        (after,) = {tuple(self.kids(signer)) for signer in signers}
        self.assertEqual(len(set(after) - set(before)), 1)
        self.assertEqual(len(after), 3)

    def test_2_4_every_error_of_a_lost_race_is_no_failure(self) -> None:
        signer = self.started()
        other = self.kids(signer)[1]
        rotated = self.started  # another instance, started in the middle of our write

        def lose() -> None:
            self.storage.before_write = lambda: None
            rotated()
            raise Conflict

        self.storage.before_write = lose
        with capturedLogs() as events:
            self.advance(6 * HOUR)
        self.assertEqual(self.kid(signer), other)
        self.assertEqual({event["log_level"] for event in events}, {LogLevel.info})

    def test_rotation_by_another_instance_is_seen_within_the_poll(self) -> None:
        signer = self.started()
        rotated = attrs.evolve(self.record(), next_key=self.generate("ES256"))
        self.store(rotated)
        assert rotated.next_key is not None
        self.clock.advance(29)
        self.assertNotIn(rotated.next_key.public["kid"], self.kids(signer))
        self.clock.advance(1)
        self.assertIn(rotated.next_key.public["kid"], self.kids(signer))

    def test_record_that_is_gone_and_cannot_be_made_again_leaves_the_keys_in_use(self) -> None:
        def gone() -> None:
            raise NotFound

        signer = self.started()
        kids = self.kids(signer)
        self.storage.before_get = gone
        self.storage.before_write = fail
        self.advance(120)
        self.assertEqual(self.kids(signer), kids)
        self.assertEqual(self.kid(signer), kids[0])


class FailureTests(LocalSignerCase):
    def test_signing_goes_on_while_the_storage_is_away(self) -> None:
        signer = self.started()
        kids = self.kids(signer)
        self.storage.before_get = fail
        with capturedLogs() as events:
            self.advance(7 * HOUR)
        self.assertEqual(self.kid(signer), kids[0])
        self.assertTrue(self.verifies(signer, self.token(signer)))
        self.assertEqual(
            {(event["log_level"], event["log_format"]) for event in events},
            {(LogLevel.error, "failed to rotate keys: {err}")},
        )
        self.assertEqual(str(events[0]["err"]), "the disk is full")
        self.assertTrue(7 * HOUR / 30 - 5 < len(events) <= 7 * HOUR / 30, len(events))
        self.storage.before_get = lambda: None
        self.clock.advance(30)
        self.assertEqual(self.kid(signer), kids[1])

    def test_bug_does_not_end_the_rotations(self) -> None:
        signer = self.started()
        kids = self.kids(signer)

        def bug() -> None:
            raise ZeroDivisionError

        self.storage.before_get = bug
        self.clock.advance(30)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.storage.before_get = lambda: None
        self.advance(6 * HOUR)
        self.assertEqual(self.kid(signer), kids[1])

    def test_process_that_dies_before_or_after_its_write_leaves_usable_keys(self) -> None:
        """Whatever the step: the write is one, so the record is the old or the new one, whole."""
        for algorithm, period in (("ES256", 6 * HOUR), ("RS256", 6 * HOUR)):
            for moment in ("before_write", "after_write"):
                for due in (False, True):
                    self.storage = UnsteadyStorage()
                    first = self.started(policy(period))
                    kids = self.kids(first)
                    token = self.token(first)
                    self.outcome(first.stop())
                    self.clock.advance(6 * HOUR if due else HOUR)
                    setattr(self.storage, moment, fail)
                    dying = self.signer(policy(period, algorithm))
                    Deferred.fromCoroutine(dying.start()).addErrback(lambda f: f.trap(StorageUnavailable))
                    self.outcome(dying.stop())
                    setattr(self.storage, moment, lambda: None)
                    with self.subTest(algorithm=algorithm, moment=moment, due=due):
                        again = self.started(policy(period, algorithm))
                        self.assertTrue(self.verifies(again, token))
                        self.assertIn(self.kid(again), kids)
                        self.assertTrue(self.verifies(again, self.token(again)))
                        self.outcome(again.stop())

    def test_process_that_dies_while_it_makes_the_first_keys_leaves_all_or_nothing(self) -> None:
        for moment, writes in (("before_write", 2), ("after_write", 1)):
            self.storage = UnsteadyStorage()
            setattr(self.storage, moment, fail)
            self.failureResultOf(Deferred.fromCoroutine(self.signer().start()), StorageUnavailable)
            setattr(self.storage, moment, lambda: None)
            self.assertEqual(len(self.kids(self.started())), 2)
            self.assertEqual(self.storage.writes, writes)


class RelyingPartyTests(LocalSignerCase):
    """RL-13, played through: two instances, restarts with either algorithm, clients that cache."""

    #: seconds that pass, and then the instance that is restarted with an algorithm, if any.
    moves = st.lists(
        st.tuples(
            st.integers(1, 200) | st.just(1500),
            st.none() | st.tuples(st.integers(0, 1), st.sampled_from(["ES256", "RS256"])),
        ),
        max_size=10,
    )

    def test_RL_13_no_client_meets_a_key_that_it_does_not_know(self) -> None:
        @settings(fuzz, max_examples=40)
        @given(self.moves, st.sampled_from([120, 600, 1500]))
        def play(moves: list[tuple[int, tuple[int, str] | None]], period: int) -> None:
            self.setUp()
            self.known: dict[tuple[str, ...], float] = {}
            self.issued: dict[str, float] = {}
            self.instances = [self.started(policy(period, token_lifetime=300)) for _ in range(2)]
            for seconds, restart in moves:
                for passed in [20] * (seconds // 20) + [seconds % 20]:
                    self.clock.advance(passed)
                    self.look()
                if restart is not None:
                    at, algorithm = restart
                    self.outcome(self.instances[at].stop())
                    self.instances[at] = self.started(policy(period, algorithm, token_lifetime=300))
                    self.look()

        play()

    def look(self) -> None:
        """Use both instances now, as clients do that kept what they were once told."""
        now = self.clock.seconds()
        for instance in self.instances:
            signing, published = self.kid(instance), self.kids(instance)
            for kids, until in self.known.items():
                if until > now:
                    self.assertIn(signing, kids, "the signing key is in what a client may have kept")
            for kid, until in self.issued.items():
                if until >= now:
                    self.assertIn(kid, published, "the key of a live token is published")
            self.issued[signing] = now + 300
            self.known[tuple(published)] = now + self.max_age(instance)
