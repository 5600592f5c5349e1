"""Response types, and how the response travels."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.errors import OAuthError
from dextwist.oauth.response_types import ResponseMode, in_front_channel, parse_response_types, response_mode

ALL = ("code", "id_token", "token")


class ResponseTypeTests(SynchronousTestCase):
    def refused(self, text: str, enabled: tuple[str, ...]) -> str:
        error: OAuthError = self.assertRaises(OAuthError, parse_response_types, text, enabled)
        return error.error

    def test_31_4_words_in_any_order(self) -> None:
        for text, words in [
            ("code", ("code",)),
            ("id_token code", ("id_token", "code")),
            ("  code   id_token token ", ("code", "id_token", "token")),
            ("id_token token", ("id_token", "token")),
            ("code code", ("code",)),
        ]:
            self.assertEqual(parse_response_types(text, ALL), words)

    def test_31_4_hybrid_where_only_code_is_enabled(self) -> None:
        self.assertEqual(self.refused("code id_token", ("code",)), "unsupported_response_type")

    def test_OA_19_implicit_where_only_code_is_enabled(self) -> None:
        for text in ("token", "id_token", "id_token token"):
            self.assertEqual(self.refused(text, ("code",)), "unsupported_response_type")

    def test_31_4_token_alone(self) -> None:
        for text in ("token", "token token"):
            self.assertEqual(self.refused(text, ALL), "invalid_request")

    def test_31_4_missing(self) -> None:
        for text in ("", "   "):
            self.assertEqual(self.refused(text, ALL), "invalid_request")

    def test_30_13_unknown_words_are_unsupported(self) -> None:
        for text in ("bogus", "code bogus", "Code", "none"):
            self.assertEqual(self.refused(text, ALL), "unsupported_response_type")

    def test_30_3_configured_combination_allows_itself(self) -> None:
        enabled = ("code id_token",)
        self.assertEqual(parse_response_types("id_token code", enabled), ("id_token", "code"))
        for text in ("code", "id_token", "code token", "code id_token token"):
            self.assertEqual(self.refused(text, enabled), "unsupported_response_type")

    def test_30_3_combination_beside_a_word(self) -> None:
        enabled = ("code", "id_token token")
        self.assertEqual(parse_response_types("code", enabled), ("code",))
        self.assertEqual(parse_response_types("token id_token", enabled), ("token", "id_token"))
        self.assertEqual(self.refused("code id_token", enabled), "unsupported_response_type")


class ResponseModeTests(SynchronousTestCase):
    def test_default_is_that_of_the_response_type(self) -> None:
        self.assertIs(response_mode("", "code"), ResponseMode.QUERY)
        for text in ("id_token", "code token", "code id_token", "token id_token code"):
            self.assertIs(response_mode("", text), ResponseMode.FRAGMENT)
            self.assertTrue(in_front_channel(text.split()))
        self.assertFalse(in_front_channel(["code"]))

    def test_mode_that_was_asked_for(self) -> None:
        self.assertIs(response_mode("query", "code"), ResponseMode.QUERY)
        for text in ("code", "id_token", "code token"):
            self.assertIs(response_mode("fragment", text), ResponseMode.FRAGMENT)
            self.assertIs(response_mode("form_post", text), ResponseMode.FORM_POST)

    def test_tokens_never_travel_in_a_query(self) -> None:
        for text in ("id_token", "code token", "code id_token"):
            self.assertEqual(
                self.assertRaises(OAuthError, response_mode, "query", text).error, "invalid_request"
            )

    def test_unusable_mode_is_an_invalid_request(self) -> None:
        for mode in ("web_message", "QUERY", "query.jwt", " query"):
            self.assertEqual(
                self.assertRaises(OAuthError, response_mode, mode, "code").error, "invalid_request"
            )
