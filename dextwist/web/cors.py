"""Cross-origin requests (the Fetch standard) for the endpoints that programs in browsers use."""

from __future__ import annotations

import attrs

from dextwist.web.http import Headers, Request, Response

_METHODS = frozenset({"GET", "HEAD", "POST"})
_SIMPLE_HEADERS = frozenset({"accept", "accept-language", "content-language", "origin"})


@attrs.frozen(kw_only=True)
class CrossOrigin:
    """Which origins may read the answers, and which headers they may send."""

    origins: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ("Authorization",)

    def headers(self, request: Request) -> Headers:
        """The fields to add to an answer; none for an origin that is not allowed."""
        origin = request.header("origin")
        if origin is None or not self._allows(origin):
            return ()
        if "*" in self.origins:
            return (("Access-Control-Allow-Origin", "*"),)
        named = ("Access-Control-Allow-Origin", origin)
        return (named, ("Vary", "Origin")) if len(self.origins) > 1 else (named,)

    def preflight(self, request: Request) -> Response | None:
        """The answer to OPTIONS; None where cross-origin requests are off."""
        if not self.origins:
            return None
        origin = request.header("origin")
        if origin is None or not self._allows(origin):
            return Response(200)
        method = request.header("access-control-request-method")
        if not method:
            return Response(400)
        if method not in _METHODS:
            return Response(405)
        asked = ",".join(request.headers.get("access-control-request-headers", ()))
        names = [name.strip().lower() for name in asked.split(",") if name.strip()]
        more = [name for name in names if name not in _SIMPLE_HEADERS]
        if not {name.lower() for name in self.allowed_headers}.issuperset(more):
            return Response(403)
        granted = self.headers(request)
        if more:
            granted += (("Access-Control-Allow-Headers", ", ".join(name.title() for name in more)),)
        return Response(200, granted)

    def _allows(self, origin: str) -> bool:
        return "*" in self.origins or origin in self.origins
