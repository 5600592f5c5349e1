"""A route: which endpoint answers at a path, and on which terms."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import attrs

from dextwist.web.errors import Guard
from dextwist.web.http import Response

#: The methods of an address that is only read.
READ = ("GET", "HEAD")
READ_AND_POST = (*READ, "POST")


@attrs.frozen
class Route:
    """An endpoint with all that is around it."""

    #: below the issuer, as dashboards know it: `/auth/{connector}`.
    pattern: str
    #: takes the variable segments, then the request.
    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    #: answers what the endpoint raises, and other methods.
    guard: Guard
    methods: tuple[str, ...] = READ
    #: whether programs in browsers may read the answer across origins.
    cors: bool = False
    #: static files are not counted.
    counted: bool = True

    def at(self, *values: str) -> Route:
        """The route at a path with these segments, percent-decoded."""
        return attrs.evolve(self, endpoint=partial(self.endpoint, *values))
