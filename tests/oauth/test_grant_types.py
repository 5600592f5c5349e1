"""Which grant an authorization request counts as."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.grant_types import AUTHORIZATION_CODE, DEVICE_CODE, IMPLICIT, grant_type_of

R1 = "https://app.test/cb"


class GrantTypeTests(SynchronousTestCase):
    def test_response_type_decides(self) -> None:
        for words, grant_type in [
            (("code",), AUTHORIZATION_CODE),
            (("token",), IMPLICIT),
            (("id_token",), IMPLICIT),
            (("id_token", "token"), IMPLICIT),
            ((), AUTHORIZATION_CODE),
        ]:
            self.assertEqual(grant_type_of(words, R1), grant_type)

    def test_hybrid_counts_as_implicit(self) -> None:
        for words in (("code", "id_token"), ("code", "token"), ("code", "id_token", "token")):
            self.assertEqual(grant_type_of(words, R1), IMPLICIT)

    def test_device_callback_counts_as_a_device_login(self) -> None:
        for uri in ("/device/callback", "/dex/device/callback", "/a/b/device/callback"):
            self.assertEqual(grant_type_of(("code",), uri), DEVICE_CODE)
            self.assertEqual(grant_type_of(("token",), uri), DEVICE_CODE)

    def test_OA_13_clients_own_url_is_no_device_login(self) -> None:
        for uri in (
            "http://localhost:8080/device/callback",
            "https://app.test/device/callback",
            "https://app.test/cb?to=/device/callback",
            "/device/callback/more",
            "/dex/notdevice/callbac",
        ):
            self.assertEqual(grant_type_of(("code",), uri), AUTHORIZATION_CODE, uri)
