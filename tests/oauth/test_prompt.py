"""The prompt and max_age parameters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.errors import OAuthError
from dextwist.oauth.prompt import parse_max_age, parse_prompt


class PromptTests(SynchronousTestCase):
    def test_31_4_prompts(self) -> None:
        for text, canonical in [
            ("", ""),
            ("none", "none"),
            ("login login", "login"),
            ("  login  ", "login"),
            ("consent login", "login consent"),
            ("login select_account", "login select_account"),
            ("select_account consent login", "login consent select_account"),
            ("none none", "none"),
        ]:
            self.assertEqual(parse_prompt(text), canonical, text)

    def test_OA_35_31_4_bad_prompts(self) -> None:
        for text in (
            "none login",
            "none consent",
            "none select_account",
            "bogus",
            "login bogus",
            "NONE",
            "create",
        ):
            self.assertEqual(self.assertRaises(OAuthError, parse_prompt, text).error, "invalid_request", text)


class MaxAgeTests(SynchronousTestCase):
    def test_5_1_seconds(self) -> None:
        for text, seconds in [
            ("", -1),
            ("0", 0),
            ("1", 1),
            ("+600", 600),
            ("0600", 600),
            ("9999999999", 9999999999),
        ]:
            self.assertEqual(parse_max_age(text), seconds, text)

    def test_5_3_15_bad_numbers(self) -> None:
        for text in ("-1", "+", "1.5", "1e3", " 1", "1\n", "ten", "0x10", "1_000", "\u0661", "9" * 11):
            self.assertEqual(
                self.assertRaises(OAuthError, parse_max_age, text).error, "invalid_request", text
            )
