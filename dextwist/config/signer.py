"""`signer`: who signs tokens, and with what."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, secret, section
from dextwist.config.typed import read_typed
from dextwist.config.values import choice, duration, text


@attrs.frozen(kw_only=True)
class LocalSigner:
    """Keys of our own, kept in the storage."""

    keys_rotation_period: timedelta = key(
        "keysRotationPeriod",
        duration("keys rotation period"),
        timedelta(hours=6),
        missing="signer.config.keysRotationPeriod must be specified",
    )
    algorithm: str = key(
        "algorithm", choice(("RS256", "ES256"), "unsupported local signer algorithm {found}"), "RS256"
    )


@attrs.frozen(kw_only=True)
class VaultSigner:
    """Keys of a transit engine. Empty values come from VAULT_ADDR and VAULT_TOKEN."""

    addr: str = key("addr", text, "")
    token: str = secret("token", text)
    key_name: str = key("keyName", text, "", missing="the transit key's name is missing")


Signer = LocalSigner | VaultSigner


def signer(place: Place) -> Signer:
    """Reads the section."""
    typed = read_typed(place, ("local", "vault"), "signer")
    config = typed.config.expanded()
    return section(config, LocalSigner) if typed.type == "local" else section(config, VaultSigner)
