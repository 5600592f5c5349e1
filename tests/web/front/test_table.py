"""Routes are found by the path as it was sent, exactly."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.errors import JSONGuard
from dextwist.web.front.table import RouteTable
from dextwist.web.http import Request, Response
from dextwist.web.route import Route


async def nothing(*given: str | Request) -> Response:
    return Response(200, (), repr(given[:-1]).encode())


PATTERNS = ("/", "/auth", "/auth/{connector}", "/auth/{connector}/login", "/.well-known/openid-configuration")


class TableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.routes = [Route(pattern, nothing, JSONGuard()) for pattern in PATTERNS]

    def found(self, path: str, issuer_path: str = "/dex") -> str | None:
        route = RouteTable.of(issuer_path, self.routes).find(path)
        return None if route is None else route.pattern

    def test_paths_that_are_known(self) -> None:
        for path, pattern in (
            ("/dex", "/"),
            ("/dex/auth", "/auth"),
            ("/dex/auth/x", "/auth/{connector}"),
            ("/dex/auth/a%2Fb", "/auth/{connector}"),
            ("/dex/auth/login", "/auth/{connector}"),
            ("/dex/auth/x/login", "/auth/{connector}/login"),
            ("/dex/.well-known/openid-configuration", "/.well-known/openid-configuration"),
        ):
            self.assertEqual(self.found(path), pattern, path)

    def test_2_1_paths_are_not_cleaned(self) -> None:
        for path in (
            *("/", "/auth", "/dex/", "//dex", "/dex//auth", "/dex/auth/", "/dex/auth//login", "/dex/Auth"),
            *("/dex/%61uth", "/dex/auth/x/", "/dex/auth/x/y", "/dex/auth/x/login/", "/dex/x/../auth"),
            *("/dexter", "/dex/Xwell-known/openid-configuration", ""),
        ):
            self.assertIsNone(self.found(path), path)

    def test_home_of_an_issuer_without_a_path(self) -> None:
        self.assertEqual(self.found("/", ""), "/")
        self.assertEqual(self.found("/auth/x", ""), "/auth/{connector}")

    def test_variables_are_decoded_once(self) -> None:
        table = RouteTable.of("", self.routes)
        for segment, value in (("a%2Fb", "a/b"), ("%2561", "%61"), ("%C3%A9", "é"), ("%ff", "\ufffd")):
            route = table.find(f"/auth/{segment}")
            assert route is not None
            endpoint = route.endpoint
            self.assertEqual(getattr(endpoint, "args", None), (value,))
