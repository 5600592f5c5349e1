"""Readers of single values. Each takes a place and gives its value, or raises ConfigError or NotGiven."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from datetime import timedelta

from dextwist.config.addresses import InvalidAddress, ListenAddress, parse_listen_address
from dextwist.config.durations import parse_duration
from dextwist.config.places import Place
from dextwist.config.reading import NotGiven, Reader, cannot_read, list_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

A_DURATION = "a duration such as 90m, 1.5h or 1h30m5s"


def here(place: Place) -> Place:
    """The place itself, to be read when more is known."""
    return place


def text(place: Place) -> str:
    """A text that is not empty."""
    value = place.node.value
    if isinstance(value, bool | int | float):
        raise place.wrong("a text; put it in quotes")
    if not isinstance(value, str):
        raise place.wrong("a text")
    if not value:
        raise NotGiven
    return value


texts = list_of(text)


def texts_by_name(place: Place) -> Mapping[str, str]:
    """A mapping of the operator's own names to texts, which may be empty."""
    found = place.children(tuple(place.entries()))
    return {name: text(value) if value.node.value != "" else "" for name, value in found.items()}


def unless_empty(read: Reader[tuple[str, ...]]) -> Reader[tuple[str, ...]]:
    """A reader of lists for which an empty list is as good as none."""

    def read_list(place: Place) -> tuple[str, ...]:
        values = read(place)
        if not values:
            raise NotGiven
        return values

    return read_list


def boolean(place: Place) -> bool:
    """true or false, in any of YAML's words for them."""
    if not isinstance(place.node.value, bool):
        raise place.wrong("true or false")
    return place.node.value


def integer(minimum: int | None = None) -> Reader[int]:
    """A whole number."""
    wanted = "a whole number" if minimum is None else f"a whole number, {minimum} or more"

    def read(place: Place) -> int:
        value = place.node.value
        if not isinstance(value, int) or isinstance(value, bool) or (minimum is not None and value < minimum):
            raise place.wrong(wanted)
        return value

    return read


def port(place: Place) -> int:
    """A port number, also as a text: that is how an environment variable comes."""
    value = place.node.value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise place.wrong("a port number from 0 to 65535")
    return value


def duration(label: str = "", *, zero: bool = False) -> Reader[timedelta]:
    """A duration that is not negative and, unless `zero` has a meaning, not zero."""
    problem = f"invalid config value {{found}} for {label}" if label else ""

    def read(place: Place) -> timedelta:
        if not isinstance(place.node.value, str):
            raise place.wrong(A_DURATION, problem)
        try:
            value = parse_duration(text(place))
        except ValueError:
            raise place.wrong(A_DURATION, problem) from None
        if value < timedelta(0) or (not zero and not value):
            raise place.wrong(f"{A_DURATION}, {'not negative' if zero else 'more than zero'}", problem)
        return value

    return read


def limit(label: str) -> Reader[timedelta | None]:
    """A duration, where zero means that there is no limit."""
    read_duration = duration(label, zero=True)

    def read(place: Place) -> timedelta | None:
        return read_duration(place) or None

    return read


def choice(choices: Collection[str], problem: str = "") -> Reader[str]:
    """One of these words, exactly."""

    def read(place: Place) -> str:
        if text(place) not in choices:
            raise place.wrong("one of " + ", ".join(choices), problem)
        return text(place)

    return read


def tls_version(place: Place) -> str:
    """1.2 or 1.3, in quotes or as the number that YAML makes of it without."""
    value = place.node.value
    written = str(value) if isinstance(value, float) else text(place)
    if written not in ("1.2", "1.3"):
        raise place.wrong('"1.2" or "1.3"', "supported TLS versions are: 1.2, 1.3")
    return written


def listen_address(place: Place) -> ListenAddress:
    """Where to listen."""
    try:
        return parse_listen_address(text(place))
    except InvalidAddress as error:
        raise place.wrong("host:port, :port or unix:/path", str(error)) from None


def network(place: Place) -> Network:
    """A range of IP addresses in CIDR notation."""
    address, slash, length = text(place).partition("/")
    try:
        if not slash or not length.isdigit():
            raise ValueError
        return ipaddress.ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        raise place.wrong("a range such as 10.0.0.0/8", "failed to parse CIDR {found}") from None


def environment_variable(place: Place) -> str:
    """The value of the environment variable that is named here."""
    name = text(place)
    value = place.findings.environ.get(name)
    if not value:
        raise place.wrong(problem=f"the environment variable {name} is not set, or empty")
    return value


def readable_file(place: Place) -> str:
    """The path of a file that can be read."""
    path = text(place)
    try:
        with open(path, "rb"):
            return path
    except (OSError, ValueError) as failure:
        raise place.wrong(problem=cannot_read(path, failure)) from None
