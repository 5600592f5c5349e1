"""An OpenID provider as an upstream: its document, its keys, and what it signs (OpenID Connect Discovery)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.client import UpstreamClient, checked_url
from dextwist.connectors.upstream.kept import Kept
from dextwist.jose.errors import InvalidToken, UnknownKey
from dextwist.jose.jws import (
    ALGORITHMS,
    PSS_ALGORITHMS,
    VerifiedToken,
    VerifyingKey,
    verified,
    verifying_keys,
)

#: What upstreams may sign with; a document can narrow this and not widen it.
SIGNED_WITH = (*ALGORITHMS, *PSS_ALGORITHMS)
#: Characters of the longest token of an upstream that is looked at.
MAX_TOKEN = 64 * 1024
_MAX_KEYS = 100
_DAY = 24 * 3600.0
_HOUR = 3600.0
_GOOGLE = "https://accounts.google.com"


@attrs.frozen(kw_only=True)
class ProviderDocument:
    """What a provider says of itself; an empty text where it says nothing."""

    issuer: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    jwks_uri: str = ""
    end_session_endpoint: str = ""
    #: what of SIGNED_WITH it signs with.
    algorithms: Sequence[str] = ("RS256",)
    code_challenge_methods: Sequence[str] = ()
    #: how clients may authenticate, as far as it says.
    token_auth_methods: Sequence[str] = ()
    #: that it names itself when it sends the browser back (RFC 9207).
    names_itself: bool = False

    @property
    def issuers(self) -> Sequence[str]:
        """What its tokens may say of who issued them."""
        return (self.issuer, "accounts.google.com") if self.issuer == _GOOGLE else (self.issuer,)

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> ProviderDocument:
        """The document. Raises ConnectorError for a member of another kind."""
        offered = _texts(members, "id_token_signing_alg_values_supported")
        return cls(
            issuer=_text(members, "issuer"),
            authorization_endpoint=_text(members, "authorization_endpoint"),
            token_endpoint=_text(members, "token_endpoint"),
            userinfo_endpoint=_text(members, "userinfo_endpoint"),
            jwks_uri=_text(members, "jwks_uri"),
            end_session_endpoint=_text(members, "end_session_endpoint"),
            algorithms=tuple(name for name in SIGNED_WITH if name in offered) or ("RS256",),
            code_challenge_methods=_texts(members, "code_challenge_methods_supported"),
            token_auth_methods=_texts(members, "token_endpoint_auth_methods_supported"),
            names_itself=members.get("authorization_response_iss_parameter_supported") is True,
        )


@attrs.define(kw_only=True, eq=False)
class Provider:
    """One provider. Nothing is asked before it is needed, and what cannot be had now is asked for again."""

    http: UpstreamClient
    #: where the document is, and who is expected to have issued tokens.
    issuer: str
    #: who issues tokens, where the document may name another than that.
    issuer_alias: str = ""
    #: what is known better than the document, by the names of ProviderDocument.
    overrides: Mapping[str, str] = attrs.field(factory=dict)
    #: that the provider may be asked without TLS, even where it is not on this machine.
    allow_http: bool = False
    _document: Kept[ProviderDocument] = attrs.field(init=False)
    _keys: Kept[Sequence[VerifyingKey]] = attrs.field(init=False)

    @_document.default
    def _kept_document(self) -> Kept[ProviderDocument]:
        return Kept(
            fetch=self._fetch_document,
            clock=self.http.clock,
            name=f"the document of {self.issuer}",
            max_age=_DAY,
        )

    @_keys.default
    def _kept_keys(self) -> Kept[Sequence[VerifyingKey]]:
        return Kept(
            fetch=self._fetch_keys, clock=self.http.clock, name=f"the key set of {self.issuer}", max_age=_HOUR
        )

    async def document(self) -> ProviderDocument:
        """What the provider says of itself. Raises ConnectorError where it cannot be had or used."""
        return await self._document.get()

    async def verified(self, token: str) -> VerifiedToken:
        """What a token says that one of the provider's keys has signed; what it says is not checked.

        A key that is not known is looked for once, and not too often. Raises ConnectorError.
        """
        algorithms = (await self.document()).algorithms
        try:
            try:
                return _verified(token, await self._keys.get(), algorithms)
            except UnknownKey:
                await self._document.renewed()
                return _verified(token, await self._keys.renewed(), algorithms)
        except InvalidToken as invalid:
            raise ConnectorError(f"a token of {self.issuer} is not accepted: {invalid}") from None

    def close(self) -> None:
        """End what is under way."""
        self._document.close()
        self._keys.close()

    async def _fetch_document(self) -> ProviderDocument:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        self._check_endpoint(url)
        answer = await self.http.get_json(url, operation="discovery")
        document = ProviderDocument.of(answer.json_object())
        if self.issuer_alias:
            document = attrs.evolve(document, issuer=self.issuer_alias)
        elif document.issuer != self.issuer:
            raise ConnectorError(
                f"the document of {self.issuer} is of another issuer: {document.issuer!r:.200};"
                " where that is meant to be, issuerAlias says so"
            )
        known_better: dict[str, Any] = dict(self.overrides)
        document = attrs.evolve(document, **known_better)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check_endpoint(getattr(document, name), name)
        for name in ("userinfo_endpoint", "end_session_endpoint"):
            if getattr(document, name):
                self._check_endpoint(getattr(document, name), name)
        return document

    async def _fetch_keys(self) -> Sequence[VerifyingKey]:
        url = (await self.document()).jwks_uri
        try:
            answer = await self.http.get_json(url, operation="keys")
        except ConnectorError:
            # They may have moved.
            document = await self._document.renewed()
            if document.jwks_uri == url:
                raise
            answer = await self.http.get_json(document.jwks_uri, operation="keys")
        published = answer.json_object().get("keys")
        if not isinstance(published, list):
            raise answer.error("is no key set")
        # As the document changes, so do the algorithms; what a key may be used for does not.
        keys = [
            key
            for jwk in published[:_MAX_KEYS]
            if isinstance(jwk, dict)
            for key in verifying_keys(jwk, SIGNED_WITH)
        ]
        if not keys:
            raise answer.error("has no key that can be used")
        return keys

    def _check_endpoint(self, url: str, name: str = "issuer") -> None:
        """Return for a URL that may be asked. Raises ConnectorError."""
        try:
            parts = checked_url(url)
        except ConnectorError as error:
            raise ConnectorError(f"the document of {self.issuer}: {name}: {error}") from None
        if parts.scheme != "https" and not self.allow_http and not _is_loopback(parts.hostname or ""):
            raise ConnectorError(
                f"the document of {self.issuer}: {name} is not https; insecureAllowHTTP allows that"
            )


def _verified(token: str, keys: Sequence[VerifyingKey], algorithms: Sequence[str]) -> VerifiedToken:
    return verified(token, keys, algorithms, max_length=MAX_TOKEN)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConnectorError(f"the provider's document: {name} is no text")
    return value


def _texts(members: Mapping[str, Any], name: str) -> Sequence[str]:
    """A list of texts; what is something else is passed over."""
    value = members.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
