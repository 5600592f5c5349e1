"""How connectors read their settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.settings import Settings


class SettingsTests(SynchronousTestCase):
    """Reading one key."""

    def wrong(self, read: Callable[[Settings], object], value: Any) -> str:
        with self.assertRaises(ConnectorError) as caught:
            read(Settings({"key": value}))
        return str(caught.exception)

    def test_absent_null_and_empty_take_the_default(self) -> None:
        for values in ({}, {"key": None}, {"key": ""}):
            self.assertEqual(Settings(values).text("key", "default"), "default")
        empty: list[dict[str, Any]] = [{}, {"key": None}, {"key": []}]
        for values in empty:
            self.assertEqual(Settings(values).texts("key", ("default",)), ("default",))
        for values in ({}, {"key": None}):
            self.assertTrue(Settings(values).flag("key", True))
            self.assertEqual(Settings(values).texts_by_name("key"), {})
            self.assertEqual(Settings(values).section("key").text("inner", "default"), "default")

    def test_what_is_given_counts(self) -> None:
        settings = Settings({"text": "a", "flag": False, "list": ["a", "b"], "section": {"key": "c"}})
        self.assertEqual((settings.text("text", "x"), settings.flag("flag", True)), ("a", False))
        self.assertEqual(settings.texts("list", ("x",)), ("a", "b"))
        self.assertEqual(settings.section("section").text("key"), "c")
        self.assertEqual(settings.texts_by_name("section"), {"key": "c"})

    def test_empty_text_may_be_told_from_none(self) -> None:
        given = [
            Settings(values).given_text("key") for values in ({}, {"key": None}, {"key": ""}, {"key": "a"})
        ]
        self.assertEqual(given, [None, None, "", "a"])

    def test_other_kinds_are_refused_by_name(self) -> None:
        for read, value in (
            (lambda s: s.text("key"), 7),
            (lambda s: s.text("key"), ["a"]),
            (lambda s: s.flag("key"), "true"),
            (lambda s: s.texts("key"), "a"),
            (lambda s: s.texts("key"), ["a", 1]),
            (lambda s: s.texts("key"), ["a", ""]),
            (lambda s: s.texts_by_name("key"), ["a"]),
            (lambda s: s.texts_by_name("key"), {"a": ""}),
            (lambda s: s.section("key"), "a"),
            (lambda s: s.choice("key", ("a", "b")), "c"),
            (lambda s: s.url("key"), "ftp://a.test"),
            (lambda s: s.url("key"), "a.test"),
            (lambda s: s.url("key"), "http://"),
            (lambda s: s.url("key"), "http://[::1"),
            (lambda s: s.url("key"), "http://a.test:99999/"),
            (lambda s: s.required("key"), ""),
        ):
            self.assertTrue(self.wrong(read, value).startswith("key "))

    def test_keys_below_others_are_named_in_full(self) -> None:
        inner = Settings({"claimMapping": {"emailKey": 1}}).section("claimMapping")
        with self.assertRaises(ConnectorError) as caught:
            inner.text("emailKey")
        self.assertIn("claimMapping.emailKey", str(caught.exception))

    def test_values_are_never_told(self) -> None:
        self.assertNotIn("s3cret", self.wrong(lambda s: s.url("key"), "s3cret"))
        self.assertNotIn("s3cret", repr(Settings({"key": "s3cret"})))

    def test_choice_and_url(self) -> None:
        settings = Settings({"word": "b", "url": "https://a.test/x/?y=1"})
        self.assertEqual(settings.choice("word", ("a", "b")), "b")
        self.assertEqual(settings.choice("other", ("a", "b"), "a"), "a")
        self.assertEqual(settings.url("url"), "https://a.test/x/?y=1")
        self.assertEqual(settings.url("other", "https://b.test"), "https://b.test")


class SecretTests(SynchronousTestCase):
    """Secrets may stand in files."""

    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def test_secret_from_the_key_or_the_file(self) -> None:
        self.file.write_text("from the file\r\n")
        self.assertEqual(Settings({"clientSecret": "here"}).secret("clientSecret"), "here")
        self.assertEqual(
            Settings({"clientSecretFile": str(self.file)}).secret("clientSecret"), "from the file"
        )
        self.assertEqual(Settings({}).secret("clientSecret", required=False), "")
        with self.assertRaises(ConnectorError):
            Settings({}).secret("clientSecret")

    def test_both_are_too_many(self) -> None:
        with self.assertRaises(ConnectorError):
            Settings({"clientSecret": "a", "clientSecretFile": str(self.file)}).secret("clientSecret")

    def test_file_that_cannot_be_read_is_named(self) -> None:
        for content in (None, b"\xff"):
            if content is not None:
                self.file.write_bytes(content)
            with self.assertRaises(ConnectorError) as caught:
                Settings({"clientSecretFile": str(self.file)}).secret("clientSecret")
            self.assertIn(str(self.file), str(caught.exception))
