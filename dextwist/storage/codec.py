"""Values to documents and back: the one form in which every engine keeps what it stores.

A document is a JSON object with the model's member names. Instants are integers, milliseconds since
1970; bytes are base64url without padding; enums are their values; tuples are lists, and null is not an
empty list. Members that a document lacks take the model's defaults, and members that this version of
the model does not know survive an update, so that an older server beside a newer one loses nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import attrs
import orjson
from cattrs import Converter

from dextwist.model.kind import Key, Kind
from dextwist.model.times import from_milliseconds, to_milliseconds
from dextwist.storage.interface import NotFound, StorageError

T = TypeVar("T", bound=attrs.AttrsInstance)


def encode(kind: Kind[T], value: T, *, over: str | None = None) -> str:
    """The document of a value; it keeps the unknown members of the document that it replaces."""
    try:
        members = _converter.unstructure(value, kind.model)
        if over is not None:
            members = {**orjson.loads(over), **members}
        return orjson.dumps(members).decode("utf-8")
    except (TypeError, ValueError) as error:
        raise StorageError(f"a {kind.name} cannot be stored: {error}") from None


def decode(kind: Kind[T], document: str) -> T:
    """The value of a document."""
    try:
        return _converter.structure(orjson.loads(document), kind.model)
    except Exception as error:
        # A document can be wrong in any way; the text of the error may hold part of it.
        raise StorageError(f"a stored {kind.name} cannot be read: {type(error).__name__}") from None


def key_text(key: Key) -> str:
    """A key as one string, different for different keys of a kind.

    Text that is not Unicode (a lone surrogate), or holds a NUL, which not every database keeps, cannot have
    been stored under any key: NotFound.
    """
    try:
        if isinstance(key, str):
            if b"\0" in key.encode("utf-8"):
                raise NotFound
            return key
        return orjson.dumps(key).decode("utf-8")
    except (UnicodeEncodeError, orjson.JSONEncodeError):
        raise NotFound from None


def expiry(kind: Kind[T], value: T) -> int | None:
    """When a value may be collected, in milliseconds as in documents; None: never."""
    return None if kind.expires_at is None else to_milliseconds(kind.expires_at(value))


def _exactly(wanted: type) -> Callable[[Any, Any], Any]:
    """Takes only what has the type already: nothing stored is guessed at."""

    def checked(found: Any, _: Any) -> Any:
        if found.__class__ is wanted:
            return found
        raise TypeError

    return checked


def _texts(found: Any, _: Any) -> tuple[str, ...]:
    """Most members with several values are tuples of texts: a third of the time of the general way."""
    if found.__class__ is not list or any(text.__class__ is not str for text in found):
        raise TypeError
    return tuple(found)


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64url(text: Any, _: Any) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return binascii.a2b_base64(padded.encode("ascii").translate(_TO_BASE64), strict_mode=True)


def _new_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _exactly(plain))
    converter.register_structure_hook_func(lambda wanted: wanted == tuple[str, ...], _texts)
    converter.register_unstructure_hook(datetime, to_milliseconds)
    converter.register_structure_hook(datetime, lambda found, _: from_milliseconds(found))
    converter.register_unstructure_hook(bytes, _to_base64url)
    converter.register_structure_hook(bytes, _from_base64url)
    return converter


_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_converter = _new_converter()
