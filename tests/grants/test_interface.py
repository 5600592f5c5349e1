"""Token responses as they are sent."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.model.client import Client
from dextwist.oauth.parameters import Form


class TokenResponseTests(SynchronousTestCase):
    def test_31_8_standard_response(self) -> None:
        response = TokenResponse(access_token="at", id_token="id", refresh_token="rt", expires_in=3600)
        self.assertEqual(
            response.as_dict(),
            {
                "access_token": "at",
                "token_type": "bearer",
                "expires_in": 3600,
                "refresh_token": "rt",
                "id_token": "id",
            },
        )

    def test_15_4_members_that_are_left_out(self) -> None:
        response = TokenResponse(access_token="at", expires_in=0)
        self.assertEqual(response.as_dict(), {"access_token": "at", "token_type": "bearer"})

    def test_15_4_members_of_some_grants(self) -> None:
        members = TokenResponse(
            access_token="at", expires_in=1, issued_token_type="urn:x", scope="openid"
        ).as_dict()
        self.assertEqual((members["issued_token_type"], members["scope"]), ("urn:x", "openid"))

    def test_WB_15_secrets_are_not_in_the_repr(self) -> None:
        response = TokenResponse(access_token="S-at", id_token="S-id", refresh_token="S-rt", expires_in=1)
        request = TokenRequest(client=Client(id="c", secret="S-c"), form=Form((("code", "S-code"),)))
        self.assertNotIn("S-", repr(response) + repr(request))
