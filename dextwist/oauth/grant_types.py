"""Grant types, and which of them an authorization request counts as."""

from __future__ import annotations

from collections.abc import Collection

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
IMPLICIT = "implicit"
PASSWORD = "password"  # noqa: S105 - the grant's name
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the grant's name

#: The path that ends the redirect target of a device login (RFC 8628 §3.3).
DEVICE_CALLBACK = "/device/callback"


def grant_type_of(response_types: Collection[str], redirect_uri: str) -> str:
    """The grant type that an authorization request counts as when connectors are limited by grant.

    A hybrid request counts as implicit, as it does in dex.
    """
    # Only as a path of this server: a client's own URL that ends so is no device login.
    if redirect_uri.startswith("/") and redirect_uri.endswith(DEVICE_CALLBACK):
        return DEVICE_CODE
    if "token" in response_types or "id_token" in response_types:
        return IMPLICIT
    return AUTHORIZATION_CODE
