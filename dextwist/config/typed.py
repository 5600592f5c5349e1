"""Blocks of a `type` and a `config` whose keys depend on the type."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, section
from dextwist.config.values import here, text


@attrs.frozen(kw_only=True)
class Typed:
    """A type that is known, and where its configuration stands."""

    type: str
    config: Place


@attrs.frozen(kw_only=True)
class _Block:
    type: str = key("type", text, "")
    config: Place | None = key("config", here, None, always=True)


def read_typed(place: Place, types: Collection[str], what: str) -> Typed:
    """The block at this place. Raises ConfigError for an unknown type of `what`."""
    block = section(place, _Block)
    if block.type not in types:
        written = place.child("type") if place.given("type") else place.absent("type")
        raise written.wrong("one of " + ", ".join(types), f'unknown {what} type "{block.type}"')
    assert block.config is not None
    return Typed(type=block.type, config=block.config)
