"""What is wrong with a configuration, said to the operator who has to mend it."""

from __future__ import annotations

import attrs


def located(path: str, line: int) -> str:
    """Where something stands: `staticClients[1].secret, line 12`. Line 0 is outside the file."""
    return ", ".join(part for part in (path, f"line {line}" if line else "") if part)


@attrs.frozen(eq=False)
class ConfigError(Exception):
    """One thing that is wrong. Nothing in it is a secret."""

    #: the YAML path, or the environment variable; empty for the file as a whole.
    path: str
    problem: str = ""
    #: 0 for what is not in the file.
    line: int = 0
    found: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        said = [self.problem] if self.problem else []
        if self.wanted:
            found = f"found {self.found}, " if self.found and self.found not in self.problem else ""
            said.append(f"{found}wanted {self.wanted}")
        where = located(self.path, self.line)
        return ": ".join(filter(None, (where, "; ".join(said))))


@attrs.frozen(eq=False)
class InvalidConfiguration(Exception):
    """A configuration that nothing can be started from: all of its problems, in the document's order."""

    problems: tuple[ConfigError, ...]
    file: str = ""

    def __str__(self) -> str:
        heading = f"invalid config {self.file}:" if self.file else "invalid config:"
        return "\n".join((heading, *(f"  - {problem}" for problem in self.problems)))
