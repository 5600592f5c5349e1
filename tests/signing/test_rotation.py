"""What becomes of a Keys record, as a table."""

from __future__ import annotations

from datetime import timedelta

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.keys import KeyPair, Keys, VerificationKey
from dextwist.model.times import EPOCH
from dextwist.signing.rotation import RotationPolicy, Step, after_step, next_step, rotation_time

NOW = EPOCH + timedelta(days=20_000)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
POLICY = RotationPolicy(rotation_period=6 * HOUR, algorithm="RS256", token_lifetime=24 * HOUR)


def pair(kid: str, algorithm: str = "RS256") -> KeyPair:
    return KeyPair(private={"kid": kid, "d": "secret"}, public={"kid": kid, "alg": algorithm})


def old(kid: str, expires_in: timedelta) -> VerificationKey:
    return VerificationKey(public_key={"kid": kid}, expires_at=NOW + expires_in)


A, B, C, D = (pair(kid) for kid in "ABCD")
#: A signs for another hour, B has been known for five.
STEADY = Keys(signing_key=A, next_key=B, next_published_at=NOW - 5 * HOUR, next_rotation_at=NOW + HOUR)
OTHER = attrs.evolve(STEADY, next_key=pair("B", "ES256"))


class PolicyTests(SynchronousTestCase):
    def test_published_keys_may_be_kept_for_a_rotation_period_of_whole_seconds_and_at_most_10_minutes(
        self,
    ) -> None:
        for period, max_age in (
            (6 * HOUR, 10 * MINUTE),
            (10 * MINUTE, 10 * MINUTE),
            (10 * MINUTE - SECOND, 10 * MINUTE - SECOND),
            (SECOND * 5.9, 5 * SECOND),
            (SECOND * 0.2, SECOND),
        ):
            self.assertEqual(attrs.evolve(POLICY, rotation_period=period).max_age, max_age, period)

    def test_key_is_kept_for_a_token_life_and_a_minute_but_not_for_more_than_two_lives(self) -> None:
        for lifetime, retention in ((24 * HOUR, 24 * HOUR + MINUTE), (2 * SECOND, 4 * SECOND)):
            self.assertEqual(attrs.evolve(POLICY, token_lifetime=lifetime).retention, retention)


class NextStepTests(SynchronousTestCase):
    def test_table(self) -> None:
        due = attrs.evolve(STEADY, next_rotation_at=NOW)
        for name, keys, starting, step in (
            ("nothing stored", Keys(), False, Step.FIRST_KEYS),
            ("only old keys", Keys(verification_keys=(old("X", HOUR),)), True, Step.FIRST_KEYS),
            ("all is well", STEADY, False, None),
            ("all is well at the start", STEADY, True, None),
            ("due", due, False, Step.ROTATION),
            ("due at the start", due, True, Step.ROTATION),
            ("due in a millisecond", attrs.evolve(due, next_rotation_at=NOW + SECOND / 1000), True, None),
            ("long overdue", attrs.evolve(due, next_rotation_at=EPOCH), False, Step.ROTATION),
            ("a record of dex", attrs.evolve(STEADY, next_key=None), False, Step.SUCCESSOR),
            ("a record of dex, due", attrs.evolve(due, next_key=None), True, Step.SUCCESSOR),
            ("another algorithm, running", OTHER, False, None),
            ("another algorithm, starting", OTHER, True, Step.OTHER_SUCCESSOR),
            (
                "another algorithm, due, starting",
                attrs.evolve(OTHER, next_rotation_at=NOW),
                True,
                Step.OTHER_SUCCESSOR,
            ),
            ("another algorithm, due", attrs.evolve(OTHER, next_rotation_at=NOW), False, Step.ROTATION),
        ):
            self.assertIs(next_step(keys, POLICY, NOW, starting=starting), step, name)

    def test_RL_13_rotation_waits_until_the_successor_was_published_for_one_max_age(self) -> None:
        fresh = attrs.evolve(STEADY, next_rotation_at=NOW, next_published_at=NOW - 10 * MINUTE + SECOND)
        self.assertEqual(rotation_time(fresh, POLICY), NOW + SECOND)
        self.assertIsNone(next_step(fresh, POLICY, NOW))
        self.assertIs(next_step(fresh, POLICY, NOW + SECOND), Step.ROTATION)


class AfterStepTests(SynchronousTestCase):
    def test_first_keys_are_a_signing_key_and_its_successor(self) -> None:
        left = old("X", HOUR)
        keys = after_step(Step.FIRST_KEYS, Keys(verification_keys=(left,)), POLICY, NOW, [C, D])
        self.assertEqual(
            keys,
            Keys(
                signing_key=C,
                next_key=D,
                next_published_at=NOW,
                verification_keys=(left,),
                next_rotation_at=NOW + 6 * HOUR,
            ),
        )

    def test_missing_or_other_successor_is_published_and_nothing_else_changes(self) -> None:
        for step, keys in (
            (Step.SUCCESSOR, attrs.evolve(STEADY, next_key=None)),
            (Step.OTHER_SUCCESSOR, OTHER),
        ):
            self.assertEqual(
                after_step(step, keys, POLICY, NOW, [C]),
                attrs.evolve(STEADY, next_key=C, next_published_at=NOW),
            )

    def test_rotation_moves_every_key_on_by_one_place(self) -> None:
        before = attrs.evolve(STEADY, verification_keys=(old("X", HOUR), old("Y", 6 * HOUR)))
        retired = VerificationKey(public_key=A.public, expires_at=NOW + 24 * HOUR + MINUTE)
        self.assertEqual(
            after_step(Step.ROTATION, before, POLICY, NOW, [C]),
            Keys(
                signing_key=B,
                next_key=C,
                next_published_at=NOW,
                verification_keys=(*before.verification_keys, retired),
                next_rotation_at=NOW + 6 * HOUR,
            ),
        )

    def test_rotation_drops_the_private_half_of_the_old_key(self) -> None:
        self.assertNotIn("secret", str(after_step(Step.ROTATION, STEADY, POLICY, NOW, [C]).verification_keys))

    def test_2_3_keys_whose_expiry_lies_before_now_are_dropped(self) -> None:
        keys = attrs.evolve(STEADY, verification_keys=(old("X", -SECOND), old("Y", 0 * SECOND)))
        kids = [
            k.public_key["kid"] for k in after_step(Step.ROTATION, keys, POLICY, NOW, [C]).verification_keys
        ]
        self.assertEqual(kids, ["Y", "A"])

    def test_nothing_is_due_after_any_step(self) -> None:
        overdue = attrs.evolve(STEADY, next_rotation_at=EPOCH, next_published_at=EPOCH)
        for keys in (
            Keys(),
            overdue,
            attrs.evolve(overdue, next_key=None),
            attrs.evolve(OTHER, next_rotation_at=EPOCH),
        ):
            for period in (6 * HOUR, SECOND, SECOND / 2):
                policy = attrs.evolve(POLICY, rotation_period=period)
                step = next_step(keys, policy, NOW, starting=True)
                assert step is not None
                after = after_step(step, keys, policy, NOW, [C, D][: step.new_keys])
                self.assertIsNone(next_step(after, policy, NOW, starting=True))
