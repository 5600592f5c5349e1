"""`oauth2`: which grants, response types and proof keys are served."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.features import Features
from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, part
from dextwist.config.values import boolean, choice, duration, integer, text, texts, unless_empty
from dextwist.oauth import grant_types as grants
from dextwist.oauth import pkce
from dextwist.oauth.gate import served_response_types
from dextwist.oauth.response_types import CODE, RESPONSE_TYPES

_ALWAYS_AVAILABLE = frozenset(
    {
        grants.AUTHORIZATION_CODE,
        grants.CLIENT_CREDENTIALS,
        grants.REFRESH_TOKEN,
        grants.DEVICE_CODE,
        grants.TOKEN_EXCHANGE,
    }
)
_WHAT_ENABLES = {
    grants.IMPLICIT: "no effect without a response type that contains token or id_token",
    grants.PASSWORD: "no effect without a passwordConnector",
}

response_type = choice(RESPONSE_TYPES, "unsupported response_type {found}")
challenge_method = choice((pkce.S256, pkce.PLAIN), "unsupported PKCE challenge method {found}")


@attrs.frozen(kw_only=True)
class PKCE:
    """Proof keys (RFC 7636)."""

    #: whether every authorization code request needs one.
    enforce: bool = key("enforce", boolean, False)
    required_for_public_clients: bool = key("requiredForPublicClients", boolean, True)
    code_challenge_methods_supported: tuple[str, ...] = key(
        "codeChallengeMethodsSupported", unless_empty(list_of(challenge_method)), (pkce.S256,)
    )


@attrs.frozen(kw_only=True)
class Introspection:
    """Token introspection (RFC 7662)."""

    #: answer callers that are no client.
    allow_anonymous: bool = key("allowAnonymous", boolean, False)


@attrs.frozen(kw_only=True)
class DeviceFlow:
    """Logins of devices (RFC 8628)."""

    #: user codes that one address may get wrong ...
    max_wrong_user_codes: int = key("maxWrongUserCodes", integer(1), 10)
    #: ... within so much time from the first of them.
    wrong_user_codes_within: timedelta = key("wrongUserCodesWithin", duration(), timedelta(minutes=5))


@attrs.frozen(kw_only=True)
class OAuth2:
    """What clients may do."""

    #: as the file lists them; empty: the default.
    listed_grant_types: tuple[str, ...] = key("grantTypes", texts, ())
    response_types: tuple[str, ...] = key("responseTypes", unless_empty(list_of(response_type)), ("code",))
    skip_approval_screen: bool = key("skipApprovalScreen", boolean, False)
    #: whether connectors are offered even where there is just one.
    always_show_login_screen: bool = key("alwaysShowLoginScreen", boolean, False)
    #: the connector of the password grant; empty: no such grant.
    password_connector: str = key("passwordConnector", text, "")
    pkce: PKCE = part("pkce", PKCE)
    introspection: Introspection = part("introspection", Introspection)
    device_flow: DeviceFlow = part("deviceFlow", DeviceFlow)

    def grant_types(self, features: Features) -> tuple[str, ...]:
        """The grants that are served, sorted: those listed, as far as the other keys make them available."""
        available = self._available()
        if self.listed_grant_types:
            return tuple(sorted(available & set(self.listed_grant_types)))
        if not features.client_credential_grant_enabled_by_default:
            available -= {grants.CLIENT_CREDENTIALS}
        return tuple(sorted(available))

    @property
    def served_response_types(self) -> tuple[str, ...]:
        """The response types that are answered: those of the file, as far as the listed grants allow."""
        return served_response_types(self.response_types, self.listed_grant_types)

    def _available(self) -> set[str]:
        available = set(_ALWAYS_AVAILABLE)
        if any("token" in words.split() for words in self.served_response_types):
            available.add(grants.IMPLICIT)
        if self.password_connector:
            available.add(grants.PASSWORD)
        return available

    def check(self, place: Place) -> None:
        available = self._available()
        if any(CODE not in words.split() for words in self.response_types):
            # ID tokens need no more than being listed, which dex does not tell its clients of.
            available.add(grants.IMPLICIT)
        for index, grant in enumerate(self.listed_grant_types):
            if grant not in available:
                place.warn(f"grantTypes[{index}]", _WHAT_ENABLES.get(grant, f'unknown grant type "{grant}"'))
        for index, words in enumerate(self.response_types if place.given("responseTypes") else ()):
            if not any({*words.split()} <= {*served.split()} for served in self.served_response_types):
                grant = grants.AUTHORIZATION_CODE if CODE in words.split() else grants.IMPLICIT
                place.warn(f"responseTypes[{index}]", f"no effect, since grantTypes does not list {grant}")
