"""`mfa`: second factors."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.features import flag
from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, section
from dextwist.config.values import choice, duration, here, text, texts


@attrs.frozen(kw_only=True)
class TOTP:
    """Time-based one-time passwords (RFC 6238)."""

    #: the label in authenticator apps.
    issuer: str = key("issuer", text, "")


@attrs.frozen(kw_only=True)
class WebAuthn:
    """Security keys. What is empty follows from the issuer."""

    rp_display_name: str = key("rpDisplayName", text, "")
    rp_id: str = key("rpID", text, "")
    rp_origins: tuple[str, ...] = key("rpOrigins", texts, ())
    attestation_preference: str = key(
        "attestationPreference", choice(("none", "indirect", "direct")), "indirect"
    )
    user_verification: str = key("userVerification", choice(("required", "preferred", "discouraged")), "")
    authenticator_attachment: str = key("authenticatorAttachment", choice(("platform", "cross-platform")), "")
    #: None: the library's own.
    timeout: timedelta | None = key("timeout", duration(), None)


@attrs.frozen(kw_only=True)
class Authenticator:
    """One second factor that users may have."""

    id: str
    settings: TOTP | WebAuthn
    #: empty: it applies to every connector.
    connector_types: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class _Entry:
    id: str = key("id", text, "", missing="mfa.authenticators: authenticator must have an id")
    type: str = key("type", text, "")
    connector_types: tuple[str, ...] = key("connectorTypes", texts, ())
    config: Place | None = key("config", here, None, always=True)


def authenticator(place: Place) -> Authenticator:
    """Reads one second factor."""
    entry = section(place, _Entry)
    assert entry.config is not None
    settings: TOTP | WebAuthn = TOTP()
    match entry.type:
        case "TOTP":
            settings = section(entry.config, TOTP)
        case "WebAuthn":
            settings = section(entry.config, WebAuthn)
        case unknown:
            place.refuse(
                "type", f'mfa.authenticators: unknown type "{unknown}" for authenticator "{entry.id}"'
            )
    return Authenticator(id=entry.id, settings=settings, connector_types=entry.connector_types)


authenticators = list_of(
    authenticator, unique=lambda each: each.id, called="mfa.authenticators: duplicate authenticator id"
)


@attrs.frozen(kw_only=True)
class MFA:
    """The second factors, and which of them a login needs."""

    authenticators: tuple[Authenticator, ...] = key("authenticators", authenticators, ())
    #: for clients without a chain of their own.
    default_mfa_chain: tuple[str, ...] = key("defaultMFAChain", texts, ())

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the second factors."""
        return frozenset(each.id for each in self.authenticators)

    def check(self, place: Place) -> None:
        used = self.authenticators or self.default_mfa_chain
        if used and flag(place.findings.environ, "sessions_enabled") is False:
            place.refuse("", "mfa requires sessions to be enabled (DEX_SESSIONS_ENABLED=true)")
        for index, each in enumerate(self.default_mfa_chain):
            if each not in self.ids:
                place.refuse(
                    f"defaultMFAChain[{index}]",
                    f'mfa.defaultMFAChain: references unknown authenticator "{each}"',
                )
