"""What dex's columns say."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import ProofKey
from dextwist.model.times import EPOCH
from dextwist.storage.sql.dex_columns import DexRow, instant

MOMENT = datetime(2026, 11, 23, 16, 42, 32, 534000, tzinfo=UTC)


class InstantTests(SynchronousTestCase):
    """The forms of an instant."""

    def test_every_form_is_read(self) -> None:
        for text in (
            "2026-11-23 16:42:32.534561318+00:00",
            "2026-11-23T16:42:32.534561318Z",
            "2026-11-23 16:42:32.534",
            "2026-11-23 16:42:32.534 UTC",
            "2026-11-23 16:42:32.534561 +0000 UTC",
            "2026-11-23 12:42:32.5345-04:00",
            "2026-11-23T22:12:32.534+05:30",
        ):
            self.assertEqual(instant(text), MOMENT, text)
            self.assertEqual(instant(text.encode()), MOMENT, text)

    def test_fraction_may_be_short_or_missing(self) -> None:
        self.assertEqual(instant("2026-11-23 16:42:32.5+00:00"), MOMENT.replace(microsecond=500000))
        self.assertEqual(instant("2026-11-23 16:42:32+00:00"), MOMENT.replace(microsecond=0))
        self.assertEqual(instant("2026-11-23 16:42"), MOMENT.replace(second=0, microsecond=0))
        self.assertEqual(instant("2026-11-23"), datetime(2026, 11, 23, tzinfo=UTC))

    def test_unset_ones_are_the_epoch(self) -> None:
        for text in (
            None,
            "",
            b"",
            "0001-01-01 00:00:00 UTC",
            "0001-01-01 00:00:00+00:00",
            "0001-01-01T00:00:00Z",
            "1970-01-01 00:00:00",
        ):
            self.assertEqual(instant(text), EPOCH, text)

    @given(
        st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
        st.integers(-14 * 60, 14 * 60),
        st.sampled_from(" T"),
    )
    def test_instants_of_any_zone_are_read(self, local: datetime, minutes: int, between: str) -> None:
        moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        milliseconds = moment.microsecond // 1000 * 1000
        self.assertEqual(instant(moment.isoformat(between)), moment.replace(microsecond=milliseconds))

    @given(st.text() | st.binary())
    @example("2026-13-23 16:42:32")
    @example("2026-11-23 16:42:32+99:99")
    @example("2026-11-23 16:42:32.")
    @example("٢٠٢٦-11-23")
    def test_what_is_no_instant_is_a_value_error(self, text: str | bytes) -> None:
        with contextlib.suppress(ValueError):
            self.assertGreaterEqual(instant(text), EPOCH)


class DexRowTests(SynchronousTestCase):
    """The columns of a row."""

    def row(self, found: Any) -> DexRow:
        return DexRow({"column": found})

    def test_text_and_bytes_may_be_mixed_up(self) -> None:
        for found in ("ä", "ä".encode()):
            self.assertEqual(self.row(found).text("column"), "ä")
            self.assertEqual(self.row(found).raw("column"), "ä".encode())
        self.assertEqual(self.row(b"\xff\x00").raw("column"), b"\xff\x00")
        self.assertRaises(ValueError, self.row(b"\xff\x00").text, "column")
        self.assertRaises(ValueError, self.row(5).text, "column")

    def test_column_that_is_missing_or_null_is_empty(self) -> None:
        for row in (DexRow({}), self.row(None)):
            self.assertEqual((row.text("column"), row.raw("column"), row.flag("column")), ("", b"", False))
            self.assertEqual((row.number("column", default=-1), row.instant("column")), (-1, EPOCH))
            self.assertEqual((row.texts("column"), row.optional_texts("column")), ((), None))
            self.assertEqual(row.object("column"), {})

    def test_list_may_be_null_or_empty(self) -> None:
        for found, texts, optional in (
            (b"null", (), None),
            ("[]", (), ()),
            (b'["a","b"]', ("a", "b"), ("a", "b")),
        ):
            row = self.row(found)
            self.assertEqual((row.texts("column"), row.optional_texts("column")), (texts, optional))

    def test_json_of_another_shape_is_a_value_error(self) -> None:
        for found in ('"a"', "{}", "[1]", "[", "true"):
            self.assertRaises(ValueError, self.row(found).texts, "column")
        for found in ('"a"', "[]", "7", "{"):
            self.assertRaises(ValueError, self.row(found).object, "column")

    def test_plain_without_a_challenge_is_no_proof_key(self) -> None:
        columns = {"code_challenge": "", "code_challenge_method": "plain"}
        self.assertEqual(DexRow(columns).proof_key(), ProofKey())
        columns = {"code_challenge": "abc", "code_challenge_method": "S256"}
        self.assertEqual(
            DexRow(columns).proof_key(), ProofKey(code_challenge="abc", code_challenge_method="S256")
        )
