"""How a section is read: an attrs class is the table of its keys, and `section` makes the value.

    @attrs.frozen(kw_only=True)
    class Telemetry:
        http: ListenAddress | None = key("http", listen_address, None)

Each key names its reader, which takes a `Place` and gives the value or raises ConfigError. All that is
wrong is collected in `Findings`; what cannot be read keeps its default, so that reading goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs

from dextwist.config.places import Place

T = TypeVar("T")
D = TypeVar("D")
S = TypeVar("S", bound=attrs.AttrsInstance)

_KEY = "key"


class NotGiven(Exception):
    """The value is an empty text, which stands for no value at all."""


Reader = Callable[[Place], T]


@runtime_checkable
class Checked(Protocol):
    """A section with rules about its keys together; they are checked once it is read."""

    def check(self, place: Place) -> None:
        """Report what is wrong or odd."""


@attrs.frozen(kw_only=True)
class _Key:
    name: str
    read: Reader[Any]
    #: the problem where there is no value.
    missing: str = ""
    #: that the reader judges a null itself, rather than the default taking its place.
    takes_null: bool = False
    #: that the reader is asked even where the key is absent.
    always: bool = False
    #: a secret: never shown, and also found in the file that the key `...File` names.
    secret: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}File") if self.secret else (self.name,)

    def value(self, section: Place, found: Mapping[str, Place]) -> Any:
        """Raises NotGiven, ConfigError."""
        if self.secret and section.given(self.names[1]):
            file = found[self.names[1]]
            if section.given(self.name):
                raise file.wrong(problem=f"{self.name} and {self.names[1]} exclude each other")
            return _content(file)
        place = found.get(self.name)
        if place is None:
            if not self.always:
                raise NotGiven
            place = section.absent(self.name)
        elif place.node.value is None and not (self.takes_null or self.always):
            raise NotGiven
        return self.read(attrs.evolve(place, secret=self.secret))


def _content(place: Place) -> str:
    name = place.node.value
    if not isinstance(name, str):
        raise place.wrong("the path of a file")
    try:
        with open(name, encoding="utf-8", newline="") as file:
            content = file.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise place.wrong(problem=f"{name} is not UTF-8 text") from None
    except (OSError, ValueError) as failure:
        raise place.wrong(problem=cannot_read(name, failure)) from None
    if not content:
        raise place.wrong(problem=f"{name} is empty")
    return content


def cannot_read(path: str, failure: Exception) -> str:
    """Why a file cannot be read, for a problem's text."""
    return f"cannot read {path}: {getattr(failure, 'strerror', None) or failure}"


def key(
    name: str,
    read: Reader[T],
    default: D,
    *,
    missing: str = "",
    takes_null: bool = False,
    always: bool = False,
    shown: bool = True,
) -> T | D:
    """The field of a section that holds the value of this key; `shown` is whether its repr may say it."""
    spec = _Key(name=name, read=read, missing=missing, takes_null=takes_null, always=always)
    return attrs.field(default=default, repr=shown, metadata={_KEY: spec})


def secret(name: str, read: Reader[str]) -> str:
    """The field of a section that holds a secret, from this key or the file that `...File` names."""
    return attrs.field(default="", repr=False, metadata={_KEY: _Key(name=name, read=read, secret=True)})


def part(name: str, model: type[S]) -> S:
    """The field of a section that holds a section, which is read even where it is absent."""

    def read(place: Place) -> S:
        return section(place, model)

    return attrs.field(factory=model, metadata={_KEY: _Key(name=name, read=read, always=True)})


def section(place: Place, model: type[S]) -> S:
    """The section that stands at this place. Raises ConfigError where it is no mapping at all."""
    keys = {field.name: field.metadata[_KEY] for field in attrs.fields(model) if _KEY in field.metadata}
    found = place.children([name for spec in keys.values() for name in spec.names])
    values: dict[str, Any] = {}
    for field, spec in keys.items():
        with place.findings.collecting():
            try:
                values[field] = spec.value(place, found)
            except NotGiven:
                if spec.missing:
                    place.refuse(spec.name, spec.missing)
    value = model(**values)
    if isinstance(value, Checked):
        value.check(place)
    return value


def list_of(
    read: Reader[T], *, unique: Callable[[T], str] | None = None, called: str = ""
) -> Reader[tuple[T, ...]]:
    """A reader of lists. Where `unique` is given, it must tell all items apart; `called` is what it gives."""

    def read_list(place: Place) -> tuple[T, ...]:
        values: list[T] = []
        seen: dict[str, str] = {}
        for item in place.items():
            with place.findings.collecting():
                try:
                    value = read(item)
                except NotGiven:
                    raise item.wrong("a text that is not empty") from None
                values.append(value)
                mark = unique(value) if unique is not None else ""
                if mark and mark in seen:
                    raise item.wrong(problem=f'{called} "{mark}" is there already, at {seen[mark]}')
                seen[mark] = item.path
        return tuple(values)

    return read_list
