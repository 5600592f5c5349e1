"""`connectors`: who knows the users. The keys of a type are its connector's business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs

from dextwist.config.claims import claims
from dextwist.config.document import plain
from dextwist.config.durations import parse_duration
from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, part, section
from dextwist.config.values import A_DURATION, choice, here, text, texts
from dextwist.model.claim_rules import ClaimRules
from dextwist.model.config_keys import KeyTree
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth import grant_types as grants

_GRANTS = (
    grants.AUTHORIZATION_CODE,
    grants.REFRESH_TOKEN,
    grants.IMPLICIT,
    grants.PASSWORD,
    grants.DEVICE_CODE,
    grants.TOKEN_EXCHANGE,
)
_FIELDS_REQUIRED = "ID, Type and Name fields are required for a connector"

#: The built-in password database, as a connector.
LOCAL = ConnectorRecord(id="local", type="local", name="Email")


def recheck(place: Place) -> timedelta | None:
    """always, never, or after a while."""
    match text(place):
        case "always":
            return timedelta(0)
        case "never":
            return None
        case written:
            try:
                after = parse_duration(written)
            except ValueError:
                after = timedelta(-1)
            if after < timedelta(0):
                raise place.wrong(f"always, never, or {A_DURATION}")
            return after


@attrs.frozen(kw_only=True)
class RefreshPolicy:
    """When a refresh asks the upstream whether the person is still there."""

    #: how long one answer is good for; zero: no time, None: for ever.
    recheck_after: timedelta | None = key("recheck", recheck, timedelta(0))
    #: what an upstream that cannot be asked means: `refuse` or `keep`.
    on_upstream_error: str = key("onUpstreamError", choice(("refuse", "keep")), "refuse")


@attrs.frozen(kw_only=True)
class Connector:
    """A connector that the file declares."""

    record: ConnectorRecord
    refresh_policy: RefreshPolicy = RefreshPolicy()
    #: None: what the connector says stays as it is.
    claim_rules: ClaimRules | None = None


@attrs.frozen(kw_only=True)
class _Entry:
    type: str = key("type", text, "", missing=_FIELDS_REQUIRED)
    id: str = key("id", text, "", missing=_FIELDS_REQUIRED)
    name: str = key("name", text, "", missing=_FIELDS_REQUIRED)
    config: Place | None = key("config", here, None, always=True)
    grant_types: tuple[str, ...] = key("grantTypes", texts, ())
    refresh_policy: RefreshPolicy = part("refreshPolicy", RefreshPolicy)
    claim_rules: ClaimRules | None = key("claims", claims, None)

    def check(self, place: Place) -> None:
        if self.type and (problem := place.findings.connector_types.problem(self.type)):
            place.refuse("type", problem)
        # The id is a segment of URLs.
        if self.id in (".", "..") or not self.id.isprintable() or "/" in self.id:
            place.refuse("id", "a connector's id has no slash and no control characters, and is not a dot")
        for index, grant in enumerate(self.grant_types):
            if grant not in _GRANTS:
                place.refuse(
                    f"grantTypes[{index}]", f'unknown grant type "{grant}" for connector "{self.id}"'
                )


def connector(place: Place) -> Connector:
    """Reads one connector; its own keys go to its type under their exact names, expanded."""
    entry = section(place, _Entry)
    assert entry.config is not None
    keys = place.findings.connector_types.config_keys(entry.type)
    record = ConnectorRecord(
        id=entry.id,
        type=entry.type,
        name=entry.name,
        config=json.dumps(_settings(entry.config.expanded(), keys), separators=(",", ":")).encode("ascii"),
        grant_types=entry.grant_types,
    )
    return Connector(record=record, refresh_policy=entry.refresh_policy, claim_rules=entry.claim_rules)


def _settings(config: Place, keys: KeyTree | None) -> Any:
    """All that stands there, and nothing under a key that the type does not know, if that can be told."""
    if keys is not None:
        return {name: _below(value, keys.below[name]) for name, value in _known(config, keys).items()}
    config.children(tuple(config.entries()))
    return plain(config.node) or {}


def _known(place: Place, keys: KeyTree) -> dict[str, Place]:
    return place.children(tuple(keys.below))


def _below(place: Place, keys: KeyTree) -> Any:
    if not keys.below:
        return plain(place.node)
    if isinstance(place.node.value, tuple):
        return [_below(item, keys) for item in place.items()]
    if isinstance(place.node.value, Mapping):
        return {name: _below(value, keys.below[name]) for name, value in _known(place, keys).items()}
    return plain(place.node)


connectors = list_of(connector, unique=lambda each: each.record.id, called="connector id")
