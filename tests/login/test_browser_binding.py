"""A login goes on only in the browser that began it."""

from __future__ import annotations

import hashlib

from twisted.trial.unittest import SynchronousTestCase

from dextwist.login.browser_binding import browser_digest, check_browser, usable_secret
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AuthRequest
from dextwist.model.ids import new_id, new_long_id
from dextwist.model.times import EPOCH

SECRET, OTHER = "a" + "b" * 50, "a" + "b" * 49 + "c"


def login(digest: bytes) -> AuthRequest:
    return AuthRequest(
        id="r",
        client_id="c",
        response_types=("code",),
        scopes=("openid",),
        redirect_uri="https://app.test/cb",
        expires_at=EPOCH,
        browser_digest=digest,
    )


class UsableSecretTests(SynchronousTestCase):
    def test_secret_of_ours_is_used_again(self) -> None:
        for secret in (SECRET, new_long_id()):
            self.assertEqual(usable_secret(secret), secret)

    def test_anything_else_is_replaced(self) -> None:
        for cookie in (
            None,
            "",
            "x",
            new_id(),
            SECRET + "b",
            SECRET[:-1],
            SECRET.upper(),
            SECRET + "\n",
            "1" + "b" * 50,
        ):
            self.assertIsNone(usable_secret(cookie), cookie)


class CheckBrowserTests(SynchronousTestCase):
    def test_only_a_digest_is_stored(self) -> None:
        self.assertEqual(browser_digest(SECRET), hashlib.sha256(SECRET.encode()).digest())

    def test_browser_that_began_goes_on(self) -> None:
        check_browser(login(browser_digest(SECRET)), SECRET)

    def test_OA_32_other_browsers_are_refused_with_a_page(self) -> None:
        for cookie in (OTHER, None, "", SECRET[:-1], browser_digest(SECRET).hex()):
            refused = self.assertRaises(RefusedWithPage, check_browser, login(browser_digest(SECRET)), cookie)
            self.assertEqual(refused.status, 400)
            self.assertNotIn(SECRET, refused.message)

    def test_OA_32_login_that_is_bound_to_no_browser_belongs_to_none(self) -> None:
        for cookie in (SECRET, "", None):
            self.assertRaises(RefusedWithPage, check_browser, login(b""), cookie)

    def test_OA_32_digest_of_nothing_binds_nobody(self) -> None:
        self.assertRaises(RefusedWithPage, check_browser, login(browser_digest("")), "")
