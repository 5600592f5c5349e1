"""What clients sign to say who they are: with a key of their set, or with their secret (RFC 7523 §3)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
from cryptography.exceptions import InvalidSignature

from dextwist.jose.errors import InvalidToken, UnusableKey
from dextwist.jose.jws import ALGORITHMS, CompactJWS, VerifyingKey, verified
from dextwist.model.client import Client
from dextwist.oauth.client_assertion import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT

#: How long a secret must be for each algorithm: as long as its hash (RFC 7518 §3.2).
SECRET_BYTES: Mapping[str, int] = {"HS256": 32, "HS384": 48, "HS512": 64}
#: Header members that bring a key along. An honest client has no reason to.
_KEY_BRINGERS = ("jwk", "jku", "x5c", "x5u")
_TYPES = ("JWT", "CLIENT-AUTHENTICATION+JWT")


@attrs.frozen
class ClientAssertions:
    """Reads assertions, and says which ones their client has signed."""

    def unverified_claims(self, assertion: str) -> Mapping[str, Any]:
        """What the assertion says, believed by nobody yet. Raises InvalidToken."""
        return CompactJWS.of(assertion).claims()

    def claims(self, assertion: str, client: Client) -> Mapping[str, Any]:
        """What the assertion says, if the client signed it. Raises InvalidToken."""
        keys = [*_of_the_set(client), *_of_the_secret(client)]
        token = verified(assertion, keys, algorithms=(*ALGORITHMS, *SECRET_BYTES))
        if any(name in token.header for name in _KEY_BRINGERS):
            raise InvalidToken("the assertion brings a key along")
        if str(token.header.get("typ", "JWT")).upper() not in _TYPES:
            raise InvalidToken("the assertion is of another type")
        return token.claims


def usable_methods(clients: Iterable[Client]) -> dict[str, tuple[str, ...]]:
    """The ways in which some of these clients can authenticate by assertion, and the algorithms for each."""
    longest, some_keys = 0, False
    for client in clients:
        longest, some_keys = max(longest, len(client.secret.encode())), some_keys or bool(client.jwks)
    by_secret = tuple(name for name, length in SECRET_BYTES.items() if longest >= length)
    by_method = {PRIVATE_KEY_JWT: ALGORITHMS if some_keys else (), CLIENT_SECRET_JWT: by_secret}
    return {method: algorithms for method, algorithms in by_method.items() if algorithms}


def _of_the_set(client: Client) -> list[VerifyingKey]:
    try:
        return [VerifyingKey.of(jwk) for jwk in client.jwks]
    except UnusableKey as error:
        raise InvalidToken(f"the client's key set cannot be used: {error}") from None


def _of_the_secret(client: Client) -> list[VerifyingKey]:
    secret = client.secret.encode()
    return [
        VerifyingKey(algorithm, "", _checking(secret, f"sha{algorithm[2:]}"))
        for algorithm, length in SECRET_BYTES.items()
        if len(secret) >= length
    ]


def _checking(secret: bytes, digest: str) -> Callable[[bytes, bytes], None]:
    def check(signature: bytes, signing_input: bytes) -> None:
        if not hmac.compare_digest(hmac.digest(secret, signing_input, digest), signature):
            raise InvalidSignature

    return check
