"""Kinds: what a storage engine must know of a stored value to keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T", bound=attrs.AttrsInstance)

#: A key is one string, or two for the kinds that are known by a user and a connector.
Key = str | tuple[str, str]


@attrs.frozen(kw_only=True, eq=False)
class Kind(Generic[T]):
    """One kind of stored value. Compared by identity: there is one `Kind` object a kind."""

    #: snake_case, fit for a table or key name.
    name: str
    #: the attrs class of the values.
    model: type[T]
    #: The key of a value. It never changes while the value lives.
    key: Callable[[T], Key]
    #: When the value may be collected as garbage; None for kinds that are never collected.
    expires_at: Callable[[T], datetime] | None = None
    #: The fields that a listing can be narrowed by, each with how to read it from a value.
    narrowed_by: Mapping[str, Callable[[T], str]] = attrs.field(factory=dict)
    #: How a key that a caller gives becomes the key that is stored (a folded e-mail address).
    normal_key: Callable[[Key], Key] = lambda key: key
    #: What an object looks like before it is stored, e.g. with the folded e-mail address.
    normal: Callable[[T], T] | None = None

    def key_of(self, value: T) -> Key:
        """The normalised key of a value."""
        return self.normal_key(self.key(value))

    def stored(self, value: T) -> T:
        """The value as it is stored."""
        return self.normal(value) if self.normal is not None else value

    def narrowing(self, value: T) -> dict[str, Any]:
        """The narrowing fields of a value, by name."""
        return {name: read(value) for name, read in self.narrowed_by.items()}

    def __repr__(self) -> str:
        return f"<Kind {self.name}>"
