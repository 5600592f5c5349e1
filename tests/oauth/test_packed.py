"""The opaque strings that must be what dex makes of the same values."""

from __future__ import annotations

import base64

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.packed import packed, packed_list, packed_subject, unpacked

ALICE = "08a8684b-db88-4b73-90a9-3cd1661f5466"

#: What dex makes of the fields (4.2).
VECTORS = [
    ((ALICE, "local"), "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs"),
    (("foo", "bar"), "CgNmb28SA2Jhcg"),
    (("1", "test"), "CgExEgR0ZXN0"),
    (("cli", ""), "CgNjbGk"),
    (("0-385-28089-0", "mock"), "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr"),
    (("test", "bar"), "CgR0ZXN0EgNiYXI"),
    (("rid", "tok"), "CgNyaWQSA3Rvaw"),
    (("s1", "x9"), "CgJzMRICeDk"),
]

#: And its bytes, before base64url.
BYTES = [
    (("foo", "bar"), "0a03666f6f1203626172"),
    (("1", "test"), "0a0131120474657374"),
    (("cli", ""), "0a03636c69"),
    (("rid", "tok"), "0a037269641203746f6b"),
    (("s1", "x9"), "0a02733112027839"),
]

#: text that can be encoded at all.
texts = st.text(st.characters(exclude_categories=["Cs"]))


def from_bytes(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class VectorTests(SynchronousTestCase):
    def test_4_2_vectors(self) -> None:
        for fields, text in VECTORS:
            self.assertEqual(packed(*fields), text)
            self.assertEqual(packed_subject(*fields), text)
            self.assertEqual(unpacked(text), fields)

    def test_4_2_bytes_of_the_vectors(self) -> None:
        for fields, data in BYTES:
            self.assertEqual(packed(*fields), from_bytes(bytes.fromhex(data)))

    def test_nothing_is_the_empty_string(self) -> None:
        self.assertEqual(packed("", ""), "")
        self.assertEqual(unpacked(""), ("", ""))

    def test_empty_items_of_a_list_are_kept(self) -> None:
        self.assertEqual(packed_list("a", "", "b").hex(), "0a01610a000a0162")


class DecodingTests(SynchronousTestCase):
    def test_padding_and_foreign_characters_are_refused(self) -> None:
        for text in (
            "CgNjbGk=",
            "CgNmb28SA2Jhcg==",
            "CgNj+Gk",
            "CgNj/Gk",
            "CgNj Gk",
            "CgNjbGk\0",
            "ünï",
            "a",
        ):
            self.assertRaises(ValueError, unpacked, text)

    def test_line_ends_are_tolerated(self) -> None:
        self.assertEqual(unpacked("CgNm\r\nb28S\nA2Jhcg\n"), ("foo", "bar"))

    def test_trailing_bits_are_tolerated(self) -> None:
        self.assertEqual(unpacked("CgNjbGl"), unpacked("CgNjbGk"))

    def test_unknown_fields_are_skipped(self) -> None:
        known = bytes.fromhex("0a0161")
        for unknown in ("1a0178", "1807", "19" + "00" * 8, "1d" + "00" * 4, "f2bd03026869"):
            data = bytes.fromhex(unknown)
            self.assertEqual(unpacked(from_bytes(data + known)), ("a", ""), unknown)
            self.assertEqual(unpacked(from_bytes(known + data)), ("a", ""), unknown)

    def test_known_number_of_another_wire_type_is_skipped(self) -> None:
        self.assertEqual(unpacked(from_bytes(bytes.fromhex("08070a0161"))), ("a", ""))

    def test_last_value_wins(self) -> None:
        self.assertEqual(unpacked(from_bytes(bytes.fromhex("0a01610a0162"))), ("b", ""))

    def test_broken_messages_are_refused(self) -> None:
        for data in (
            "0a",  # no length
            "0a0261",  # too short
            "0aff",  # an unfinished length
            "0a" + "ff" * 10 + "01",  # a length without end
            "18" + "80" * 10 + "00",  # a number of more than 64 bits
            "0a01ff",  # not UTF-8
            "0a03eda080",  # a surrogate in UTF-8
            "0200",  # field 0
            "0b",  # a group
            "0e",  # no wire type
            "1900",  # a short fixed number
            "1d00",
            "80",  # an unfinished tag
        ):
            self.assertRaises(ValueError, unpacked, from_bytes(bytes.fromhex(data)))

    @settings(deadline=None)
    @given(st.one_of(st.text(), st.text("AQIDBCEFGKSYZabc_-01"), st.binary().map(from_bytes)))
    def test_anything_is_either_two_texts_or_a_value_error(self, text: str) -> None:
        try:
            first, second = unpacked(text)
        except ValueError:
            return
        (first + second).encode("utf-8")


class RoundTripTests(SynchronousTestCase):
    @settings(deadline=None)
    @given(texts, texts)
    def test_what_was_packed_comes_back(self, first: str, second: str) -> None:
        text = packed(first, second)
        self.assertEqual(unpacked(text), (first, second))
        self.assertRegex(text, r"\A[A-Za-z0-9_-]*\Z")

    def test_long_fields(self) -> None:
        for size in (127, 128, 16383, 16384, 100_000):
            self.assertEqual(unpacked(packed("x" * size, "y")), ("x" * size, "y"))

    @settings(deadline=None)
    @given(st.lists(texts, max_size=5))
    def test_more_fields(self, fields: list[str]) -> None:
        self.assertEqual(unpacked(packed(*fields), len(fields)), tuple(fields))

    @settings(deadline=None)
    @given(st.lists(texts), st.lists(texts))
    def test_different_lists_are_packed_differently(self, one: list[str], other: list[str]) -> None:
        self.assertEqual(packed_list(*one) == packed_list(*other), one == other)
