"""Regular expressions that the operator writes and strangers' texts are matched with.

Python's `re` tries one way to match after another, so a pattern is only taken where there are few ways,
however the text looks: `(a+)+` is refused before anybody can send the text that keeps it busy for years.
"""

from __future__ import annotations

import re

# Not public, but the same since 3.11; a pattern that holds anything unknown to us is refused.
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from dextwist.config.places import Place
from dextwist.config.reading import Reader
from dextwist.config.values import text

MAX_PATTERN = 200
#: Ways to match that are tried in a few tens of milliseconds.
MAX_WAYS = 20_000_000

_ONE_CHARACTER = frozenset(
    {_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.AT}
)
_REPEATS = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT})


def bounded_pattern(longest: int) -> Reader[re.Pattern[str]]:
    """A reader of patterns that are matched with texts of at most `longest` characters."""

    def read(place: Place) -> re.Pattern[str]:
        written = text(place)
        if len(written) > MAX_PATTERN:
            raise place.wrong(f"a regular expression of at most {MAX_PATTERN} characters")
        try:
            pattern = re.compile(written)
            ways = _ways(_parser.parse(written), longest)
        except (re.error, OverflowError, RecursionError) as error:
            raise place.wrong("a regular expression", f"{{found}} is none: {error}") from None
        if ways > MAX_WAYS:
            raise place.wrong(
                "a simpler regular expression: no repetition inside another, few of them, no look-around",
                "{found} could take too long to match",
            )
        return pattern

    return read


def _ways(items: Any, longest: int) -> int:
    """In how many ways, at most, these items match beginnings of one text; counted no further than needed."""
    ways = 1
    for kind, argument in items:
        if kind in _ONE_CHARACTER:
            continue
        if kind is _constants.SUBPATTERN:
            ways *= _ways(argument[-1], longest)
        elif kind is _constants.BRANCH:
            ways *= sum(_ways(each, longest) for each in argument[1])
        elif kind in _REPEATS:
            least, most, repeated = argument
            most = min(most, longest)
            ways *= max(most - least + 1, 1) * _ways(repeated, longest) ** most
        else:
            return MAX_WAYS + 1
        ways = min(ways, MAX_WAYS + 1)
    return ways
