"""Instants to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.times import EPOCH, from_milliseconds, to_milliseconds, utc_now


class TimesTests(SynchronousTestCase):
    def test_now_is_the_clocks_to_the_millisecond(self) -> None:
        clock = Clock()
        self.assertEqual(utc_now(clock), EPOCH)
        clock.advance(1_700_000_000.9876)
        self.assertEqual(utc_now(clock), datetime(2023, 11, 14, 22, 13, 20, 987_000, UTC))

    def test_milliseconds_are_rounded_down(self) -> None:
        self.assertEqual(to_milliseconds(EPOCH + timedelta(microseconds=1999)), 1)
        self.assertEqual(to_milliseconds(EPOCH - timedelta(microseconds=1)), -1)

    def test_zone_does_not_matter(self) -> None:
        zone = timezone(timedelta(hours=5, minutes=30))
        self.assertEqual(to_milliseconds(datetime(1970, 1, 1, 5, 30, 1, tzinfo=zone)), 1000)

    def test_year_1_of_dex_counts_as_unset(self) -> None:
        unset = datetime(1, 1, 1, tzinfo=UTC)
        self.assertEqual(from_milliseconds(to_milliseconds(unset)), unset)
        self.assertLess(unset, EPOCH)

    @settings(deadline=None)
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_instants_come_back_to_the_millisecond(self, instant: datetime) -> None:
        back = from_milliseconds(to_milliseconds(instant))
        self.assertEqual(back, instant.replace(microsecond=instant.microsecond // 1000 * 1000))
        self.assertEqual(from_milliseconds(to_milliseconds(back)), back)
