"""Cross-origin requests, row by row (2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.parameters import Form
from dextwist.web.cors import CrossOrigin
from dextwist.web.http import Request, Response

ORIGIN, OTHER = "https://app.test", "https://other.test"
ONE = CrossOrigin(origins=(ORIGIN,))


def request(method: str = "OPTIONS", **headers: str | Sequence[str]) -> Request:
    read: Mapping[str, Sequence[str]] = {
        name.replace("_", "-"): (value,) if isinstance(value, str) else tuple(value)
        for name, value in headers.items()
    }
    return Request(method=method, full_path="/token", query=Form(), body=Form(), headers=read, cookies={})


def asking(
    origin: str = ORIGIN, method: str = "POST", headers: str | Sequence[str] = "Authorization"
) -> Request:
    return request(
        origin=origin, access_control_request_method=method, access_control_request_headers=headers
    )


class CrossOriginTestCase(SynchronousTestCase):
    def preflight(self, cross_origin: CrossOrigin, of: Request) -> Response:
        response = cross_origin.preflight(of)
        assert response is not None
        self.assertEqual(response.body, b"")
        return response


class AnswerTests(CrossOriginTestCase):
    def test_without_an_origin_nothing_is_added(self) -> None:
        self.assertEqual(ONE.headers(request("GET")), ())

    def test_origin_that_is_not_allowed_gets_nothing(self) -> None:
        for origin in (OTHER, "null", ORIGIN + "/", ORIGIN.upper(), "http://app.test", ORIGIN + ":443", ""):
            self.assertEqual(ONE.headers(request("GET", origin=origin)), (), origin)

    def test_allowed_origin_is_named(self) -> None:
        self.assertEqual(
            ONE.headers(request("POST", origin=ORIGIN)), (("Access-Control-Allow-Origin", ORIGIN),)
        )

    def test_answer_varies_where_there_are_several(self) -> None:
        two = CrossOrigin(origins=(OTHER, ORIGIN))
        self.assertEqual(
            two.headers(request("GET", origin=ORIGIN)),
            (("Access-Control-Allow-Origin", ORIGIN), ("Vary", "Origin")),
        )

    def test_star_collapses_the_list(self) -> None:
        for origins in (("*",), (ORIGIN, "*"), ("*", ORIGIN)):
            for origin in (ORIGIN, OTHER, "null"):
                self.assertEqual(
                    CrossOrigin(origins=origins).headers(request("GET", origin=origin)),
                    (("Access-Control-Allow-Origin", "*"),),
                )

    def test_off_by_default(self) -> None:
        self.assertEqual(CrossOrigin().headers(request("GET", origin=ORIGIN)), ())


class PreflightTests(CrossOriginTestCase):
    def test_where_it_is_off_options_reaches_the_endpoint(self) -> None:
        self.assertIsNone(CrossOrigin().preflight(asking()))

    def test_without_an_allowed_origin_it_is_answered_empty(self) -> None:
        for of in (request(), request(access_control_request_method="POST"), asking(OTHER)):
            self.assertEqual(self.preflight(ONE, of), Response(200))

    def test_without_a_method_it_is_a_bad_request(self) -> None:
        for of in (request(origin=ORIGIN), asking(method="")):
            self.assertEqual(self.preflight(ONE, of), Response(400))

    def test_method_that_is_not_simple(self) -> None:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "post", "*"):
            self.assertEqual(self.preflight(ONE, asking(method=method)), Response(405), method)

    def test_simple_methods(self) -> None:
        for method in ("GET", "HEAD", "POST"):
            self.assertEqual(self.preflight(ONE, asking(method=method)).status, 200)

    def test_header_that_is_not_allowed(self) -> None:
        for headers in ("X-Evil", "Authorization, X-Evil", ["Authorization", "X-Evil"], "Content-Type"):
            self.assertEqual(self.preflight(ONE, asking(headers=headers)), Response(403), headers)

    def test_allowed_headers_are_named_in_canonical_case(self) -> None:
        cross_origin = CrossOrigin(origins=(ORIGIN,), allowed_headers=("Authorization", "x-requested-with"))
        response = self.preflight(cross_origin, asking(headers="authorization,X-REQUESTED-with , accept"))
        self.assertEqual(response.status, 200)
        self.assertEqual(
            response.headers,
            (
                ("Access-Control-Allow-Origin", ORIGIN),
                ("Access-Control-Allow-Headers", "Authorization, X-Requested-With"),
            ),
        )

    def test_simple_headers_need_not_be_named(self) -> None:
        for headers in ("", "Accept, accept-language, CONTENT-LANGUAGE, Origin"):
            response = self.preflight(ONE, asking(headers=headers))
            self.assertEqual(response, Response(200, (("Access-Control-Allow-Origin", ORIGIN),)))

    def test_star_is_no_wildcard_for_headers(self) -> None:
        cross_origin = CrossOrigin(origins=("*",), allowed_headers=("*",))
        self.assertEqual(self.preflight(cross_origin, asking(headers="X-Anything")), Response(403))

    def test_nothing_more_is_promised(self) -> None:
        cross_origin = CrossOrigin(origins=(ORIGIN, OTHER))
        names = {name for name, _ in self.preflight(cross_origin, asking()).headers}
        self.assertEqual(names, {"Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Vary"})
