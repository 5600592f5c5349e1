"""All connector types there are: those that are built in, and those that installed packages offer.

A package offers types through the entry-point group `dextwist.connectors`: names, and where their
`ConnectorType` objects are. A type is imported when a configuration first names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

import attrs

from dextwist.connectors.interface import Connector, ConnectorError
from dextwist.connectors.mapped import ClaimsMapping, mapped_connector
from dextwist.connectors.registry import (
    BUILT_IN,
    LOCAL_TYPE,
    NOT_BUILT_YET,
    ConnectorContext,
    ConnectorType,
    connector_type,
    known_types,
    open_connector,
)
from dextwist.model.claim_rules import ClaimRules
from dextwist.model.config_keys import KeyTree
from dextwist.model.connector import ConnectorRecord

#: The entry-point group.
GROUP = "dextwist.connectors"


def installed_types() -> Mapping[str, Sequence[EntryPoint]]:
    """What the installed packages offer, by the name of the type."""
    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return found


@attrs.frozen
class ConnectorTypes:
    """Finds types by their names."""

    installed: Mapping[str, Sequence[EntryPoint]] = attrs.field(factory=installed_types)

    def origin(self, name: str) -> str:
        """Where a type comes from, for people."""
        own = ["built in"] if name in BUILT_IN else ["not built yet"] if name in NOT_BUILT_YET else []
        return ", ".join([*own, *map(_package, self.installed.get(name, ()))])

    def problem(self, name: str) -> str:
        """Why no connector can be configured to have this type; empty where one can.

        A name that two offer is refused, though one of them be dextwist: no package shall take the place
        of the code that somebody has in mind.
        """
        own, offers = name in known_types(), len(self.installed.get(name, ()))
        if own + offers > 1:
            return (
                f'connector type "{name}" is there twice ({self.origin(name)}): uninstall what is not meant'
            )
        return "" if own or (offers and name != LOCAL_TYPE) else f'unknown connector type "{name}"'

    def table(self) -> str:
        """Every type and where it comes from, one a line."""
        return "".join(
            f"{name:18} {self.problem(name) or self.origin(name)}\n"
            for name in sorted({*known_types(), *self.installed})
        )

    def config_keys(self, name: str) -> KeyTree | None:
        """The keys that the type's settings may have; None where nobody can tell."""
        try:
            found = self.find(name)
        except ConnectorError:
            return None
        return found.key_tree if found else None

    def find(self, name: str) -> ConnectorType | None:
        """The type of that name; None where it is not built yet.

        Raises ConnectorError for what cannot be used, and for a package that is broken.
        """
        if name != LOCAL_TYPE and (problem := self.problem(name)):
            raise ConnectorError(problem)
        if name in NOT_BUILT_YET:
            return None
        offered = self.installed.get(name, ())
        try:
            found = connector_type(name) if name in BUILT_IN else offered[0].load()
        except ConnectorError:
            raise
        except Exception as failure:
            # A package may lack what it needs, or be at fault: that must not stop the server.
            raise ConnectorError(
                f'connector type "{name}" ({self.origin(name)}) cannot be imported: '
                f"{type(failure).__name__}: {failure}"
            ) from failure
        if not isinstance(found, ConnectorType):
            raise ConnectorError(
                f'connector type "{name}" ({self.origin(name)}): {offered[0].value} is no ConnectorType'
            )
        return found

    async def open(
        self, record: ConnectorRecord, *, context: ConnectorContext, claim_rules: Mapping[str, ClaimRules]
    ) -> Connector:
        """The connector that a record describes, with the rules for its claims, if it has any, around it.

        Raises ConnectorUnavailable for whatever is wrong with it.
        """
        connector = await open_connector(record, context=context, find=self.find)
        rules = claim_rules.get(record.id)
        if rules is None:
            return connector
        return mapped_connector(connector, ClaimsMapping(connector_id=record.id, rules=rules))


def _package(offer: EntryPoint) -> str:
    """Who offers it."""
    return f"{offer.dist.name} {offer.dist.version}" if offer.dist else offer.value
