"""The values of documents that were read or written a moment ago.

A value that nobody can change stands for its document whenever that very text is read again: a request
reads what the one before it wrote, and a write reads again what its request has read.
"""

from __future__ import annotations

import enum
from datetime import datetime
from threading import Lock
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from dextwist.model.kind import Kind
from dextwist.model.mappings import frozen_mapping

T = TypeVar("T", bound=attrs.AttrsInstance)

_PLAIN = frozenset({str, int, bool, bytes, float, datetime, NoneType})


@attrs.frozen(eq=False)
class RecentValues(Generic[T]):
    """Remembers the values of so many documents of one kind, the latest; any thread may ask."""

    kind: Kind[T]
    most: int = 256
    _values: dict[str, T] = attrs.field(factory=dict, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)
    _remembers: bool = attrs.field(init=False)

    @_remembers.default
    def _can_be_shared(self) -> bool:
        return is_immutable(self.kind.model)

    def get(self, document: str) -> T | None:
        """The value of exactly this document, if it is remembered."""
        return self._values.get(document)

    def keep(self, document: str, value: T) -> None:
        """Remember what the document means, and forget the oldest one."""
        if not self._remembers:
            return
        with self._lock:
            self._values[document] = value
            if len(self._values) > self.most:
                del self._values[next(iter(self._values))]


def is_immutable(declared: Any, within: tuple[type, ...] = ()) -> bool:
    """Whether a value of a declared type can never change, nor anything in it. `within` what it stands."""
    if get_origin(declared) in (tuple, Union, UnionType):
        return all(part is Ellipsis or is_immutable(part, within) for part in get_args(declared))
    if not isinstance(declared, type):
        return False
    if attrs.has(declared) and declared not in within:
        hints, within = get_type_hints(declared), (*within, declared)
        return declared.__setattr__ is not object.__setattr__ and all(
            _is_kept_immutable(member, hints[member.name], within) for member in attrs.fields(declared)
        )
    return declared in _PLAIN or declared in within or issubclass(declared, enum.Enum)


def _is_kept_immutable(member: attrs.Attribute[Any], declared: Any, within: tuple[type, ...]) -> bool:
    converter: object = member.converter
    if converter is frozen_mapping:
        return all(is_immutable(part, within) for part in get_args(declared))
    return is_immutable(declared, within)
