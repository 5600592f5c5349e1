"""Bytes become parameters, or are refused."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.forms import MAX_FIELDS, MalformedForm, TooManyFields, parse_form

#: what a form can hold: Unicode.
texts = st.text(st.characters(exclude_categories=["Cs"]))


class ParseFormTests(SynchronousTestCase):
    def test_fields_in_order(self) -> None:
        form = parse_form(b"b=2&a=1&b=&c&=d&e=f=g")
        self.assertEqual(form.fields, (("b", "2"), ("a", "1"), ("b", ""), ("c", ""), ("", "d"), ("e", "f=g")))

    def test_nothing_and_empty_parts_are_no_fields(self) -> None:
        for text in (b"", b"&", b"&&&"):
            self.assertEqual(parse_form(text).fields, ())
        self.assertEqual(parse_form(b"&a=1&&b=2&").fields, (("a", "1"), ("b", "2")))

    def test_text_is_decoded_once(self) -> None:
        form = parse_form(b"a+b=%C3%BC%20+%2B%26%3d%25&c=%2520")
        self.assertEqual(form.fields, (("a b", "\u00fc  +&=%"), ("c", "%20")))

    def test_raw_utf_8_is_taken(self) -> None:
        self.assertEqual(parse_form("ü=🦀".encode()).get("ü"), "🦀")

    def test_2_9_bad_escapes_are_refused(self) -> None:
        for text in (
            b"a=%",
            b"a=%4",
            b"a=%zz",
            b"a=%4g",
            b"%=1",
            b"a=1&b=%C3%",
            b"a=%%41",
            b"a=% 41",
            b"a=%+1",
        ):
            self.assertRaises(MalformedForm, parse_form, text)

    def test_2_9_semicolons_are_refused(self) -> None:
        for text in (b"a;b", b"a=1;b=2", b";", b"a=x;y"):
            self.assertRaises(MalformedForm, parse_form, text)
        self.assertEqual(parse_form(b"a=x%3By").get("a"), "x;y")

    def test_text_that_is_not_utf_8_is_refused(self) -> None:
        for text in (b"a=\xff\xfe", b"a=%ff", b"a=%C3", b"\xc0\x80=1", b"a=%ed%a0%80"):
            self.assertRaises(MalformedForm, parse_form, text)

    def test_number_of_fields_is_limited(self) -> None:
        self.assertEqual(len(parse_form(b"a=1&" * 2 + b"a=1", max_fields=3).fields), 3)
        for text in (b"a=1&" * 3 + b"a=1", b"&&&"):
            self.assertRaises(TooManyFields, parse_form, text, max_fields=3)
        self.assertRaises(TooManyFields, parse_form, b"a&" * MAX_FIELDS)

    def test_problem_is_told_without_the_text(self) -> None:
        error = self.assertRaises(MalformedForm, parse_form, b"secret=hunter2%zz")
        self.assertNotIn("hunter2", str(error))

    @settings(deadline=None)
    @given(st.lists(st.tuples(texts, texts)))
    def test_what_was_encoded_comes_back(self, fields: list[tuple[str, str]]) -> None:
        self.assertEqual(parse_form(urlencode(fields).encode("ascii")).fields, tuple(fields))

    @settings(deadline=None)
    @given(st.one_of(st.binary(), st.text("a=&%+;0fC3\0").map(str.encode)))
    def test_anything_is_a_form_or_malformed(self, text: bytes) -> None:
        try:
            form = parse_form(text)
        except MalformedForm as error:
            self.assertTrue(str(error).isascii())
            return
        for name, value in form:
            (name + value).encode("utf-8")
