"""The claims of client assertions (RFC 7523 §3, OpenID Connect Core §9)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.client_assertion import (
    CheckedAssertion,
    UnusableAssertion,
    check_assertion,
    claimed_client_id,
)

NOW = 1_700_000_000.5
ISSUER, TOKEN_ENDPOINT = "https://idp.test/dex", "https://idp.test/dex/token"
GOOD = {
    "iss": "app",
    "sub": "app",
    "aud": ISSUER,
    "iat": 1_700_000_000,
    "exp": 1_700_000_060,
    "jti": "one",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def check(**changed: Any) -> CheckedAssertion:
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not ...}
    return check_assertion(claims, (ISSUER, TOKEN_ENDPOINT), NOW)


class CheckTests(SynchronousTestCase):
    def assert_refused(self, **changed: Any) -> None:
        with self.assertRaises(UnusableAssertion, msg=changed):
            check(**changed)

    def test_audiences_that_are_ours(self) -> None:
        for audience in (ISSUER, TOKEN_ENDPOINT, [ISSUER], [ISSUER, TOKEN_ENDPOINT]):
            check(aud=audience)

    def test_audiences_that_are_not_ours_alone(self) -> None:
        for audience in (
            ...,
            None,
            "",
            [],
            {},
            7,
            "https://idp.test/dex/",
            "https://elsewhere.test",
            [ISSUER, "https://elsewhere.test"],
            [[ISSUER]],
            {ISSUER: 1},
        ):
            self.assert_refused(aud=audience)

    def test_issuer_and_subject_are_the_client(self) -> None:
        for changed in ({"iss": "other"}, {"sub": "other"}, {"iss": ...}, {"sub": ...}, {"iss": 7, "sub": 7}):
            self.assert_refused(**changed)
        self.assert_refused(iss="", sub="")
        self.assertEqual(claimed_client_id(GOOD), "app")

    def test_expiry(self) -> None:
        for ahead in (1, 60, 300, 359):
            check(exp=int(NOW) + ahead)
        for wrong in (..., None, "1700000060", True, int(NOW), int(NOW) - 600, int(NOW) + 361, 1e300):
            self.assert_refused(exp=wrong)

    def test_times_that_lie_ahead(self) -> None:
        for name in ("iat", "nbf"):
            check(**{name: ...})
            check(**{name: int(NOW) + 60})
            for wrong in (int(NOW) + 62, "x", True):
                self.assert_refused(**{name: wrong})

    def test_it_must_have_an_id(self) -> None:
        for wrong in (..., None, "", 7, ["one"]):
            self.assert_refused(jti=wrong)

    def test_ids_are_those_of_one_client(self) -> None:
        ids = {
            check(iss=client, sub=client, jti=jti).id
            for client, jti in (("app", "one"), ("app", "two"), ("ap", "pone"), ("other", "one"))
        }
        self.assertEqual(len(ids), 4)
        self.assertEqual(check().id, check(exp=GOOD["exp"], nbf=1).id)

    def test_it_is_remembered_until_it_has_expired(self) -> None:
        self.assertGreaterEqual(check(exp=int(NOW) + 10.5).expires_at, int(NOW) + 10.5)

    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
    def test_any_claims_are_good_or_refused(self, changed: dict[str, Any]) -> None:
        try:
            check(**changed)
        except UnusableAssertion as refused:
            self.assertTrue(str(refused))
