"""Browser sessions end at the earlier of their limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_session import AUTH_SESSIONS, AuthSession
from dextwist.model.times import EPOCH, to_milliseconds

EARLY, LATE = EPOCH + timedelta(days=1), EPOCH + timedelta(days=2)
YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)


def session(absolute: datetime, idle: datetime) -> AuthSession:
    return AuthSession(
        id="s",
        secret="hidden",
        user_id="u",
        connector_id="c",
        absolute_expires_at=absolute,
        idle_expires_at=idle,
    )


class ExpiryTests(SynchronousTestCase):
    def test_earlier_limit_counts(self) -> None:
        self.assertEqual(session(EARLY, LATE).expires_at, EARLY)
        self.assertEqual(session(LATE, EARLY).expires_at, EARLY)

    def test_limit_that_is_not_set_does_not_count(self) -> None:
        for unset in (EPOCH, YEAR_1):
            self.assertEqual(session(LATE, unset).expires_at, LATE)
            self.assertEqual(session(unset, LATE).expires_at, LATE)

    def test_session_without_limits_never_ends_and_can_be_stored(self) -> None:
        expires_at = session(EPOCH, EPOCH).expires_at
        self.assertGreater(expires_at, EPOCH + timedelta(days=365 * 7000))
        self.assertGreater(to_milliseconds(expires_at), 0)

    def test_kind_collects_by_that_limit(self) -> None:
        assert AUTH_SESSIONS.expires_at is not None
        self.assertEqual(AUTH_SESSIONS.expires_at(session(LATE, EARLY)), EARLY)

    def test_secret_is_not_in_the_repr(self) -> None:
        self.assertNotIn("hidden", repr(session(EARLY, LATE)))
