"""What a change means, whichever engine makes it."""

from __future__ import annotations

from dextwist.model.kind import Key
from dextwist.storage.interface import (
    AlreadyExists,
    Change,
    Changed,
    Create,
    Delete,
    NotFound,
    StorageError,
    Update,
)


def changed_key(change: Change) -> Key:
    """The normalised key of the value that a change is about."""
    if isinstance(change, Create):
        return change.kind.key_of(change.value)
    return change.kind.normal_key(change.key)


def outcome(change: Change, stored: object | None) -> Changed:
    """What the change makes of the stored value, None where there is none; what is to be stored is `after`.

    Raises AlreadyExists, NotFound, or what an Update's `change` raises.
    """
    kind = change.kind
    match change:
        case Create(value=value):
            if stored is not None:
                raise AlreadyExists
            return Changed(None, kind.stored(value))
        case Update(key=key, change=make, default=default):
            if stored is None and default is None:
                raise NotFound
            after = kind.stored(make(default if stored is None else stored))
            if kind.key_of(after) != kind.normal_key(key):
                raise StorageError(f"a change of a {kind.name} must keep its key")
            return Changed(stored, after)
        case Delete(missing_ok=missing_ok):
            if stored is None and not missing_ok:
                raise NotFound
            return Changed(stored, None)
