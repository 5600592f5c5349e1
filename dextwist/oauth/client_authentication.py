"""How a client says who it is at the token endpoint (RFC 6749 §2.3.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import attrs

from dextwist.model.client import Client
from dextwist.oauth.errors import OAuthError


@attrs.frozen(kw_only=True)
class ClientCredentials:
    """The id and secret that came, and whether by HTTP authentication."""

    client_id: str
    client_secret: str = attrs.field(repr=False)
    by_basic: bool


def client_credentials(authorization: str | None, field: Callable[[str], str]) -> ClientCredentials:
    """The credentials of a request: `Authorization: Basic` where it is usable, else the body's.

    `field` reads a field of the body. Basic credentials are form-decoded after base64. Raises OAuthError
    (invalid_request) for a bad escape in them.
    """
    pair = _basic(authorization) if authorization else None
    if pair is None:
        return ClientCredentials(
            client_id=field("client_id"), client_secret=field("client_secret"), by_basic=False
        )
    return ClientCredentials(client_id=_decoded(pair[0]), client_secret=_decoded(pair[1]), by_basic=True)


def is_client_secret(client: Client, presented: str) -> bool:
    """Whether that is the client's secret, in constant time. A blank one authenticates only the public."""
    if not client.secret:
        return client.public and not presented
    expected = hashlib.sha256(client.secret.encode()).digest()
    return hmac.compare_digest(hashlib.sha256(presented.encode()).digest(), expected)


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    name, colon, secret = text.partition(":")
    return (name, secret) if colon else None


def _decoded(text: str) -> str:
    pieces = text.split("%")
    if not all(len(p) >= 2 and _is_hex(p[:2]) for p in pieces[1:]):
        raise OAuthError("invalid_request", "the client credentials are not form-encoded")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise OAuthError("invalid_request", "the client credentials are not UTF-8") from None
    if "\0" in decoded:
        raise OAuthError("invalid_request", "the client credentials hold a NUL")
    return decoded


def _is_hex(text: str) -> bool:
    return all(c in "0123456789abcdefABCDEF" for c in text)
