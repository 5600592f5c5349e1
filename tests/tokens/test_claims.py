"""What tokens say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.model.times import EPOCH
from dextwist.tokens.claims import TokenSubject, audience, client_of, token_claims

KILGORE = Claims(
    user_id="0-385-28089-0",
    username="Kilgore Trout",
    preferred_username="kilgore",
    email="kilgore@kilgore.trout",
    email_verified=True,
    groups=("authors",),
)
SUBJECT = TokenSubject(client_id="app", scopes=("openid",), claims=KILGORE, connector_id="mock")


def peer(client_id: str) -> str:
    return f"audience:server:client_id:{client_id}"


def content(**how: Any) -> dict[str, Any]:
    return token_claims(
        attrs.evolve(SUBJECT, **how),
        issuer="https://idp.test/dex",
        token_id="jti-1",
        issued_at=1000,
        expires_at=1030,
    )


class ClaimsTests(SynchronousTestCase):
    def test_17_2_OA_20_claims_that_are_always_there(self) -> None:
        self.assertEqual(
            content(),
            {
                "iss": "https://idp.test/dex",
                "sub": "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr",
                "aud": "app",
                "exp": 1030,
                "iat": 1000,
                "jti": "jti-1",
            },
        )

    def test_17_2_scopes_bring_their_claims(self) -> None:
        always = content().keys()
        for scope, claims in [
            ("email", {"email": "kilgore@kilgore.trout", "email_verified": True}),
            ("profile", {"name": "Kilgore Trout", "preferred_username": "kilgore"}),
            ("groups", {"groups": ("authors",)}),
            ("federated:id", {"federated_claims": {"connector_id": "mock", "user_id": "0-385-28089-0"}}),
            ("offline_access", {}),
        ]:
            found = content(scopes=("openid", scope))
            self.assertEqual({name: found[name] for name in found.keys() - always}, claims, scope)

    def test_17_2_empty_values_are_left_out_but_for_email_verified(self) -> None:
        found = content(
            claims=Claims(user_id="u"),
            scopes=("openid", "email", "profile", "groups", "federated:id"),
            connector_id="",
        )
        self.assertEqual(
            {name: found[name] for name in found.keys() - content().keys()},
            {"email_verified": False, "federated_claims": {"user_id": "u"}},
        )

    def test_OA_20_nonce_as_it_was_sent(self) -> None:
        nonce = "n \"'<&>\\ \r\n\t 🦀"
        self.assertEqual(content(nonce=nonce)["nonce"], nonce)
        self.assertNotIn("nonce", content(nonce=""))

    def test_17_2_auth_time_is_an_integer_where_it_is_known(self) -> None:
        found = content(auth_time=EPOCH + timedelta(seconds=999, milliseconds=900))["auth_time"]
        self.assertEqual(found, 999)
        self.assertIs(type(found), int)
        for unknown in (EPOCH, datetime(1, 1, 1, tzinfo=UTC)):
            self.assertNotIn("auth_time", content(auth_time=unknown))

    def test_17_2_session_id(self) -> None:
        self.assertEqual(content(session_id="s1")["sid"], "s1")
        self.assertNotIn("sid", content())

    def test_17_2_azp_only_where_there_are_several_audiences(self) -> None:
        found = content(scopes=("openid", peer("other")))
        self.assertEqual((found["aud"], found["azp"]), (["other", "app"], "app"))
        found = content(scopes=("openid", peer("app")))
        self.assertEqual(found["aud"], "app")
        self.assertNotIn("azp", found)


class AudienceTests(SynchronousTestCase):
    def test_31_8_audience(self) -> None:
        self.assertEqual(audience("client-id", ["x", peer("aa"), peer("bb")]), ["aa", "bb", "client-id"])

    def test_17_4_client_is_appended_where_it_is_not_named(self) -> None:
        self.assertEqual(audience("app", ["openid"]), ["app"])
        self.assertEqual(audience("app", [peer("app")]), ["app"])
        self.assertEqual(audience("app", [peer("app"), peer("b")]), ["app", "b"])
        self.assertEqual(audience("app", [peer("b"), peer("app")]), ["b", "app"])
        self.assertEqual(audience("app", [peer("b")]), ["b", "app"])

    def test_17_4_duplicates_are_kept(self) -> None:
        self.assertEqual(audience("app", [peer("b"), peer("b")]), ["b", "b", "app"])


class ClientOfTests(SynchronousTestCase):
    def test_31_16_client_of_a_token(self) -> None:
        table: list[tuple[dict[str, Any], str]] = [
            ({}, ""),
            ({"aud": []}, ""),
            ({"aud": "a"}, "a"),
            ({"aud": ["a"], "azp": "b"}, "a"),
            ({"aud": ["a", "b"], "azp": "b"}, "b"),
            ({"aud": ["a", "b"]}, ""),
        ]
        for claims, client in table:
            self.assertEqual(client_of(claims), client, claims)
