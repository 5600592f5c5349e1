"""Which assertions their client has signed (RFC 7523 §3, RFC 8725)."""

from __future__ import annotations

import hmac
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import Client
from dextwist.signing.client_assertions import ClientAssertions, usable_methods
from dextwist.signing.interface import InvalidToken
from tests.signing.asserting import SECRET, new_key, public, secret_key, signed
from tests.signing.forgeries import b64, compact, forgeries

CLAIMS = {"iss": "app", "sub": "app"}
KINDS = (
    ("RSA", "RS256"),
    ("P-256", "ES256"),
    ("P-384", "ES384"),
    ("P-521", "ES512"),
    ("Ed25519", "EdDSA"),
)


class ClientAssertionsTests(SynchronousTestCase):
    reader = ClientAssertions()

    def read(self, assertion: str, client: Client) -> dict[str, Any]:
        return dict(self.reader.claims(assertion, client))

    def assert_refused(self, assertion: str, client: Client, what: object = None) -> None:
        with self.assertRaises(InvalidToken, msg=what):
            self.reader.claims(assertion, client)

    def test_private_key_jwt_with_each_kind_of_key(self) -> None:
        for kind, algorithm in KINDS:
            key = new_key(kind)
            client = Client(id="app", jwks=(public(key),))
            self.assertEqual(self.read(signed(CLAIMS, key, algorithm), client), CLAIMS, kind)

    def test_private_key_jwt_with_the_algorithm_that_the_key_names(self) -> None:
        key = new_key("RSA")
        client = Client(id="app", jwks=({**public(key), "alg": "RS512"},))
        self.assertEqual(self.read(signed(CLAIMS, key, "RS512"), client), CLAIMS)
        self.assert_refused(signed(CLAIMS, key, "RS256"), client)

    def test_client_secret_jwt_with_each_algorithm(self) -> None:
        for algorithm in ("HS256", "HS384", "HS512"):
            assertion = signed(CLAIMS, secret_key(), algorithm, typ="JWT")
            self.assertEqual(self.read(assertion, Client(id="app", secret=SECRET)), CLAIMS)

    def test_a_secret_must_be_as_long_as_the_hash(self) -> None:
        for length, algorithms in ((31, 0), (32, 1), (47, 1), (48, 2), (63, 2), (64, 3)):
            secret, accepted = SECRET[:length], 0
            for algorithm in ("HS256", "HS384", "HS512"):
                try:
                    self.reader.claims(compact_hmac(secret, algorithm), Client(id="app", secret=secret))
                    accepted += 1
                except InvalidToken:
                    pass
            self.assertEqual(accepted, algorithms, length)

    def test_keys_are_told_apart_by_their_id(self) -> None:
        old, new = new_key("P-256", kid="old"), new_key("P-256", kid="new")
        client = Client(id="app", jwks=(public(old), public(new)))
        for key, kid in ((old, "old"), (new, "new")):
            self.assertEqual(self.read(signed(CLAIMS, key, "ES256", kid=kid), client), CLAIMS)
        self.assertEqual(self.read(signed(CLAIMS, new, "ES256"), client), CLAIMS, "all are tried")
        self.assert_refused(signed(CLAIMS, old, "ES256", kid="new"), client)
        self.assert_refused(signed(CLAIMS, old, "ES256", kid="other"), client)

    def test_OA_22_forgeries(self) -> None:
        for kind, algorithm in (("RSA", "RS256"), ("P-256", "ES256")):
            key = new_key(kind, kid="k", alg=algorithm)
            client = Client(id="app", secret=SECRET, jwks=(public(key),))
            good = signed(CLAIMS, key, algorithm, kid="k")
            self.read(good, client)
            for what, forged in forgeries(good, client.jwks):
                self.assert_refused(forged, client, what)

    def test_OA_22_other_clients_keys_and_secrets(self) -> None:
        key = new_key("P-256")
        for assertion in (signed(CLAIMS, key, "ES256"), signed(CLAIMS, secret_key(), "HS256")):
            for client in (
                Client(id="app"),
                Client(id="app", secret=SECRET[::-1], jwks=(public(new_key("P-256")),)),
            ):
                self.assert_refused(assertion, client)

    def test_OA_22_headers_that_bring_keys_or_need_extensions(self) -> None:
        key = new_key("P-256")
        client = Client(id="app", jwks=(public(key),))
        for header in (
            {"jwk": public(key)},
            {"jku": "https://app.test/keys"},
            {"x5u": "https://app.test/cert"},
            {"x5c": ["MIIB"]},
            {"typ": "at+jwt"},
            {"typ": 7},
        ):
            self.assert_refused(signed(CLAIMS, key, "ES256", **header), client, header)
        for typ in ("JWT", "jwt", "client-authentication+jwt"):
            self.read(signed(CLAIMS, key, "ES256", typ=typ), client)
        crit = compact({"alg": "ES256", "crit": ["exp"]}, b"{}", bytes(64))
        self.assert_refused(crit, client)

    def test_a_key_that_cannot_be_used_authenticates_nobody(self) -> None:
        key = new_key("P-256")
        broken = Client(id="app", jwks=({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},))
        self.assert_refused(signed(CLAIMS, key, "ES256"), broken)

    def test_what_is_no_jws(self) -> None:
        for text in ("", "a.b.c", "....", "ünï", "x" * 20_000):
            with self.assertRaises(InvalidToken):
                self.reader.unverified_claims(text)
            self.assert_refused(text, Client(id="app", secret=SECRET))


class UsableMethodsTests(SynchronousTestCase):
    def test_only_what_some_client_can_do(self) -> None:
        key = public(new_key("P-256"))
        for clients, methods in (
            ([], {}),
            ([Client(id="a", secret="short"), Client(id="b", public=True)], {}),
            ([Client(id="a", secret=SECRET[:32])], {"client_secret_jwt": ("HS256",)}),
            ([Client(id="a", secret=SECRET)], {"client_secret_jwt": ("HS256", "HS384", "HS512")}),
            (
                [Client(id="a", jwks=(key,))],
                {
                    "private_key_jwt": (
                        *("RS256", "RS384", "RS512"),
                        *("ES256", "ES384", "ES512"),
                        "EdDSA",
                    )
                },
            ),
        ):
            self.assertEqual(usable_methods(clients), methods)


def compact_hmac(secret: str, algorithm: str) -> str:
    """An assertion by a secret of any length; jwcrypto makes none with a short one."""
    unsigned = compact({"alg": algorithm}, b'{"sub":"app"}').rpartition(".")[0]
    mac = hmac.new(secret.encode(), unsigned.encode(), f"sha{algorithm[2:]}").digest()
    return f"{unsigned}.{b64(mac)}"
