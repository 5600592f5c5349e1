"""Client credentials: where they are found, and whether they are right."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import Client
from dextwist.oauth.client_authentication import ClientCredentials, client_credentials, is_client_secret
from dextwist.oauth.errors import OAuthError

BODY = {"client_id": "body-id", "client_secret": "body-secret"}
FROM_BODY = ClientCredentials(client_id="body-id", client_secret="body-secret", by_basic=False)


def field(name: str) -> str:
    return BODY.get(name, "")


def basic(text: str | bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode() if isinstance(text, str) else text).decode('ascii')}"


class CredentialsTests(SynchronousTestCase):
    def assert_basic(self, header: str, client_id: str, client_secret: str) -> None:
        found = client_credentials(header, field)
        self.assertEqual(
            (found.client_id, found.client_secret, found.by_basic), (client_id, client_secret, True)
        )

    def test_15_1_body(self) -> None:
        self.assertEqual(client_credentials(None, field), FROM_BODY)
        self.assertEqual(client_credentials("", field), FROM_BODY)

    def test_15_1_nothing(self) -> None:
        found = client_credentials(None, lambda _: "")
        self.assertEqual((found.client_id, found.client_secret), ("", ""))

    def test_15_1_basic_wins_over_the_body(self) -> None:
        self.assert_basic(basic("id:secret"), "id", "secret")

    def test_15_1_scheme_in_any_case(self) -> None:
        for scheme in ("basic", "BASIC", "bAsIc"):
            self.assert_basic(basic("id:secret", scheme), "id", "secret")

    def test_15_1_first_colon_separates(self) -> None:
        self.assert_basic(basic("id:se:cr:et"), "id", "se:cr:et")
        self.assert_basic(basic("id:"), "id", "")
        self.assert_basic(basic(":secret"), "", "secret")

    def test_OA_16_form_encoded_credentials(self) -> None:
        for client_id, secret in [
            ("odd+id", "a+b%20c"),
            ("odd:id", "se:cr:et"),
            ("odd id", " se cret "),
            ("öddíd", "gehéim🦀"),
            ("odd%id", "100%"),
            ("odd/id", "a/b==&x=y"),
        ]:
            self.assert_basic(basic(f"{quote_plus(client_id)}:{quote_plus(secret)}"), client_id, secret)

    @settings(deadline=None)
    @given(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))] * 2)
    def test_OA_16_any_credentials_come_back(self, client_id: str, secret: str) -> None:
        self.assert_basic(basic(f"{quote_plus(client_id)}:{quote_plus(secret)}"), client_id, secret)

    def test_OA_16_plus_is_a_blank(self) -> None:
        self.assert_basic(basic("odd+id:+se+cret+"), "odd id", " se cret ")

    def test_OA_16_credentials_that_were_not_encoded_and_need_not_be(self) -> None:
        self.assert_basic(basic("öddíd:a/b==&x=y"), "öddíd", "a/b==&x=y")

    def test_OA_16_bad_escape(self) -> None:
        for text in ("id:%zz", "%:x", "id:100%", "id:%4", "id:%C3%28", "%ff:x", "id:a%00b", "i%00d:x"):
            error = self.assertRaises(OAuthError, client_credentials, basic(text), field)
            self.assertEqual((error.error, error.status), ("invalid_request", 400), text)

    def test_OA_16_header_that_is_no_usable_basic_is_ignored(self) -> None:
        for header in (
            "Basic",
            "Basic ",
            "Basic ???",
            "Basic " + "A" * 4001,
            basic("no colon"),
            basic(b"\xff:\xfe"),
            "Basic \xe9\xe9\xe9\xe9",
            "Basic aWQ6c2VjcmV0 trailing",
            "Bearer x",
            'Digest username="app"',
            "BasicaWQ6c2VjcmV0",
        ):
            self.assertEqual(client_credentials(header, field), FROM_BODY, header)

    @settings(deadline=None)
    @given(st.one_of(st.text(), st.text().map(lambda t: "Basic " + t), st.binary().map(basic)))
    def test_any_header_is_ignored_used_or_an_oauth_error(self, header: str) -> None:
        try:
            client_credentials(header, field)
        except OAuthError as error:
            self.assertEqual(error.error, "invalid_request")

    def test_WB_15_secret_is_not_in_the_repr(self) -> None:
        self.assertNotIn(
            "secret", repr(client_credentials(basic("id:secret"), field)).replace("client_secret", "")
        )


class SecretTests(SynchronousTestCase):
    def test_OA_15_only_the_secret_is_the_secret(self) -> None:
        client = Client(id="c", secret="s3cret")
        self.assertTrue(is_client_secret(client, "s3cret"))
        for wrong in ("", "s3cre", "s3cret ", " s3cret", "S3CRET", "s3crét"):
            self.assertFalse(is_client_secret(client, wrong), wrong)

    def test_OA_17_blank_secret_of_a_confidential_client_authenticates_nobody(self) -> None:
        for presented in ("", "x"):
            self.assertFalse(is_client_secret(Client(id="c", secret=""), presented))

    def test_15_1_public_client_without_a_secret(self) -> None:
        client = Client(id="c", public=True)
        self.assertTrue(is_client_secret(client, ""))
        self.assertFalse(is_client_secret(client, "surprise"))

    def test_15_1_public_client_that_has_a_secret_must_show_it(self) -> None:
        client = Client(id="c", public=True, secret="s3cret")
        self.assertTrue(is_client_secret(client, "s3cret"))
        self.assertFalse(is_client_secret(client, ""))

    def test_secret_beyond_ascii(self) -> None:
        self.assertTrue(is_client_secret(Client(id="c", secret="gehéim🦀"), "gehéim🦀"))
