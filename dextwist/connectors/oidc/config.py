"""The settings of an `oidc` connector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import attrs

from dextwist.connectors.oidc.claims import ClaimMapping
from dextwist.connectors.oidc.groups import GroupRules, JoinedGroup
from dextwist.connectors.settings import TRUST_KEYS, Settings
from dextwist.connectors.upstream.oauth2 import ClientAuthentication
from dextwist.connectors.upstream.proof import PLAIN, S256
from dextwist.connectors.upstream.trust import UpstreamTrust

#: Every key, for the warning about unknown ones.
KEYS = TRUST_KEYS | frozenset(
    {
        "issuer",
        "issuerAlias",
        "clientID",
        "clientSecret",
        "clientSecretFile",
        "redirectURI",
        "scopes",
        "basicAuthUnsupported",
        "tokenAuthMethod",
        "insecureAllowHTTP",
        "insecureSkipEmailVerified",
        "insecureEnableGroups",
        "allowedGroups",
        "acrValues",
        "getUserInfo",
        "userIDKey",
        "userNameKey",
        "promptType",
        "pkceChallenge",
        "overrideClaimMapping",
        "claimMapping.preferred_username",
        "claimMapping.email",
        "claimMapping.groups",
        "claimModifications.newGroupFromClaims.claims",
        "claimModifications.newGroupFromClaims.delimiter",
        "claimModifications.newGroupFromClaims.clearDelimiter",
        "claimModifications.newGroupFromClaims.prefix",
        "claimModifications.filterGroupClaims.groupsFilter",
        "claimModifications.modifyGroupNames.prefix",
        "claimModifications.modifyGroupNames.suffix",
        "providerDiscoveryOverrides.tokenURL",
        "providerDiscoveryOverrides.authURL",
        "providerDiscoveryOverrides.jwksURL",
        "providerDiscoveryOverrides.userInfoURL",
        "providerDiscoveryOverrides.deviceAuthURL",
        "providerDiscoveryOverrides.endSessionURL",
        "hostedDomains",
        "tokenExchangeAudiences",
    }
)
_BASIC, _POST = "client_secret_basic", "client_secret_post"
#: What an override replaces in the provider's document.
_OVERRIDES = {
    "authURL": "authorization_endpoint",
    "tokenURL": "token_endpoint",
    "jwksURL": "jwks_uri",
    "userInfoURL": "userinfo_endpoint",
    "endSessionURL": "end_session_endpoint",
}
#: Providers that take the secret in the body alone, though they do not say so.
_BODY_ONLY = ("okta.com", "oktapreview.com")


@attrs.frozen(kw_only=True)
class OIDCSettings:
    """What an operator has written, checked."""

    issuer: str
    issuer_alias: str
    client_id: str
    client_secret: str = attrs.field(repr=False)
    redirect_uri: str
    #: with `openid`, each once.
    scopes: Sequence[str]
    authentication: ClientAuthentication
    trust: UpstreamTrust
    allow_http: bool
    acr_values: Sequence[str]
    get_user_info: bool
    prompt_type: str
    #: S256, plain, or empty: S256 where the provider offers it.
    code_challenge_method: str
    mapping: ClaimMapping
    overrides: Mapping[str, str]
    token_exchange_audiences: Sequence[str]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> OIDCSettings:
        """Read a connector's config. Raises ConnectorError, which names the key."""
        keys = Settings(config)
        if keys.texts("hostedDomains"):
            raise keys.wrong("hostedDomains", "belongs to connectors of type google, which check the domain")
        scopes = keys.texts("scopes", ("profile", "email"))
        client_id, prompt = keys.required("clientID"), keys.given_text("promptType")
        overrides = keys.section("providerDiscoveryOverrides")
        return cls(
            issuer=keys.url("issuer"),
            issuer_alias=keys.text("issuerAlias"),
            client_id=client_id,
            client_secret=keys.secret("clientSecret"),
            redirect_uri=keys.url("redirectURI"),
            scopes=tuple(dict.fromkeys(["openid", *scopes])),
            authentication=_authentication(keys),
            trust=keys.trust(),
            allow_http=keys.flag("insecureAllowHTTP"),
            acr_values=keys.texts("acrValues"),
            get_user_info=keys.flag("getUserInfo"),
            prompt_type="consent" if prompt is None else prompt,
            code_challenge_method=keys.choice("pkceChallenge", (S256, PLAIN)),
            mapping=_mapping(keys, email_required="email" in scopes),
            overrides={name: overrides.url(key) for key, name in _OVERRIDES.items() if overrides.text(key)},
            token_exchange_audiences=keys.texts("tokenExchangeAudiences", (client_id,)),
        )


def _authentication(keys: Settings) -> ClientAuthentication:
    match keys.choice("tokenAuthMethod", (_BASIC, _POST)):
        case "client_secret_basic":
            return ClientAuthentication.BASIC
        case "client_secret_post":
            return ClientAuthentication.BODY
    in_body = keys.flag("basicAuthUnsupported", default=takes_body_only(keys.url("issuer")))
    return ClientAuthentication.BODY if in_body else ClientAuthentication.AUTOMATIC


def takes_body_only(issuer: str) -> bool:
    """Whether the issuer is known to refuse HTTP Basic."""
    host = urlsplit(issuer).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in _BODY_ONLY)


def _mapping(keys: Settings, *, email_required: bool) -> ClaimMapping:
    mapped, override = keys.section("claimMapping"), keys.flag("overrideClaimMapping")
    return ClaimMapping(
        user_id=keys.text("userIDKey", "sub"),
        username=keys.text("userNameKey", "name"),
        preferred_username=mapped.text("preferred_username"),
        email=mapped.text("email"),
        override=override,
        email_required=email_required,
        trust_unverified=keys.flag("insecureSkipEmailVerified"),
        groups=_groups(keys, mapped=mapped.text("groups"), override=override),
    )


def _groups(keys: Settings, *, mapped: str, override: bool) -> GroupRules:
    enabled, allowed = keys.flag("insecureEnableGroups"), keys.texts("allowedGroups")
    if allowed and not enabled:
        raise keys.wrong("allowedGroups", "would let everybody in without insecureEnableGroups: true")
    changes = keys.section("claimModifications")
    affixes, filters = changes.section("modifyGroupNames"), changes.section("filterGroupClaims")
    return GroupRules(
        enabled=enabled,
        mapped=mapped,
        override=override,
        keep=_pattern(filters, "groupsFilter"),
        allowed=allowed,
        prefix=affixes.text("prefix"),
        suffix=affixes.text("suffix"),
        joined=[
            JoinedGroup(
                claims=each.texts("claims"),
                delimiter=each.text("delimiter"),
                clear_delimiter=each.flag("clearDelimiter"),
                prefix=each.text("prefix"),
            )
            for each in changes.sections("newGroupFromClaims")
        ],
    )


def _pattern(keys: Settings, key: str) -> re.Pattern[str] | None:
    written = keys.text(key)
    if not written:
        return None
    try:
        return re.compile(written)
    except re.error as error:
        raise keys.wrong(key, f"is no regular expression of Python's: {error}") from None
