"""O19: instants in connector data."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.upstream.times import from_rfc3339, to_rfc3339


class TimesTests(SynchronousTestCase):
    def test_O19_what_go_writes_is_read(self) -> None:
        for text, instant in (
            ("2026-08-01T12:30:00Z", datetime(2026, 8, 1, 12, 30, tzinfo=UTC)),
            ("2026-08-01T14:30:00+02:00", datetime(2026, 8, 1, 12, 30, tzinfo=UTC)),
            ("2026-08-01T12:30:00.5Z", datetime(2026, 8, 1, 12, 30, 0, 500_000, tzinfo=UTC)),
            ("2026-08-01T12:30:00.123456789-01:00", datetime(2026, 8, 1, 13, 30, 0, 123_456, tzinfo=UTC)),
            ("0001-01-01T00:00:00Z", None),
        ):
            self.assertEqual(from_rfc3339(text), instant, text)

    def test_what_is_no_instant_is_refused(self) -> None:
        for text in ("", "soon", "2026-08-01T12:30:00", "2026-13-01T00:00:00Z"):
            self.assertRaises(ValueError, from_rfc3339, text)

    def test_O19_none_is_the_year_one(self) -> None:
        self.assertEqual(to_rfc3339(None), "0001-01-01T00:00:00Z")

    @given(st.datetimes(min_value=datetime(2, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it so
    def test_what_is_written_is_read_again(self, instant: datetime) -> None:
        self.assertTrue(to_rfc3339(instant).endswith("Z"))
        self.assertEqual(from_rfc3339(to_rfc3339(instant)), instant)
