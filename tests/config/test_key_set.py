"""The public keys of clients."""

from __future__ import annotations

from typing import Any

from jwcrypto.jwk import JWK

from dextwist.model.client import Client
from tests.config.case import CLIENT, ConfigCase

EC = JWK.generate(kty="EC", crv="P-256", kid="one")
KEY = EC.export_public(as_dict=True)
PLACE = "staticClients[0].jwks"


class KeySetTest(ConfigCase):
    def client(self, jwks: Any, **more: Any) -> Client:
        (client,) = self.load(self.over(jwks, **more)).static_clients
        return client

    def over(self, jwks: Any, **more: Any) -> dict[str, Any]:
        entry = {"id": "app", "name": "App", "jwks": jwks, **more}
        return {"staticClients": [entry]}

    def test_keys_of_every_kind_are_read_as_they_are(self) -> None:
        keys = [
            KEY,
            *(JWK.generate(kty="EC", crv=crv).export_public(as_dict=True) for crv in ("P-384", "P-521")),
            JWK.generate(kty="OKP", crv="Ed25519").export_public(as_dict=True),
            {**JWK.generate(kty="RSA", size=2048).export_public(as_dict=True), "alg": "RS384", "use": "sig"},
        ]
        self.assertEqual(list(self.client({"keys": keys}).jwks), keys)

    def test_they_stand_in_for_a_secret(self) -> None:
        self.assertEqual(self.client({"keys": [KEY]}).secret, "")
        self.assertEqual(self.client({"keys": [KEY]}, secret="too").secret, "too")

    def test_a_public_client_has_none(self) -> None:
        self.assert_refused(self.over({"keys": [KEY]}, public=True), PLACE, "not public")

    def test_what_is_no_set(self) -> None:
        none_of_them: tuple[dict[str, Any], ...] = ({}, {"keys": []}, {"keys": {}}, {"keys": "x"})
        for wrong in none_of_them:
            self.assert_refused(self.over(wrong), PLACE, "JSON Web Key Set")
        self.assert_refused(self.over([KEY]), PLACE, "a mapping")

    def test_keys_that_are_of_no_use(self) -> None:
        short = JWK.generate(kty="RSA", size=1024).export_public(as_dict=True)
        for key, words in (
            ("text", "JSON Web Key"),
            (EC.export_private(as_dict=True), "private key"),
            ({"kty": "oct", "k": "AAAA"}, "secret"),
            ({**KEY, "crv": "secp256k1"}, "not known"),
            ({"kty": "oct"}, "not known"),
            ({**KEY, "alg": "RS256"}, "ES256"),
            ({**KEY, "use": "enc"}, "use"),
            ({**KEY, "kid": 7}, "kid"),
            ({**KEY, "y": KEY["x"]}, "cannot be read"),
            ({"kty": "EC", "crv": "P-256"}, "cannot be read"),
            (short, "2048"),
        ):
            self.assert_refused(self.over({"keys": [KEY, key]}), f"{PLACE}.keys[1]", words)

    def test_a_private_key_is_not_repeated(self) -> None:
        private = EC.export_private(as_dict=True)
        said = str(self.refusal(self.over({"keys": [private]})))
        self.assertNotIn(private["d"], said)

    def test_a_client_without_a_secret_needs_keys(self) -> None:
        self.assert_refused(
            {"staticClients": [{**CLIENT, "secret": "", "jwks": None}]}, "staticClients[0].secret"
        )
