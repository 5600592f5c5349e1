"""The parameters of a request: text already, in order, each meant to be there once (RFC 6749 §3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs


@attrs.frozen(eq=False)
class MalformedForm(Exception):
    """The text is no form: what is wrong with it, for the person or the client."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen
class Form:
    """The fields of a form or query, in order. Reading one that is repeated is an error."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The field's value; MalformedForm where it is there more than once (RFC 6749 §3.1)."""
        found = [value for field, value in self.fields if field == name]
        if len(found) > 1:
            raise MalformedForm(f"the parameter {name} is repeated")
        return found[0] if found else default

    def __contains__(self, name: object) -> bool:
        return any(field == name for field, _ in self.fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def __bool__(self) -> bool:
        return bool(self.fields)

    def refuse_repeats(self, *, but: Collection[str] = ()) -> None:
        """Raise MalformedForm where a field is repeated that is none of these."""
        seen: set[str] = set()
        for name, _ in self.fields:
            if name in seen and name not in but:
                raise MalformedForm(f"the parameter {name} is repeated")
            seen.add(name)
