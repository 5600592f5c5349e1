"""How refresh tokens age."""

from __future__ import annotations

from datetime import timedelta

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.model.refresh_token import RefreshToken
from dextwist.model.times import EPOCH
from dextwist.tokens.refresh_policy import (
    REMEMBERED,
    RefreshPolicy,
    Verdict,
    is_expired,
    judge,
    redeemed,
)

BEGAN = EPOCH + timedelta(days=1)
CLAIMS = Claims(user_id="u", username="Kilgore", email="kilgore@kilgore.trout")
#: rotation, no limits, no window: the defaults of dex.
AS_DEX = RefreshPolicy(reuse_interval=timedelta(0))


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def token(secret: str = "current", **how: object) -> RefreshToken:
    made = RefreshToken(
        id="r",
        client_id="app",
        connector_id="mock",
        scopes=("openid", "offline_access"),
        created_at=BEGAN,
        last_used_at=BEGAN,
        token=secret,
        claims=CLAIMS,
        connector_data=b"foobar",
    )
    return attrs.evolve(made, **how)  # type: ignore[arg-type]  # any member, for a test


def rotated(times: int, policy: RefreshPolicy = AS_DEX, step: float = 1) -> RefreshToken:
    """A token whose secrets were s0, s1, ...; the last of them is current."""
    it = token("s0")
    for number in range(1, times + 1):
        now = BEGAN + seconds(number * step)
        it = redeemed(it, policy, now, new_secret=f"s{number}", claims=CLAIMS)
    return it


class TableTests(SynchronousTestCase):
    def test_31_9_rows(self) -> None:
        obsolete = rotated(1, step=0)
        for policy, elapsed, of, secret, verdict in [
            (AS_DEX, 0, token(), "current", Verdict.CURRENT),
            (
                attrs.evolve(AS_DEX, rotate=False, valid_if_not_used_for=seconds(60)),
                25,
                token(),
                "current",
                Verdict.CURRENT,
            ),
            (
                attrs.evolve(AS_DEX, rotate=False, valid_if_not_used_for=seconds(60)),
                3600,
                token(),
                "current",
                Verdict.EXPIRED,
            ),
            (
                attrs.evolve(AS_DEX, absolute_lifetime=seconds(60)),
                3600,
                token(),
                "current",
                Verdict.EXPIRED,
            ),
            (RefreshPolicy(reuse_interval=seconds(30)), 25, obsolete, "s0", Verdict.PREDECESSOR),
            (AS_DEX, 25, obsolete, "s0", Verdict.REPLAY),
            (
                RefreshPolicy(reuse_interval=seconds(30), absolute_lifetime=seconds(20)),
                25,
                obsolete,
                "s0",
                Verdict.EXPIRED,
            ),
        ]:
            self.assertIs(judge(of, secret, policy, BEGAN + seconds(elapsed)), verdict)

    def test_OA_25_window_is_30_seconds_by_default(self) -> None:
        policy = RefreshPolicy()
        of = rotated(1, policy)
        for elapsed, verdict in [
            (1, Verdict.PREDECESSOR),
            (31, Verdict.PREDECESSOR),
            (31.001, Verdict.REPLAY),
            (86400, Verdict.REPLAY),
        ]:
            self.assertIs(judge(of, "s0", policy, BEGAN + seconds(elapsed)), verdict, elapsed)

    def test_OA_25_window_begins_with_the_rotation_and_not_with_the_last_use(self) -> None:
        policy = RefreshPolicy()
        of = attrs.evolve(rotated(1, policy), last_used_at=BEGAN + seconds(1000))
        self.assertIs(judge(of, "s0", policy, BEGAN + seconds(1000)), Verdict.REPLAY)

    def test_OA_25_token_of_dex_was_rotated_when_it_was_last_used(self) -> None:
        policy = RefreshPolicy()
        of = token(obsolete_token="old", last_used_at=BEGAN + seconds(100))
        self.assertIs(judge(of, "old", policy, BEGAN + seconds(130)), Verdict.PREDECESSOR)
        self.assertIs(judge(of, "old", policy, BEGAN + seconds(131)), Verdict.REPLAY)

    def test_OA_26_earlier_secrets_are_replays_even_in_the_window(self) -> None:
        policy = RefreshPolicy()
        of = rotated(5, policy)
        for number in range(4):
            self.assertIs(judge(of, f"s{number}", policy, BEGAN + seconds(5)), Verdict.REPLAY)
        self.assertIs(judge(of, "s4", policy, BEGAN + seconds(5)), Verdict.PREDECESSOR)
        self.assertIs(judge(of, "s5", policy, BEGAN + seconds(5)), Verdict.CURRENT)

    def test_16_2_other_secrets_are_unknown(self) -> None:
        of = rotated(3)
        for secret in ("", "s", "s33", "S3", "r", "s9"):
            self.assertIs(judge(of, secret, AS_DEX, BEGAN), Verdict.UNKNOWN, secret)

    def test_unknown_secret_does_not_learn_that_a_token_expired(self) -> None:
        policy = attrs.evolve(AS_DEX, absolute_lifetime=seconds(1))
        self.assertIs(judge(token(), "guess", policy, BEGAN + seconds(99)), Verdict.UNKNOWN)

    def test_16_2_token_without_a_secret_is_known_by_its_id(self) -> None:
        self.assertIs(judge(token(""), "", AS_DEX, BEGAN), Verdict.CURRENT)
        after = redeemed(token(""), AS_DEX, BEGAN, new_secret="s1", claims=CLAIMS)
        self.assertIs(judge(after, "", RefreshPolicy(), BEGAN), Verdict.UNKNOWN)
        self.assertIs(judge(after, "s1", AS_DEX, BEGAN), Verdict.CURRENT)

    def test_blank_secret_is_none_of_a_token_that_has_one(self) -> None:
        self.assertIs(judge(token(), "", RefreshPolicy(), BEGAN), Verdict.UNKNOWN)


class ExpiryTests(SynchronousTestCase):
    def test_OA_28_idle_limit(self) -> None:
        policy = RefreshPolicy(valid_if_not_used_for=seconds(60))
        of = token(last_used_at=BEGAN + seconds(1000))
        self.assertFalse(is_expired(of, policy, BEGAN + seconds(1060)))
        self.assertTrue(is_expired(of, policy, BEGAN + seconds(1060.001)))

    def test_OA_28_absolute_limit(self) -> None:
        policy = RefreshPolicy(absolute_lifetime=seconds(60))
        of = token(last_used_at=BEGAN + seconds(60))
        self.assertFalse(is_expired(of, policy, BEGAN + seconds(60)))
        self.assertTrue(is_expired(of, policy, BEGAN + seconds(60.001)))

    def test_without_limits_it_lives(self) -> None:
        self.assertFalse(is_expired(token(), RefreshPolicy(), BEGAN + timedelta(days=10_000)))

    def test_OA_28_use_keeps_it_from_idling_but_not_from_the_absolute_limit(self) -> None:
        policy = RefreshPolicy(valid_if_not_used_for=seconds(60), absolute_lifetime=seconds(100))
        it = token("s0")
        for number, elapsed in enumerate((50, 100), 1):
            now = BEGAN + seconds(elapsed)
            self.assertIs(judge(it, f"s{number - 1}", policy, now), Verdict.CURRENT)
            it = redeemed(it, policy, now, new_secret=f"s{number}", claims=CLAIMS)
        self.assertIs(judge(it, "s2", policy, BEGAN + seconds(101)), Verdict.EXPIRED)


class RedeemedTests(SynchronousTestCase):
    NOW = BEGAN + seconds(100)

    def test_18_2_rotation(self) -> None:
        after = redeemed(token("s0"), AS_DEX, self.NOW, new_secret="s1", claims=CLAIMS)
        self.assertEqual((after.token, after.obsolete_token, after.spent_digests), ("s1", "s0", ()))
        self.assertEqual((after.last_used_at, after.rotated_at), (self.NOW, self.NOW))

    def test_30_56_refresh_right_after_the_login_rotates_too(self) -> None:
        policy = RefreshPolicy()
        after = redeemed(token("s0"), policy, BEGAN, new_secret="s1", claims=CLAIMS)
        self.assertEqual(after.token, "s1")

    def test_18_2_without_rotation(self) -> None:
        policy = RefreshPolicy(rotate=False)
        before = token("s0")
        after = redeemed(before, policy, self.NOW, new_secret="s1", claims=None)
        self.assertEqual(after, attrs.evolve(before, last_used_at=self.NOW, connector_data=b""))

    def test_when_the_connector_was_asked_is_kept_until_it_is_asked_again(self) -> None:
        before = token(rechecked_at=BEGAN)
        for claims, rechecked_at in ((None, BEGAN), (CLAIMS, self.NOW)):
            after = redeemed(before, AS_DEX, self.NOW, new_secret="x", claims=claims)
            self.assertEqual(after.rechecked_at, rechecked_at)

    def test_31_9_claims_are_the_new_ones_but_for_the_user_id(self) -> None:
        now = Claims(user_id="other", username="Renamed", groups=("new",))
        for rotate in (True, False):
            after = redeemed(token(), RefreshPolicy(rotate=rotate), self.NOW, new_secret="x", claims=now)
            self.assertEqual(after.claims, attrs.evolve(now, user_id="u"))

    def test_31_9_connector_data_on_the_token_is_cleared(self) -> None:
        self.assertEqual(rotated(1).connector_data, b"")

    def test_what_was_granted_stays(self) -> None:
        before = token(nonce="n", auth_time=BEGAN)
        after = redeemed(before, AS_DEX, self.NOW, new_secret="x", claims=CLAIMS)
        for name in (
            "id",
            "client_id",
            "connector_id",
            "scopes",
            "created_at",
            "nonce",
            "auth_time",
        ):
            self.assertEqual(getattr(after, name), getattr(before, name), name)

    def test_OA_26_only_so_many_spent_secrets_are_remembered(self) -> None:
        of = rotated(REMEMBERED + 3)
        self.assertEqual(len(of.spent_digests), REMEMBERED)
        now = BEGAN + timedelta(days=1)
        self.assertIs(judge(of, "s0", AS_DEX, now), Verdict.UNKNOWN)
        for number in range(2, REMEMBERED + 3):
            self.assertIs(judge(of, f"s{number}", AS_DEX, now), Verdict.REPLAY, number)

    def test_spent_secrets_are_kept_as_digests_alone(self) -> None:
        of = rotated(4)
        self.assertFalse({"s0", "s1", "s2"} & set(of.spent_digests))

    @settings(deadline=None)
    @given(st.integers(1, 40), st.booleans())
    def test_each_secret_is_current_once_and_then_never_again(self, times: int, window: bool) -> None:
        policy = RefreshPolicy() if window else AS_DEX
        of = rotated(times, policy)
        now = BEGAN + seconds(times)
        verdicts = [judge(of, f"s{number}", policy, now) for number in range(times + 1)]
        self.assertIs(verdicts.pop(), Verdict.CURRENT)
        self.assertIs(verdicts.pop(), Verdict.PREDECESSOR if window else Verdict.REPLAY)
        self.assertNotIn(Verdict.CURRENT, verdicts)
        self.assertNotIn(Verdict.PREDECESSOR, verdicts)
