"""The file as a tree."""

from __future__ import annotations

from typing import Any

from dextwist.config.document import MAX_VALUES, Document, plain, read_document
from dextwist.config.errors import InvalidConfiguration
from tests.config.case import ConfigCase


class DocumentTest(ConfigCase):
    def document(self, text: str | bytes) -> Document:
        return read_document(self.file(text))

    def plain(self, text: str) -> Any:
        return plain(self.document(text).root)

    def refused(self, text: str | bytes) -> str:
        with self.assertRaises(InvalidConfiguration) as raised:
            self.document(text)
        return str(raised.exception)

    def test_1_scalars_are_those_of_yaml_1_1(self) -> None:
        for text, value in (
            ("yes", True), ("On", True), ("no", False), ("OFF", False), ("true", True),
            ("1", 1), ("0x10", 16), ("010", 8), ("1_000", 1000), ("-5", -5), ("0b11", 3),
            ("1.5", 1.5), (".5", 0.5), ("1.0e3", 1000.0),
            ("", None), ("~", None), ("null", None),
            ("'yes'", "yes"), ('"1"', "1"), ("!!str 1", "1"),
            (".", "."), ("=", "="), ("a b", "a b"), ("/dev/null", "/dev/null"), ("1.2.3", "1.2.3"),
        ):  # fmt: skip
            found = self.plain(f"key: {text}")["key"]
            self.assertEqual((found, type(found)), (value, type(value)), text)

    def test_1_dates_and_sexagesimal_numbers_stay_texts(self) -> None:
        for text in ("2026-11-24", "2026-11-24T10:00:00Z", "12:34", "1:30:00.5"):
            self.assertEqual(self.plain(f"key: {text}"), {"key": text})

    def test_1_anchors_and_merge_keys(self) -> None:
        text = "base: &b {a: 1, b: 2}\nother: &o {b: 3, c: 4}\nx: {<<: *b, b: 9}\ny: {<<: [*b, *o]}\nz: *b"
        found = self.plain(text)
        self.assertEqual(found["x"], {"a": 1, "b": 9})
        self.assertEqual(found["y"], {"a": 1, "b": 2, "c": 4})
        self.assertEqual(found["z"], {"a": 1, "b": 2})

    def test_1_a_repeated_key_keeps_its_last_value_and_is_warned_of(self) -> None:
        document = self.document("web:\n  http: a\n  http: b\n")
        self.assertEqual(plain(document.root), {"web": {"http": "b"}})
        (warning,) = document.warnings
        self.assertIn("web.http, line 3", warning)

    def test_a_merged_key_is_no_repeated_one(self) -> None:
        self.assertEqual(self.document("a: &a {k: 1}\nb: {<<: *a, k: 2}").warnings, ())

    def test_the_line_of_a_section_is_that_of_its_key(self) -> None:
        root = self.document("a: 1\nb:\n\n  c:\n    - d\n").root
        assert isinstance(root.value, dict)
        self.assertEqual((root.value["a"].line, root.value["b"].line), (1, 2))

    def test_numbers_and_booleans_as_keys_are_taken_as_written(self) -> None:
        self.assertEqual(self.plain("1: a\non: b\n"), {"1": "a", "on": "b"})

    def test_a_byte_order_mark_is_skipped(self) -> None:
        self.assertEqual(plain(self.document(b"\xef\xbb\xbfa: 1").root), {"a": 1})

    def test_only_the_first_document_counts_and_a_second_one_is_warned_of(self) -> None:
        document = self.document("---\na: 1\n---\nb: 2\n")
        self.assertEqual(plain(document.root), {"a": 1})
        self.assertEqual(len(document.warnings), 1)

    def test_1_files_that_are_none_are_refused(self) -> None:
        for text, words in (
            ("", "the file is empty"),
            ("# nothing\n", "the file is empty"),
            ("- a\n- b\n", "found a list"),
            ("just words", "found a text"),
            (b"\0\1\2", "character that text does not have"),
            (b"\xff\xfea", "not UTF-8"),
            ("a: 1\nissuer: [unclosed", "line 2"),
            ("a: 1\nb: c: d", "line 2"),
            ("a: *nowhere", "undefined alias"),
            ("a: !custom x", "YAML tags"),
            ("a: !!binary aGk=", "YAML tags"),
            ("? [a]\n: b", "a key must be a text"),
            ("a: .inf", "finite"),
            ("a: 0b_", "cannot be read"),
            ("a: !!bool perhaps", "cannot be read"),
            ("a: !!int", "cannot be read"),
            ("a: " + "9" * 5000, "cannot be read"),
            ('a: "\\ud800"', "cannot be read"),
            ('a: "\\UFFFFFFFF"', "out of bounds"),
            ("a: {<<: 1}", "merge key"),
            ("[" * 3000, "nested too deeply"),
            ("a: &a [*a]", "holds itself"),
            ("a: &a {<<: *a}", "holds itself"),
        ):
            self.assertIn(words, self.refused(text), text[:40])

    def test_aliases_of_aliases_have_an_end(self) -> None:
        text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in range(1, 9):
            text += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
        self.assertIn(str(MAX_VALUES), self.refused(text))

    def test_1_a_missing_file_is_named(self) -> None:
        for path in ("/nonexistent/dex.yaml", "/"):
            with self.assertRaises(InvalidConfiguration) as raised:
                read_document(path)
            self.assertIn(f"failed to read config file {path}", str(raised.exception))

    def test_what_looks_like_syntax_in_a_secret_is_not_repeated(self) -> None:
        for text in (
            "secret: *hunter2",
            "secret: !hunter2 x",
            "secret: !hunter2!x y",
            "a: &hunter2\nb: *hunter3",
        ):
            self.assertNotIn("hunter", self.refused(text))
