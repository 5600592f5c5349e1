"""Switches that are environment variables, `DEX_` and the name in capitals."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def flag(environ: Mapping[str, str], name: str) -> bool | None:
    """What the variable says; None where it says nothing that is understood."""
    written = environ.get(f"DEX_{name.upper()}", "")
    return True if written in _TRUE else False if written in _FALSE else None


@attrs.frozen(kw_only=True)
class Features:
    """The switches by dex's names. What is not set, or not understood, has the default given here."""

    expand_env: bool = True
    config_disallow_unknown_fields: bool = False
    continue_on_connector_failure: bool = True
    client_credential_grant_enabled_by_default: bool = False
    sessions_enabled: bool = False
    api_connectors_crud: bool = False
    api_sessions_identities_crud: bool = False
    ent_enabled: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Features:
        """The switches as this environment sets them."""
        said = {field.name: flag(environ, field.name) for field in attrs.fields(cls)}
        return cls(**{name: value for name, value in said.items() if value is not None})
