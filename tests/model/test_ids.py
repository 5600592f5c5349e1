"""Random identifiers: dex's alphabets and lengths, every letter as likely as the other."""

from __future__ import annotations

import string
from collections import Counter

from hypothesis import given, strategies
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.ids import Random, new_id, new_long_id, new_user_code, normal_user_code

BASE32 = string.ascii_lowercase + "234567"
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


def always(byte: int) -> Random:
    return lambda length: bytes((byte,)) * length


class IdTests(SynchronousTestCase):
    def test_4_1_id_has_25_characters(self) -> None:
        for _ in range(50):
            self.assertRegex(new_id(), r"\A[a-z][a-z2-7]{24}\Z")

    def test_4_1_device_code_and_hmac_key_have_51_characters(self) -> None:
        for _ in range(50):
            self.assertRegex(new_long_id(), r"\A[a-z][a-z2-7]{50}\Z")

    def test_4_1_first_character_is_a_letter_by_the_first_byte(self) -> None:
        firsts = [new_id(always(byte))[0] for byte in range(256)]
        self.assertEqual(firsts[:26], list(string.ascii_lowercase))
        self.assertEqual(firsts[26:28], ["a", "b"])

    def test_every_other_character_carries_five_bits(self) -> None:
        counts = Counter(new_id(always(byte))[1:] for byte in range(256))
        self.assertEqual(counts, {character * 24: 8 for character in BASE32})

    def test_each_character_has_a_byte_of_its_own(self) -> None:
        asked: list[int] = []

        def random(length: int) -> bytes:
            asked.append(length)
            return bytes(range(length))

        self.assertEqual(new_id(random), "a" + BASE32[1:25])
        self.assertEqual(new_long_id(random)[:32], "a" + BASE32[1:])
        self.assertEqual(asked, [25, 51])

    def test_system_generator_is_the_default(self) -> None:
        self.assertEqual(len({new_id() for _ in range(100)} | {new_long_id() for _ in range(100)}), 200)


class UserCodeTests(SynchronousTestCase):
    def test_4_1_user_code(self) -> None:
        for _ in range(50):
            self.assertRegex(new_user_code(), rf"\A[{USER_CODE_LETTERS}]{{4}}-[{USER_CODE_LETTERS}]{{4}}\Z")

    def test_bytes_that_would_favour_letters_are_thrown_away(self) -> None:
        rounds = iter([b"\xf0\xff" * 6, b"\xef\x00" * 3 + b"\xf0" * 6, bytes(range(12))])
        self.assertEqual(new_user_code(lambda length: next(rounds)), "ZBZB-ZBBC")

    def test_every_letter_is_as_likely_as_the_other(self) -> None:
        counts = Counter(new_user_code(always(byte)) for byte in range(240))
        self.assertEqual(counts, {f"{letter * 4}-{letter * 4}": 12 for letter in USER_CODE_LETTERS})

    def test_OA_43_case_dashes_and_blanks_do_not_count(self) -> None:
        for typed in ("BCDF-GHJK", "bcdf-ghjk", "BCDFGHJK", " bcdf ghjk\n", "BCDF\u2013GHJK", "b.c.d.f/ghjk"):
            self.assertEqual(normal_user_code(typed), "BCDF-GHJK", typed)

    def test_31_11_what_is_no_user_code(self) -> None:
        for typed in ("", "-", "BCDF-GHJ", "BCDF-GHJKL", "AEIO-UY01", "BBBB-BBBB' OR 1=1", "\ud800"):
            self.assertEqual(normal_user_code(typed), "", typed)

    @given(strategies.text())
    def test_typed_text_is_a_user_code_or_nothing(self, typed: str) -> None:
        code = new_user_code()
        self.assertEqual(normal_user_code(code.lower()), code)
        self.assertRegex(
            normal_user_code(typed), rf"\A([{USER_CODE_LETTERS}]{{4}}-[{USER_CODE_LETTERS}]{{4}})?\Z"
        )
