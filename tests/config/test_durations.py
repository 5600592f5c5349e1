"""Durations as dex writes them."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.durations import duration_text, parse_duration

READ = {
    "90m": timedelta(minutes=90),
    "1.5h": timedelta(minutes=90),
    "1h30m5s": timedelta(hours=1, minutes=30, seconds=5),
    ".5s": timedelta(milliseconds=500),
    "5.s": timedelta(seconds=5),
    "+5m": timedelta(minutes=5),
    "-5m": timedelta(minutes=-5),
    "0": timedelta(0),
    "-0": timedelta(0),
    "100ms": timedelta(milliseconds=100),
    "3us": timedelta(microseconds=3),
    "3µs": timedelta(microseconds=3),
    "3\u03bcs": timedelta(microseconds=3),
    "1500ns": timedelta(microseconds=1),
    "1m1m": timedelta(minutes=2),
}
REFUSED = [
    "", "1d", "10", "1w", "soon", "3 seconds", "1h 30m", " 1h", "1h\n", "h", ".s", "1h-5m", "1H", "1..5s",
    "--1s", "\u0663s", "3000000h", "9" * 5000 + "s",
]  # fmt: skip


class DurationsTest(SynchronousTestCase):
    def test_numbers_with_units_are_read(self) -> None:
        for text, duration in READ.items():
            self.assertEqual(parse_duration(text), duration, text)

    def test_everything_else_is_refused(self) -> None:
        for text in REFUSED:
            with self.assertRaises(ValueError, msg=text[:20]):
                parse_duration(text)

    def test_they_are_written_in_hours_minutes_and_seconds(self) -> None:
        for duration, text in (
            (timedelta(0), "0s"),
            (timedelta(hours=1, minutes=30), "1h30m0s"),
            (timedelta(days=1), "24h0m0s"),
            (timedelta(minutes=-5), "-5m0s"),
            (timedelta(seconds=10), "10s"),
            (timedelta(milliseconds=1500), "1.5s"),
        ):
            self.assertEqual(duration_text(duration), text)

    @given(st.timedeltas(min_value=timedelta(days=-100_000), max_value=timedelta(days=100_000)))
    def test_what_is_written_reads_as_the_same(self, duration: timedelta) -> None:
        self.assertEqual(parse_duration(duration_text(duration)), duration)

    @given(st.text(alphabet="0123456789.+-hmsnuµ eE_"))
    def test_no_text_raises_anything_but_a_value_error(self, text: str) -> None:
        try:
            parse_duration(text)
        except ValueError:
            return
        self.assertRegex(text, "[0-9]")
