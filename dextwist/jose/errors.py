"""What can be wrong with keys and tokens; the texts are for the log."""

from __future__ import annotations

import attrs


@attrs.frozen(eq=False)
class InvalidToken(Exception):
    """A token that none of the right keys has signed, or that does not say so properly."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class UnknownKey(InvalidToken):
    """The token names a key that is not among those tried; it may be a newer one."""


@attrs.frozen(eq=False)
class UnusableKey(Exception):
    """A JSON Web Key that is malformed, or of another kind than is needed."""

    reason: str

    def __str__(self) -> str:
        return self.reason
