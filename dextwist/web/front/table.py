"""Which route answers at a path: found by the path as it was sent, without cleaning it first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import attrs

from dextwist.web.route import Route

_VARIABLE = re.compile(r"\\\{[a-z_]+\\\}")


@attrs.frozen
class RouteTable:
    """The routes below the issuer's path; an exact match is one look into a dictionary."""

    exact: Mapping[str, Route]
    #: routes with variable segments, in the order in which they are tried.
    shapes: tuple[tuple[re.Pattern[str], Route], ...]

    @classmethod
    def of(cls, issuer_path: str, routes: Iterable[Route]) -> RouteTable:
        """The table of these routes. The home page is at the issuer's path itself, without a slash."""
        exact, shapes = {}, []
        for route in routes:
            path = issuer_path if issuer_path and route.pattern == "/" else issuer_path + route.pattern
            shape, variables = _VARIABLE.subn("([^/]+)", re.escape(path))
            if variables:
                shapes.append((re.compile(shape), route))
            else:
                exact[path] = route
        return cls(exact, tuple(shapes))

    def find(self, path: str) -> Route | None:
        """The route for a path that is still percent-encoded; its variables are decoded once, here."""
        route = self.exact.get(path)
        if route is not None:
            return route
        for shape, parametric in self.shapes:
            match = shape.fullmatch(path)
            if match is not None:
                return parametric.at(*(unquote(value, errors="replace") for value in match.groups()))
        return None
