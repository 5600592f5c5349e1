"""OAuth errors as clients see them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.errors import OAuthError, unavailable

#: What RFC 6749 §5.2 allows in a description.
ALLOWED = {chr(c) for c in (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F))}


class OAuthErrorTests(SynchronousTestCase):
    def test_30_16_description_holds_neither_quotes_nor_backslashes(self) -> None:
        error = OAuthError("invalid_request", 'method "S512" \\ ünï\r\nX: y')
        self.assertEqual(error.description, "method ?S512? ? ?n???X: y")

    @settings(deadline=None)
    @given(st.text())
    def test_description_is_what_the_rfc_allows(self, text: str) -> None:
        description = OAuthError("invalid_request", text).description
        self.assertLessEqual(set(description), ALLOWED)
        self.assertEqual(len(description), len(text))

    def test_allowed_text_stays(self) -> None:
        text = "".join(sorted(ALLOWED))
        self.assertEqual(OAuthError("invalid_request", text).description, text)

    def test_it_is_a_bad_request_unless_said_otherwise(self) -> None:
        self.assertEqual(OAuthError("invalid_grant").status, 400)
        self.assertIsNone(OAuthError("invalid_grant").retry_after)

    def test_text_for_logs(self) -> None:
        self.assertEqual(
            str(OAuthError("invalid_grant", "the code is unknown")), "invalid_grant: the code is unknown"
        )
        self.assertEqual(str(OAuthError("invalid_grant")), "invalid_grant")

    def test_unavailable_says_when_to_try_again(self) -> None:
        error = unavailable()
        self.assertEqual((error.error, error.status, error.retry_after), ("temporarily_unavailable", 503, 5))
