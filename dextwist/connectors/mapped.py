"""Claims rules, applied to whatever a connector says about a person: at login, refresh and exchange alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs
from twisted.logger import Logger

from dextwist.connectors import interface
from dextwist.connectors.interface import Connector, Identity, RefreshConnector
from dextwist.model.claim_rules import UPSTREAM, ClaimRules, GroupsRule, TextRule
from dextwist.model.claims import Claims

#: What a connector may be able to do: every contract of the interface.
CONTRACTS = tuple(
    contract
    for contract in vars(interface).values()
    if isinstance(contract, type)
    and contract.__module__ == interface.__name__
    and getattr(contract, "_is_runtime_protocol", False)
)


@attrs.frozen(kw_only=True)
class ClaimsMapping:
    """The rules of one connector, at work."""

    log: ClassVar[Logger] = Logger()

    connector_id: str
    rules: ClaimRules

    def applied(self, identity: Identity, *, refreshable: bool) -> Identity:
        """The person as tokens describe them; the user id stays.

        What the connector said is kept beside it where a refresh will have to say it to the connector.
        """
        given = attrs.evolve(identity.claims, unmapped=None)
        rules, sources = self.rules, _sources(given, identity.upstream_claims)
        email = _text(rules.email, given.email, sources)
        # What was said about one address is not said about another.
        verified = given.email_verified and email == given.email
        if rules.email_verified:
            verified = _at(sources, rules.email_verified) is True
        groups = mapped_groups(rules.groups, given.groups, sources)
        self._tell_of_lost(groups, rules.groups)
        claims = Claims(
            user_id=given.user_id,
            username=_text(rules.username, given.username, sources),
            preferred_username=_text(rules.preferred_username, given.preferred_username, sources),
            email=email,
            email_verified=verified,
            groups=groups[: rules.groups.max_count],
            unmapped=given if refreshable else None,
        )
        return attrs.evolve(identity, claims=claims)

    def _tell_of_lost(self, groups: tuple[str, ...], rule: GroupsRule) -> None:
        if len(groups) > rule.max_count:
            self.log.warn(
                "connector {connector_id}: a person has {count} groups, only the first {limit} count",
                connector_id=self.connector_id,
                count=len(groups),
                limit=rule.max_count,
            )


def mapped_groups(rule: GroupsRule, given: tuple[str, ...], sources: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups by the rule, each once, those that everybody has first; not yet cut to their number."""
    found = _texts(_at(sources, rule.source)) if rule.source else given
    keep, unwanted = rule.keep_matching, rule.drop_matching
    kept = [
        rule.prefix + name
        for name in (() if rule.drop else found)
        # The length comes first: it is what bounds the work of the patterns.
        if name
        and len(rule.prefix) + len(name) <= rule.max_length
        and (keep is None or keep.fullmatch(name))
        and (unwanted is None or not unwanted.fullmatch(name))
    ]
    return tuple(dict.fromkeys([*rule.add, *kept]))


def _sources(claims: Claims, upstream: Mapping[str, Any]) -> Mapping[str, Any]:
    """What rules can take claims from, by the first step of the path."""
    return {
        "userID": claims.user_id,
        "username": claims.username,
        "preferredUsername": claims.preferred_username,
        "email": claims.email,
        "groups": claims.groups,
        UPSTREAM: upstream,
    }


def _text(rule: TextRule, given: str, sources: Mapping[str, Any]) -> str:
    if rule.drop:
        return ""
    text = _as_text(_at(sources, rule.source)) if rule.source else given
    return rule.prefix + text if text else ""


def _at(sources: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What is there; None where the path leads nowhere."""
    value: Any = sources
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """One text or many; what is no text is left out."""
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(filter(None, map(_as_text, values)))


def _as_text(value: Any) -> str:
    """A text, or a whole number in its decimal digits; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def mapped_connector(connector: Connector, mapping: ClaimsMapping) -> Connector:
    """A connector that can do exactly what the given one can, and whose identities are mapped.

    Since it is made of the contracts, whoever asks it for an identity cannot get an unmapped one.
    """
    contracts = [contract for contract in CONTRACTS if isinstance(connector, contract)]
    refreshable = isinstance(connector, RefreshConnector)
    members: dict[str, Any] = {"__slots__": ()}
    for contract in contracts:
        for name in vars(contract):
            if not name.startswith("_"):
                members[name] = _delegate(getattr(contract, name), name, connector, mapping, refreshable)
    made: Connector = type(f"Mapped{type(connector).__name__}", (), members)()
    return made


def _delegate(
    declared: Any, name: str, connector: Connector, mapping: ClaimsMapping, refreshable: bool
) -> property | Callable[..., Any]:
    """The member of that name, as the connector itself has it but for the identities it gives."""
    if isinstance(declared, property):
        return property(lambda _: getattr(connector, name))

    async def call(_: object, *args: Any, **kwargs: Any) -> Any:
        answer = await getattr(connector, name)(*args, **kwargs)
        return mapping.applied(answer, refreshable=refreshable) if isinstance(answer, Identity) else answer

    return call
