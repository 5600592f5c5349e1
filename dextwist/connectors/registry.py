"""Which connector types there are, and how a stored record becomes a connector."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.reflect import namedAny

from dextwist.connectors.interface import Connector, ConnectorError, ConnectorUnavailable
from dextwist.connectors.password_hash import PasswordChecker
from dextwist.connectors.upstream.metrics import NotCounted, UpstreamMetrics
from dextwist.model.config_keys import KeyTree
from dextwist.model.connector import ConnectorRecord
from dextwist.storage.interface import Storage

if TYPE_CHECKING:
    from dextwist.connectors.upstream.client import UpstreamClient
    from dextwist.connectors.upstream.trust import UpstreamTrust

_log = Logger()


@attrs.frozen(kw_only=True)
class ConnectorContext:
    """What the server lends to its connectors."""

    clock: IReactorTime
    storage: Storage
    password_checker: PasswordChecker
    #: makes a connector's own HTTP client, from its id and what it trusts. Raises ConnectorError.
    upstream_client: Callable[[str, UpstreamTrust], UpstreamClient]
    #: for connectors whose upstream does not speak HTTP: the reactor, and what counts their calls.
    reactor: Any = None
    #: address and port of the name servers that such a connector asks; empty: those of the system.
    name_servers: Sequence[tuple[str, int]] = ()
    metrics: UpstreamMetrics = attrs.field(factory=NotCounted)
    environ: Mapping[str, str] = attrs.field(factory=lambda: os.environ)


@attrs.frozen(kw_only=True)
class ConnectorType:
    """A type that connectors may have, as its module offers it."""

    name: str
    #: makes the connector with this id of its settings. Raises ConnectorError, ConnectorUnavailable.
    open: Callable[[str, Mapping[str, Any], ConnectorContext], Awaitable[Connector]]
    #: the keys that the settings may have, in their exact spelling: `host`, and with keys of its own
    #: `userSearch.baseDN`. The connector gets these alone, however their letter case was written.
    config_keys: frozenset[str] = frozenset()

    @property
    def key_tree(self) -> KeyTree:
        """The same keys, nested."""
        return KeyTree.of(self.config_keys)


#: The type made by `enablePasswordDB` alone; nobody configures it as a connector.
LOCAL_TYPE = "local"

#: Where the types are found; a module is imported when its type is first needed.
BUILT_IN: Mapping[str, str] = {
    LOCAL_TYPE: "dextwist.connectors.local.LOCAL",
    "google": "dextwist.connectors.google.connector.GOOGLE",
    "ldap": "dextwist.connectors.ldap.connector.LDAP",
    "microsoft": "dextwist.connectors.microsoft.MICROSOFT",
    "mockCallback": "dextwist.connectors.mock.MOCK_CALLBACK",
    "mockPassword": "dextwist.connectors.mock.MOCK_PASSWORD",
    "oidc": "dextwist.connectors.oidc.connector.OIDC",
    "oauth": "dextwist.connectors.oauth.OAUTH",
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
        "keystone",
        "linkedin",
        "openshift",
        "saml",
        "samlExperimental",
    }
)


def known_types() -> frozenset[str]:
    """The types that a configured connector may have."""
    return NOT_BUILT_YET.union(BUILT_IN) - {LOCAL_TYPE}


def connector_type(name: str) -> ConnectorType | None:
    """The type of that name; None where it is unknown or not built yet.

    Raises ConnectorError where a library is missing that only this type needs.
    """
    if name not in BUILT_IN:
        return None
    try:
        found = namedAny(BUILT_IN[name])
    except ModuleNotFoundError as error:
        library = (error.name or "a library").partition(".")[0]
        problem = f'connector type "{name}" needs {library}, which is not installed'
        raise ConnectorError(f"{problem}: see its page in docs/connectors", misconfigured=True) from error
    assert isinstance(found, ConnectorType)
    return found


async def open_connector(
    record: ConnectorRecord,
    *,
    context: ConnectorContext,
    find: Callable[[str], ConnectorType | None] = connector_type,
) -> Connector:
    """The connector that a record describes, its type being what `find` gives for the name.

    Raises ConnectorUnavailable for whatever is wrong with it.
    """
    try:
        found = find(record.type)
        if found is None:
            problem = "is not built yet" if record.type in NOT_BUILT_YET else "is unknown"
            raise ConnectorError(f'connector type "{record.type}" {problem}')
        settings = _exact(_settings(record.config), found.key_tree, record.id)
        return await found.open(record.id, settings, context)
    except ConnectorError as error:
        raise ConnectorUnavailable(record.id, str(error), misconfigured=error.misconfigured) from error


def _settings(config: bytes) -> Mapping[str, Any]:
    try:
        settings = json.loads(config or b"{}")
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        # Not a word of the text itself: it may hold secrets.
        raise ConnectorError("its config is no JSON object")
    return settings


def _exact(value: Any, keys: KeyTree, connector_id: str, path: str = "") -> Any:
    """The settings under the exact names of their keys; the log is told of those that are left out.

    The configuration has done the same for the connectors of the file, and told where the line is.
    """
    if isinstance(value, list):
        return [_exact(item, keys, connector_id, path) for item in value]
    if not isinstance(value, dict) or (path and not keys.below):
        return value
    known = {name.lower(): name for name in keys.below}
    exact: dict[str, Any] = {}
    for written, inner in value.items():
        name = known.get(written.lower())
        if name is None:
            _log.warn(
                "connector {connector_id}: {key} in its config is an unknown key, ignored",
                connector_id=connector_id,
                key=path + written,
            )
        elif written == name or name not in value:
            exact[name] = _exact(inner, keys.below[name], connector_id, f"{path}{name}.")
    return exact
