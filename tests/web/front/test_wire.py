"""Answers as bytes: framed by their own length, and by nothing else (WB-04)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.front.wire import Dates, answer_bytes
from dextwist.web.http import Response

DATE = "Thu, 01 Jan 1970 00:00:00 GMT"


class WireTests(SynchronousTestCase):
    def test_statuses_without_a_body_declare_none(self) -> None:
        for status in (204, 304):
            answer = answer_bytes(Response(status, (("ETag", '"x"'),), b"ignored"), date=DATE)
            self.assertNotIn(b"Content-Length", answer)
            self.assertTrue(answer.endswith(b'ETag: "x"\r\n\r\n'))

    def test_unknown_status_has_a_phrase(self) -> None:
        self.assertTrue(answer_bytes(Response(499), date=DATE).startswith(b"HTTP/1.1 499 Unknown\r\n"))

    def test_repeated_fields_are_all_sent(self) -> None:
        answer = answer_bytes(Response(200, (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))), date=DATE)
        self.assertIn(b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n", answer)

    def test_text_beyond_latin_1_does_not_break_the_answer(self) -> None:
        self.assertIn(b"X: \xe9?\r\n", answer_bytes(Response(200, (("X", "é€"),)), date=DATE))

    @given(value=st.text())
    def test_WB_04_no_value_begins_a_line(self, value: str) -> None:
        answer = answer_bytes(Response(200, (("Location", value), ("X", "y"))), date=DATE)
        head = answer.removesuffix(b"\r\n\r\n")
        self.assertEqual(len(head.splitlines()) if value.isprintable() else 5, 5)
        lines = head.split(b"\r\n")
        self.assertEqual([line.partition(b":")[0] for line in lines[1:]], [
            b"Date", b"Location", b"X", b"Content-Length",
        ])  # fmt: skip
        self.assertEqual((head.count(b"\r"), head.count(b"\n"), head.count(b"\0")), (4, 4, 0))

    def test_dates_are_made_once_a_second(self) -> None:
        dates = Dates()
        first = dates.at(0.1)
        self.assertEqual(first, DATE)
        self.assertIs(dates.at(0.9), first)
        self.assertEqual(dates.at(1), "Thu, 01 Jan 1970 00:00:01 GMT")
