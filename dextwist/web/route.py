"""A route: which endpoint answers at a path, and on which terms."""

from __future__ import annotations

import attrs

from dextwist.web.errors import Guard
from dextwist.web.http import Endpoint

#: The methods of an address that is only read.
READ = ("GET", "HEAD")
READ_AND_POST = (*READ, "POST")


@attrs.frozen
class Route:
    """An endpoint with all that is around it."""

    #: below the issuer, as dashboards know it: `/auth/{connector}`.
    pattern: str
    endpoint: Endpoint
    #: answers what the endpoint raises, and other methods.
    guard: Guard
    methods: tuple[str, ...] = READ
    #: whether programs in browsers may read the answer across origins.
    cors: bool = False
    #: static files are not counted.
    counted: bool = True
