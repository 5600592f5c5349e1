"""Search filters: read once from the configuration's text, and built as values around what people type.

A value put into a filter is bytes and needs no escaping: only text has characters that mean something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs


@attrs.frozen(eq=False)
class FilterMistake(Exception):
    """A filter that cannot be read, and where."""

    text: str
    position: int
    problem: str

    def __str__(self) -> str:
        return f"{self.problem} at position {self.position} of {self.text!r}"


@attrs.frozen
class And:
    """All of these; of none at all: anything (RFC 4526)."""

    parts: tuple[Filter, ...]


@attrs.frozen
class Or:
    """Any of these."""

    parts: tuple[Filter, ...]


@attrs.frozen
class Not:
    """What does not match this."""

    part: Filter


@attrs.frozen
class Comparison:
    """An attribute against a value: `=`, `>=`, `<=` or `~=`."""

    attribute: str
    operator: str
    value: bytes


@attrs.frozen
class Present:
    """The attribute has a value."""

    attribute: str


@attrs.frozen
class Substrings:
    """The attribute's value begins, goes on and ends like this; an empty end is left open."""

    attribute: str
    initial: bytes
    middle: tuple[bytes, ...]
    final: bytes


@attrs.frozen
class Extensible:
    """The attribute, or the parts of the DN, against a value by a matching rule."""

    attribute: str
    dn_attributes: bool
    rule: str
    value: bytes


Filter = And | Or | Not | Comparison | Present | Substrings | Extensible

_ATTRIBUTE = r"[A-Za-z0-9][A-Za-z0-9._-]*(?:;[A-Za-z0-9-]+)*"
_EXTENSIBLE = re.compile(rf"({_ATTRIBUTE})?(:[dD][nN])?(?::({_ATTRIBUTE}))?:")
_SIMPLE = re.compile(rf"({_ATTRIBUTE})\s*([<>~]?)")
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})")
#: deeper is a mistake, or meant to harm.
_DEEPEST = 50


def parse_filter(text: str) -> Filter:
    """The filter that the text is (RFC 4515 §3). Raises FilterMistake."""
    parser = _Parser(text)
    parser.skip_blanks()
    found = parser.one(0)
    parser.skip_blanks()
    if parser.at < len(text):
        raise parser.mistake("more text after the end")
    return found


def comparing(attribute: str) -> Comparison | Extensible:
    """A match for what a configuration calls an attribute: `member`, or `member:1.2.840.113556.1.4.1941:`.

    Its value is to be filled in. Raises FilterMistake.
    """
    found = parse_filter(f"({attribute}=value)")
    if not isinstance(found, Comparison | Extensible):
        raise FilterMistake(attribute, 0, "this is not the name of an attribute")
    return found


def all_of(parts: Iterable[Filter | None]) -> Filter:
    """What matches every one of these; None stands for no condition."""
    found = tuple(part for part in parts if part is not None)
    return found[0] if len(found) == 1 else And(found)


def any_of(parts: Iterable[Filter]) -> Filter:
    """What matches one of these."""
    found = tuple(parts)
    return found[0] if len(found) == 1 else Or(found)


@attrs.define
class _Parser:
    text: str
    at: int = 0

    def mistake(self, problem: str) -> FilterMistake:
        return FilterMistake(self.text, self.at, problem)

    def skip_blanks(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def take(self, wanted: str) -> None:
        if not self.text.startswith(wanted, self.at):
            raise self.mistake(f"{wanted} is missing")
        self.at += len(wanted)

    def one(self, depth: int) -> Filter:
        """One filter with its parentheses."""
        if depth > _DEEPEST:
            raise self.mistake("too many parentheses")
        self.take("(")
        self.skip_blanks()
        found: Filter
        match self.text[self.at : self.at + 1]:
            case "&":
                found = And(self.several(depth))
            case "|":
                found = Or(self.several(depth))
            case "!":
                self.at += 1
                self.skip_blanks()
                found = Not(self.one(depth + 1))
                self.skip_blanks()
            case _:
                found = self.item()
        self.take(")")
        return found

    def several(self, depth: int) -> tuple[Filter, ...]:
        self.at += 1
        parts: list[Filter] = []
        self.skip_blanks()
        while self.text.startswith("(", self.at):
            parts.append(self.one(depth + 1))
            self.skip_blanks()
        return tuple(parts)

    def item(self) -> Filter:
        """What stands between innermost parentheses."""
        extensible = _EXTENSIBLE.match(self.text, self.at)
        if extensible and self.text.startswith("=", extensible.end()):
            attribute, dn, rule = extensible.groups()
            if not attribute and not rule:
                raise self.mistake("an attribute or a matching rule is missing")
            self.at = extensible.end() + 1
            return Extensible(attribute or "", dn is not None, rule or "", self.whole_value())
        simple = _SIMPLE.match(self.text, self.at)
        if simple is None:
            raise self.mistake("the name of an attribute is missing")
        self.at = simple.end()
        self.take("=")
        attribute, operator = simple.groups()
        if operator:
            return Comparison(attribute, operator + "=", self.whole_value())
        pieces = self.pieces()
        if len(pieces) == 1:
            return Comparison(attribute, "=", pieces[0])
        if not any(pieces):
            return Present(attribute)
        return Substrings(attribute, pieces[0], tuple(filter(None, pieces[1:-1])), pieces[-1])

    def whole_value(self) -> bytes:
        start = self.at
        pieces = self.pieces()
        if len(pieces) > 1:
            self.at = start
            raise self.mistake("a star means nothing here; as a character it is \\2a")
        return pieces[0]

    def pieces(self) -> list[bytes]:
        """The value, cut at its stars."""
        pieces = [b""]
        while (character := self.text[self.at : self.at + 1]) not in ("", ")"):
            if character in "(\0":
                raise self.mistake("this character has to be written with a backslash and two digits")
            if character == "*":
                pieces.append(b"")
                self.at += 1
                continue
            if character == "\\":
                escape = _ESCAPE.match(self.text, self.at)
                if escape is None:
                    raise self.mistake("a backslash stands before two hexadecimal digits")
                pieces[-1] += bytes.fromhex(escape[1])
                self.at = escape.end()
                continue
            pieces[-1] += character.encode()
            self.at += 1
        return pieces


def filter_text(condition: Filter) -> str:
    """The filter as text, with every value escaped (RFC 4515 §3): for the log."""
    match condition:
        case And(parts):
            return f"(&{''.join(map(filter_text, parts))})"
        case Or(parts):
            return f"(|{''.join(map(filter_text, parts))})"
        case Not(part):
            return f"(!{filter_text(part)})"
        case Comparison(attribute, operator, value):
            return f"({attribute}{operator}{_escaped(value)})"
        case Present(attribute):
            return f"({attribute}=*)"
        case Substrings(attribute, initial, middle, final):
            return f"({attribute}={'*'.join(map(_escaped, (initial, *middle, final)))})"
        case Extensible(attribute, dn_attributes, rule, value):
            return f"({attribute}{':dn' * dn_attributes}{rule and ':' + rule}:={_escaped(value)})"


def _escaped(value: bytes) -> str:
    return "".join(chr(b) if 0x20 <= b < 0x7F and b not in b"*()\\" else f"\\{b:02x}" for b in value)
