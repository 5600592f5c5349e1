"""Which types connectors may have, as far as the configuration asks about it."""

from __future__ import annotations

from typing import Protocol

from dextwist.model.config_keys import KeyTree

#: The types that dex knows. `local` is not one of them: enablePasswordDB makes that.
TYPES = frozenset(
    {
        "atlassian-crowd",
        "authproxy",
        "bitbucket-cloud",
        "gitea",
        "github",
        "gitlab",
        "google",
        "keystone",
        "ldap",
        "linkedin",
        "microsoft",
        "mockCallback",
        "mockPassword",
        "oauth",
        "oidc",
        "openshift",
        "saml",
        "samlExperimental",
    }
)


class ConnectorTypes(Protocol):
    """What can be told of a type by its name."""

    def problem(self, name: str) -> str:
        """Why no connector can have this type; empty where one can."""

    def config_keys(self, name: str) -> KeyTree | None:
        """The keys that the type's settings may have; None where nobody can tell."""


class _DexTypes(ConnectorTypes):
    """The types of dex, with whatever keys."""

    def problem(self, name: str) -> str:
        """Whether dex knows it."""
        return "" if name in TYPES else f'unknown connector type "{name}"'

    def config_keys(self, name: str) -> KeyTree | None:
        """Nobody can tell."""
        return None


DEX_TYPES = _DexTypes()
