"""Values and where they stand in the file, and what comes to light about them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import attrs

from dextwist.config.connector_types import DEX_TYPES, ConnectorTypes
from dextwist.config.document import Node
from dextwist.config.errors import ConfigError, located
from dextwist.config.expansion import expanded
from dextwist.config.features import Features

_INDEX = re.compile(r"\[\d+\]")
_MAX_SHOWN = 80


@attrs.define(kw_only=True)
class Findings:
    """What surrounds the file, and what has come to light in it so far."""

    environ: Mapping[str, str]
    features: Features
    #: values from the command line, by YAML path.
    overrides: Mapping[str, str] = attrs.field(factory=dict)
    connector_types: ConnectorTypes = DEX_TYPES
    problems: list[ConfigError] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    #: every value that was looked at, by its path.
    nodes: dict[str, Node] = attrs.field(factory=dict)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Note a ConfigError that is raised inside, and go on after it."""
        try:
            yield
        except ConfigError as problem:
            self.problems.append(problem)

    def refuse(self, path: str, problem: str, wanted: str = "") -> None:
        """Note a problem."""
        self.problems.append(ConfigError(path, problem, self.line_of(path), wanted=wanted))

    def warn(self, path: str, sentence: str) -> None:
        """Note something for the start-up log."""
        self.warnings.append(f"{located(path, self.line_of(path))}: {sentence}")

    def line_of(self, path: str) -> int:
        """The line of a value, or where it is absent of what it would stand in."""
        while path and path not in self.nodes:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.nodes[path].line if path else 0

    def by_pattern(self) -> dict[str, list[tuple[str, Node]]]:
        """What was looked at, by patterns in lower case, such as `connectors[*].type`."""
        found: dict[str, list[tuple[str, Node]]] = {}
        for path, node in self.nodes.items():
            found.setdefault(_INDEX.sub("[*]", path).lower(), []).append((path, node))
        return found


@attrs.frozen
class Place:
    """A value of the file and where it stands. One that is absent is a null."""

    path: str
    node: Node
    findings: Findings
    secret: bool = False

    @property
    def shown(self) -> str:
        """What was found, fit to be printed: short, and of a secret only what kind of value it is."""
        match self.node.value:
            case None:
                return "nothing"
            case bool():
                return "a boolean" if self.secret else f"the boolean {self.node.text}"
            case int() | float():
                return "a number" if self.secret else f"the number {_short(self.node.text)}"
            case str():
                # As it was written: what a variable holds may be a secret.
                written = self.node.text
                return "a text" if self.secret else json.dumps(_short(written), ensure_ascii=False)
            case tuple():
                return "a list"
            case _:
                return "a mapping"

    def wrong(self, wanted: str = "", problem: str = "") -> ConfigError:
        """That this value is not what is wanted; `{found}` in the problem is the value."""
        shown = self.shown
        return ConfigError(self.path, problem.replace("{found}", shown), self.node.line, shown, wanted)

    def refuse(self, below: str, problem: str, wanted: str = "") -> None:
        """Note a problem with what stands `below` here (`.name`, `[1]`; empty for this value itself)."""
        self.findings.refuse(self._path(below), problem, wanted)

    def warn(self, below: str, sentence: str) -> None:
        """Something for the start-up log about what stands `below` here."""
        self.findings.warn(self._path(below), sentence)

    def given(self, name: str) -> bool:
        """Whether the key has a value here, right or wrong."""
        node = self.findings.nodes.get(self._path(name))
        return node is not None and node.value is not None and node.value != ""

    def entries(self) -> Mapping[str, Node]:
        """The values of a mapping by their keys as written; none where there is nothing."""
        if self.node.value is None:
            return {}
        if not isinstance(self.node.value, Mapping):
            raise self.wrong("a mapping")
        return self.node.value

    def items(self) -> list[Place]:
        """The values of a list."""
        if not isinstance(self.node.value, tuple):
            raise self.wrong("a list")
        return [self._at(f"[{index}]", node) for index, node in enumerate(self.node.value)]

    def children(self, names: Collection[str]) -> dict[str, Place]:
        """The values of these keys, whatever the case they are written in; the exact spelling wins.

        The command line comes before the file. Any other key is reported.
        """
        known = {name.lower(): name for name in names}
        entries = self.entries()
        found: dict[str, Place] = {}
        for written, node in entries.items():
            name = known.get(written.lower())
            if name is None:
                self._at(written, node)
                self._unknown(written, known)
            elif written != name and name in entries:
                self.warn(name, f"{written} is the same key; {name} counts")
            else:
                if name in found:
                    self.warn(name, f"the key is there in several spellings; {written} counts")
                found[name] = self._at(name, node)
        for name in names:
            given = self.findings.overrides.get(self._path(name))
            if given:
                found[name] = self._at(name, Node(given, text=given))
        return found

    def child(self, name: str, *, secret: bool = False) -> Place:
        """The value of a key that is given."""
        path = self._path(name)
        return Place(path, self.findings.nodes[path], self.findings, secret)

    def absent(self, name: str) -> Place:
        """Where the key would stand."""
        return self._at(name, Node(None, self.node.line if self.path else 0))

    def expanded(self) -> Place:
        """The value with environment variables in its texts, unless DEX_EXPAND_ENV is off."""
        if not self.findings.features.expand_env:
            return self
        return attrs.evolve(self, node=expanded(self.node, self.findings.environ))

    def _path(self, below: str) -> str:
        return f"{self.path}.{below}" if self.path and below[:1] not in ("", "[") else self.path + below

    def _at(self, below: str, node: Node) -> Place:
        path = self._path(below)
        self.findings.nodes[path] = node
        return Place(path, node, self.findings)

    def _unknown(self, written: str, known: Mapping[str, str]) -> None:
        near = difflib.get_close_matches(written.lower(), known, n=1)
        meant = f", did you mean {known[near[0]]}?" if near else ""
        if self.findings.features.config_disallow_unknown_fields:
            self.refuse(written, f"unknown key{meant}")
        else:
            self.warn(written, f"unknown key, ignored{meant}")


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
