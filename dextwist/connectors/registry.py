"""Which connector types there are, and how a stored record becomes a connector."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.python.reflect import namedAny

from dextwist.connectors.interface import Connector, ConnectorError, ConnectorUnavailable
from dextwist.connectors.password_hash import PasswordChecker
from dextwist.model.connector import ConnectorRecord
from dextwist.storage.interface import Storage


@attrs.frozen(kw_only=True)
class ConnectorContext:
    """What the server lends to its connectors."""

    clock: IReactorTime
    storage: Storage
    password_checker: PasswordChecker


@attrs.frozen(kw_only=True)
class ConnectorType:
    """A type that connectors may have, as its module offers it."""

    name: str
    #: makes the connector with this id of its settings. Raises ConnectorError, ConnectorUnavailable.
    open: Callable[[str, Mapping[str, Any], ConnectorContext], Awaitable[Connector]]
    #: the keys that the settings may have.
    config_keys: frozenset[str] = frozenset()


#: The type made by `enablePasswordDB` alone; nobody configures it as a connector.
LOCAL_TYPE = "local"

#: Where the types are found; a module is imported when its type is first needed.
BUILT_IN: Mapping[str, str] = {
    LOCAL_TYPE: "dextwist.connectors.local.LOCAL",
    "mockCallback": "dextwist.connectors.mock.MOCK_CALLBACK",
    "mockPassword": "dextwist.connectors.mock.MOCK_PASSWORD",
}

#: Types of dex whose configuration is accepted, and that cannot be opened.
NOT_BUILT_YET = frozenset(
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
        "oauth",
        "oidc",
        "openshift",
        "saml",
        "samlExperimental",
    }
)


def known_types() -> frozenset[str]:
    """The types that a configured connector may have."""
    return NOT_BUILT_YET.union(BUILT_IN) - {LOCAL_TYPE}


def connector_type(name: str) -> ConnectorType | None:
    """The type of that name; None where it is unknown or not built yet."""
    if name not in BUILT_IN:
        return None
    found = namedAny(BUILT_IN[name])
    assert isinstance(found, ConnectorType)
    return found


async def open_connector(record: ConnectorRecord, *, context: ConnectorContext) -> Connector:
    """The connector that a record describes. Raises ConnectorUnavailable for whatever is wrong with it."""
    found = connector_type(record.type)
    if found is None:
        problem = "is not built yet" if record.type in NOT_BUILT_YET else "is unknown"
        raise ConnectorUnavailable(record.id, f'connector type "{record.type}" {problem}')
    try:
        return await found.open(record.id, _settings(record.config), context)
    except ConnectorError as error:
        raise ConnectorUnavailable(record.id, str(error)) from error


def _settings(config: bytes) -> Mapping[str, Any]:
    try:
        settings = json.loads(config or b"{}")
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        # Not a word of the text itself: it may hold secrets.
        raise ConnectorError("its config is no JSON object")
    return settings
