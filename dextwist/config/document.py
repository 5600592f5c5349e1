"""The file as a tree of values that remember their lines. The only module that knows YAML.

YAML 1.1 as dex reads it: yes, no, on and off are booleans, anchors and merge keys work, dates and
sexagesimal numbers are plain text. A repeated key keeps its last value and is warned of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from dextwist.config.errors import ConfigError, InvalidConfiguration, located

Value = None | bool | int | float | str | tuple["Node", ...] | Mapping[str, "Node"]

#: More values than any configuration has; a few aliases of aliases are soon more than that.
MAX_VALUES = 500_000

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str"))
_MERGE = _TAG + "merge"
#: What the parser quotes of the file may be part of a secret; names of tokens and single characters are not.
_QUOTED = re.compile(r"'(?!<)[^']{2,}'")


@attrs.frozen
class Node:
    """One value of the file."""

    value: Value
    #: 0: not from the file.
    line: int = 0
    #: a scalar as it was written.
    text: str = ""


@attrs.frozen
class Document:
    """What a file says, and what is odd about how it says it."""

    root: Node
    warnings: tuple[str, ...] = ()


def plain(node: Node) -> Any:
    """The value without its lines, as JSON would have it."""
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def read_document(path: str) -> Document:
    """The mapping that the file holds. Raises InvalidConfiguration."""
    try:
        return _parsed(_text_of(path))
    except ConfigError as problem:
        raise InvalidConfiguration((problem,), path) from None


def _text_of(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("", f"error parse config file {path}: it is not UTF-8 text") from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise ConfigError("", f"failed to read config file {path}: {reason}") from None


def _parsed(text: str) -> Document:
    try:
        loader = _Loader(text)
        tree = _Tree(loader)
        first = _next_document(loader)
        root = tree.node(first, "") if first is not None else Node(None)
        second = _next_document(loader)
        if second is not None:
            tree.warn("", second, "only the first document of the file is read")
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        said = ", ".join(part for part in (failure.context, failure.problem) if part)
        raise _syntax_error(_QUOTED.sub("'…'", said), mark.line + 1 if mark else 0) from None
    except yaml.reader.ReaderError as failure:
        line = text.count("\n", 0, failure.position) + 1
        raise _syntax_error("there is a character that text does not have", line) from None
    except RecursionError:
        raise _syntax_error("it is nested too deeply, or holds itself") from None
    except (ValueError, OverflowError):
        # Escapes and version numbers beyond all bounds are not caught by the parser.
        raise _syntax_error("an escape or a number is out of bounds") from None
    if root.value is None:
        raise ConfigError("", "the file is empty", wanted="a mapping of keys to values")
    if not isinstance(root.value, Mapping):
        kind = "a list" if isinstance(root.value, tuple) else "a text"
        raise ConfigError("", line=root.line, found=kind, wanted="a mapping of keys to values")
    return Document(root, tuple(tree.warnings))


def _next_document(loader: _Loader) -> yaml.Node | None:
    return loader.get_node() if loader.check_node() else None


def _syntax_error(said: str, line: int = 0) -> ConfigError:
    return ConfigError("", f"error parse config file: {said}", line)


class _Loader(
    yaml.reader.Reader,
    yaml.scanner.Scanner,
    yaml.parser.Parser,
    yaml.composer.Composer,
    yaml.constructor.SafeConstructor,
    yaml.resolver.BaseResolver,
):
    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.BaseResolver.__init__(self)


for _name, _written, _first in (
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("int", r"[-+]?(0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", "-+0123456789"),
    ("float", r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_written})\\Z"), list(_first))


@attrs.define
class _Tree:
    """Makes our nodes of the parser's."""

    loader: _Loader
    warnings: list[str] = attrs.field(factory=list)
    count: int = 0

    def warn(self, path: str, node: yaml.Node, sentence: str) -> None:
        self.warnings.append(f"{located(path, _line(node))}: {sentence}")

    def node(self, node: yaml.Node, path: str, line: int = 0) -> Node:
        """`line` is that of the key, where there is one."""
        line = line or _line(node)
        self.count += 1
        if self.count > MAX_VALUES:
            raise ConfigError(path, f"there are more than {MAX_VALUES} values, counting aliases", line)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return Node(self.mapping(node, path), line)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return Node(tuple(self.node(n, f"{path}[{i}]") for i, n in enumerate(node.value)), line)
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return Node(self.scalar(node, path), line, node.value)
        raise ConfigError(path, "YAML tags such as !text have no meaning here", line)

    def scalar(self, node: yaml.ScalarNode, path: str) -> Value:
        try:
            node.value.encode()
            value: Value = self.loader.construct_object(node)
        except (ValueError, LookupError):
            raise ConfigError(path, "this cannot be read as what it looks like", _line(node)) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(path, "numbers must be finite", _line(node))
        return value

    def mapping(self, node: yaml.MappingNode, path: str) -> Mapping[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for base in self.merged(value_node, path):
                    merged = {**base, **merged}
                continue
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
                raise ConfigError(path, "a key must be a text", _line(key_node))
            self.scalar(key_node, path)
            key = key_node.value
            below = f"{path}.{key}" if path else key
            if key in own:
                self.warn(below, key_node, "the key is repeated; this last value counts")
            own[key] = self.node(value_node, below, _line(key_node))
        return {**merged, **own}

    def merged(self, node: yaml.Node, path: str) -> list[Mapping[str, Node]]:
        value = self.node(node, path).value
        bases = [base.value for base in value] if isinstance(value, tuple) else [value]
        found = [base for base in bases if isinstance(base, Mapping)]
        if len(found) != len(bases):
            raise ConfigError(path, "a merge key (<<) takes a mapping or a list of mappings", _line(node))
        return found


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
