"""Service accounts, and the tokens they get in the name of an administrator (RFC 7523 §2.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.internet.interfaces import IReactorTime

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.jose.base64url import encoded

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
READ_GROUPS = "https://www.googleapis.com/auth/admin.directory.group.readonly"
_CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_IAM = "https://iamcredentials.googleapis.com"
#: Seconds that an assertion is good for; Google takes no more.
_ASSERTION_LIFETIME = 3600
#: Seconds before its end that a token counts as ended.
_MARGIN = 60.0


class ServiceAccount(Protocol):
    """Signs for itself, with a key of its own or through the machine it runs on."""

    @property
    def email(self) -> str:
        """Its name."""

    @property
    def token_url(self) -> str:
        """Where its assertions are taken."""

    async def signed(self, claims: Mapping[str, Any]) -> str:
        """A JWT with these claims. Raises ConnectorError."""


@attrs.frozen(kw_only=True)
class KeyFileAccount:
    """A service account whose private key is in a file."""

    email: str
    key_id: str
    token_url: str
    key: RSAPrivateKey = attrs.field(repr=False)

    @classmethod
    def of(cls, text: str, path: str) -> KeyFileAccount:
        """The account of a key file's content. Raises ConnectorError."""
        try:
            content = json.loads(text)
            if content["type"] != "service_account":
                raise ConnectorError(f"{path} is no key file of a service account")
            key = load_pem_private_key(content["private_key"].encode(), password=None)
            email, key_id = content["client_email"], content.get("private_key_id", "")
            token_url = content.get("token_uri") or TOKEN_URL
        except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
            # Not a word of the content: it is secret.
            raise ConnectorError(f"{path} cannot be read as a key file of a service account") from None
        if not isinstance(key, RSAPrivateKey) or not all(
            isinstance(t, str) for t in (email, key_id, token_url)
        ):
            raise ConnectorError(f"{path} cannot be read as a key file of a service account")
        return cls(email=email, key_id=key_id, token_url=token_url, key=key)

    async def signed(self, claims: Mapping[str, Any]) -> str:
        """Signed RS256 (RFC 7515 §3.1)."""
        header = {"alg": "RS256", "typ": "JWT", "kid": self.key_id}
        signing_input = ".".join(_part(json.dumps(members).encode()) for members in (header, claims))
        signature = self.key.sign(signing_input.encode("ascii"), PKCS1v15(), SHA256())
        return f"{signing_input}.{_part(signature)}"


@attrs.frozen(kw_only=True)
class MachineAccount:
    """The service account of the Google machine we run on, for which IAM signs."""

    client: UpstreamClient
    metadata_url: str
    email: str
    token_url: str = TOKEN_URL

    @classmethod
    async def found(cls, client: UpstreamClient, metadata_host: str) -> MachineAccount:
        """The account that the metadata server tells of. Raises ConnectorError."""
        url = f"http://{metadata_host}/computeMetadata/v1/instance/service-accounts/default"
        answer = await client.request("GET", f"{url}/email", operation="metadata", headers=_METADATA)
        email = answer.body.decode("ascii", "replace").strip()
        if answer.status != 200 or "@" not in email:
            raise answer.error("names no service account")
        return cls(client=client, metadata_url=url, email=email)

    async def signed(self, claims: Mapping[str, Any]) -> str:
        """Signed by IAM, which asks that the account may create tokens of itself."""
        answer = await self.client.get_json(
            f"{self.metadata_url}/token",
            operation="metadata",
            headers=_METADATA,
            params={"scopes": _CLOUD_PLATFORM},
        )
        token = answer.json_object().get("access_token")
        if not isinstance(token, str) or not token:
            raise answer.error("has no access_token")
        answer = await self.client.request(
            "POST",
            f"{_IAM}/v1/projects/-/serviceAccounts/{self.email}:signJwt",
            operation="sign",
            headers={"Authorization": f"Bearer {token}"},
            json={"payload": json.dumps(claims)},
        )
        signed = answer.json_object().get("signedJwt") if answer.status == 200 else None
        if not isinstance(signed, str) or not signed:
            raise answer.error("has no signedJwt", excerpt=True)
        return signed


_METADATA = {"Metadata-Flavor": "Google"}


@attrs.define(kw_only=True, eq=False)
class AdminToken:
    """What the service account asks with in an administrator's name, kept until shortly before its end."""

    client: UpstreamClient
    clock: IReactorTime
    account: ServiceAccount
    admin: str
    token_url: str
    _token: str = attrs.field(init=False, default="", repr=False)
    _ends: float = attrs.field(init=False, default=0.0)

    async def authorization(self) -> str:
        """The Authorization header of a request. Raises ConnectorError."""
        if not self._token or self.clock.seconds() >= self._ends:
            await self._renew()
        return f"Bearer {self._token}"

    def forget(self) -> None:
        """The token is worth nothing any more."""
        self._token = ""

    async def _renew(self) -> None:
        now = self.clock.seconds()
        assertion = await self.account.signed(
            {
                "iss": self.account.email,
                "sub": self.admin,
                "scope": READ_GROUPS,
                "aud": self.token_url,
                "iat": int(now),
                "exp": int(now) + _ASSERTION_LIFETIME,
            }
        )
        answer = await self.client.request(
            "POST",
            self.token_url,
            operation="service_token",
            data={"grant_type": _JWT_BEARER, "assertion": assertion},
        )
        if answer.status != 200:
            raise answer.error(f"gives no token for {self.admin}", excerpt=True)
        content = answer.json_object()
        token, lifetime = content.get("access_token"), content.get("expires_in", 0)
        if not isinstance(token, str) or not token or not isinstance(lifetime, int | float):
            raise answer.error("has no access_token")
        self._token, self._ends = token, now + lifetime - _MARGIN


def _part(octets: bytes) -> str:
    return encoded(octets).decode("ascii")
