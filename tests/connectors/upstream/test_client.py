"""The HTTP client of a connector, over a network that the test plays."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import TimeoutError as TCPTimeoutError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

import dextwist
from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.answer import EXCERPT, UpstreamAnswer
from dextwist.connectors.upstream.client import TIME_LIMIT, UpstreamClient
from dextwist.connectors.upstream.wire import Incoming, Outgoing, TooLarge
from tests.upstreams.network import CountedCalls

URL = "https://up.test/api"
Answering = Callable[[Outgoing], Deferred[Incoming]]


def incoming(status: int = 200, body: bytes = b"{}", **headers: str) -> Incoming:
    return Incoming(status=status, headers=Headers({n: [v] for n, v in headers.items()}), body=body)


class ClientTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.metrics = Clock(), CountedCalls()
        self.sent: list[Outgoing] = []
        self.answering: Answering = lambda _: succeed(incoming())
        self.client = UpstreamClient(
            connector_id="up", send=self._send, clock=self.clock, metrics=self.metrics
        )

    async def _send(self, outgoing: Outgoing) -> Incoming:
        self.sent.append(outgoing)
        return await self.answering(outgoing)

    def asking(self, url: str = URL, **how: Any) -> Deferred[UpstreamAnswer]:
        method = how.pop("method", "GET")
        return Deferred.fromCoroutine(self.client.request(method, url, operation="op", **how))

    def asked(self, url: str = URL, **how: Any) -> UpstreamAnswer:
        return self.successResultOf(self.asking(url, **how))

    def failure(self, url: str = URL, **how: Any) -> ConnectorError:
        error: ConnectorError = self.failureResultOf(self.asking(url, **how), ConnectorError).value
        return error

    def answers(self, *answers: Incoming | Exception) -> None:
        """One after the other; the last one again and again."""
        script = list(answers)

        async def answer() -> Incoming:
            each = script.pop(0) if len(script) > 1 else script[0]
            if isinstance(each, Exception):
                raise each
            return each

        self.answering = lambda _: Deferred.fromCoroutine(answer())

    def header(self, name: str, sent: Outgoing | None = None) -> Any:
        return (sent or self.sent[-1]).headers.getRawHeaders(name)


class RequestTests(ClientTestCase):
    def test_O14_says_who_asks_and_for_what(self) -> None:
        self.asked(headers={"User-Agent": "another", "X-Own": "a"})
        self.assertEqual(self.header("User-Agent"), [f"dextwist/{dextwist.__version__}"])
        self.assertEqual((self.header("Accept"), self.header("X-Own")), (["application/json"], ["a"]))
        self.asked(headers={"Accept": "text/xml"})
        self.assertEqual(self.header("Accept"), ["text/xml"])

    def test_parameters_go_behind_the_query_of_the_url(self) -> None:
        self.asked("https://up.test/api?z=1#part", params={"b": "ü &", "a": "2"})
        self.assertEqual(self.sent[-1].url, "https://up.test/api?z=1&a=2&b=%C3%BC+%26")
        self.asked("https://up.test/api", params={})
        self.assertEqual(self.sent[-1].url, "https://up.test/api")

    def test_form_and_json(self) -> None:
        self.asked(method="POST", data={"a": "ü &"})
        self.assertEqual(self.sent[-1].body, b"a=%C3%BC+%26")
        self.assertEqual(self.header("Content-Type"), ["application/x-www-form-urlencoded"])
        self.asked(method="POST", json={"a": ["ü"]})
        self.assertEqual(self.sent[-1].body, '{"a":["ü"]}'.encode())
        self.assertEqual(self.header("Content-Type"), ["application/json"])

    def test_urls_that_may_not_be_asked(self) -> None:
        for url in (
            "ftp://up.test/",
            "/relative",
            "https:///nohost",
            "https://user:pw@up.test/",
            "https://up.test:0/",
            "https://up.test:x/",
            "https://up.test/a b",
            "https://up.test/\r\nHost: x",
            "https://üp.test/",
            "https://[::1/",
            "",
        ):
            self.assertIn("no http or https URL", str(self.failure(url)), url)
        self.assertEqual(self.sent, [])

    def test_answer_is_given_whatever_its_status(self) -> None:
        for status in (200, 204, 302, 404, 500):
            self.answers(incoming(status, b"x"))
            answer = self.asked(method="POST")
            self.assertEqual((answer.status, answer.body), (status, b"x"))
        self.assertEqual(self.metrics.calls, [("op", f"{n}xx") for n in (2, 2, 3, 4, 5)])


class FailureTests(ClientTestCase):
    def test_RL_09_call_ends_with_the_time_limit(self) -> None:
        gone: list[bool] = []
        self.answering = lambda _: Deferred(lambda _: gone.append(True))
        asking = self.asking()
        self.clock.advance(TIME_LIMIT - 0.1)
        self.assertNoResult(asking)
        self.clock.advance(0.1)
        error = self.failureResultOf(asking, ConnectorError).value
        self.assertEqual((error.timed_out, error.unreachable, gone), (True, False, [True]))
        self.assertEqual(self.metrics.calls, [("op", "timeout")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_RL_09_redirects_share_the_time_limit(self) -> None:
        waiting: list[Deferred[Incoming]] = []

        def later(_: Outgoing) -> Deferred[Incoming]:
            waiting.append(Deferred())
            return waiting[-1]

        self.answering = later
        asking = self.asking()
        self.clock.advance(TIME_LIMIT - 1)
        waiting[-1].callback(incoming(302, Location="/next"))
        self.clock.advance(1)
        self.assertTrue(self.failureResultOf(asking, ConnectorError).value.timed_out)

    def test_what_keeps_an_answer_from_coming(self) -> None:
        for failure, result, timed_out in (
            (ConnectError(), "unreachable", False),
            (DNSLookupError("no such host"), "unreachable", False),
            (TCPTimeoutError(), "timeout", True),
            (TooLarge(), "too_large", False),
        ):
            self.metrics.calls.clear()
            self.answers(failure)
            error = self.failure("https://up.test/a?code=secret")
            self.assertEqual((error.timed_out, error.unreachable), (timed_out, not timed_out))
            self.assertEqual(self.metrics.calls, [("op", result)])
            self.assertIn("GET https://up.test/a", str(error))
            self.assertNotIn("secret", str(error))

    def test_asker_who_leaves_ends_the_call(self) -> None:
        gone: list[bool] = []
        self.answering = lambda _: Deferred(lambda _: gone.append(True))
        asking = self.asking()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual((gone, self.metrics.calls), ([True], [("op", "cancelled")]))

    def test_fault_of_ours_is_not_the_upstream_s(self) -> None:
        self.answers(ZeroDivisionError())
        self.failureResultOf(self.asking(), ZeroDivisionError)


class RedirectTests(ClientTestCase):
    def test_O12_three_are_followed_on_a_get(self) -> None:
        self.answers(*(incoming(302, Location=f"/hop{n}?q=1") for n in range(3)), incoming(200, b"end"))
        self.assertEqual(self.asked().body, b"end")
        self.assertEqual(
            [each.url for each in self.sent],
            [URL, *(f"https://up.test/hop{n}?q=1" for n in range(3))],
        )
        self.answers(incoming(301, Location="/round"))
        self.assertIn("redirects", str(self.failure()))

    def test_post_is_not_redirected(self) -> None:
        self.answers(incoming(307, Location="/next"))
        self.assertEqual(self.asked(method="POST", data={"code": "c"}).status, 307)
        self.assertEqual(len(self.sent), 1)

    def test_redirect_that_cannot_be_read(self) -> None:
        for location in ("http://[::1", "https://up.test/\xff"):
            self.answers(incoming(302, Location=location))
            self.failure()
        answer = Incoming(status=302, headers=Headers({b"Location": [b"/\xff"]}), body=b"")
        self.answers(answer)
        self.failure()

    def test_redirect_that_leads_nowhere_is_the_answer(self) -> None:
        for answer in (incoming(302), incoming(304, Location="/next"), incoming(201, Location="/next")):
            self.answers(answer)
            self.assertEqual(self.asked().status, answer.status)

    def test_O12_credentials_go_to_nobody_else(self) -> None:
        for location in ("https://other.test/", "https://up.test:444/", "http://up.test/", "//other.test/x"):
            for header in ("Authorization", "Cookie"):
                self.sent.clear()
                self.answers(incoming(302, Location=location), incoming())
                self.assertIn("redirects", str(self.failure(headers={header: "Bearer token-1"})))
                self.assertEqual(len(self.sent), 1)

    def test_O12_credentials_go_on_at_the_same_place(self) -> None:
        self.answers(incoming(302, Location="https://up.test:443/next"), incoming())
        self.asked(headers={"Authorization": "Bearer t"})
        self.assertEqual(self.header("Authorization"), ["Bearer t"])

    def test_without_credentials_another_host_is_asked_but_never_without_tls(self) -> None:
        self.answers(incoming(302, Location="https://other.test/"), incoming(200, b"there"))
        self.assertEqual(self.asked().body, b"there")
        for location in (
            "http://up.test/",
            "http://127.0.0.1/",
            "ftp://up.test/",
            "javascript:x",
            "https://a@b/",
        ):
            self.answers(incoming(302, Location=location))
            self.failure()


class BreakerTests(ClientTestCase):
    def fail(self, times: int = 1, url: str = URL) -> None:  # type: ignore[override]  # a network that fails
        self.answers(ConnectError())
        for _ in range(times):
            self.failure(url)

    def sends(self, url: str = URL) -> bool:
        """Whether a call reaches the network."""
        before = len(self.sent)
        self.failure(url)
        return len(self.sent) > before

    def test_five_failures_in_a_row_open_it_for_ten_seconds(self) -> None:
        self.fail(4)
        self.assertTrue(self.sends())
        self.assertFalse(self.sends())
        self.assertTrue(self.failure().unreachable)
        self.assertEqual(self.metrics.calls[-1], ("op", "refused"))
        self.clock.advance(9.9)
        self.assertFalse(self.sends())
        self.clock.advance(0.1)
        self.assertTrue(self.sends())
        self.assertFalse(self.sends())

    def test_then_one_call_tries_and_any_answer_closes_it(self) -> None:
        self.fail(5)
        self.clock.advance(10)
        self.answering = lambda _: Deferred()
        trial = self.asking()
        self.assertFalse(self.sends())
        self.answering = lambda _: Deferred()
        trial.cancel()
        self.failureResultOf(trial, CancelledError)
        self.answers(incoming(500))
        self.assertEqual(self.asked().status, 500)
        self.fail(4)
        self.assertTrue(self.sends())

    def test_answers_between_count_them_down_to_none(self) -> None:
        for answer in (incoming(500), TooLarge(), incoming(302, Location="ftp://up.test/")):
            self.fail(4)
            self.answers(answer)
            self.successResultOf(self.asking().addErrback(lambda _: None))
            self.fail(4)
            self.assertTrue(self.sends())
            self.clock.advance(10)
            self.answers(incoming())
            self.asked()

    def test_time_outs_count_and_askers_who_leave_do_not(self) -> None:
        self.answering = lambda _: Deferred()
        for _ in range(10):
            leaving = self.asking()
            leaving.cancel()
            self.failureResultOf(leaving, CancelledError)
        for _ in range(5):
            waiting = self.asking()
            self.clock.advance(TIME_LIMIT)
            self.failureResultOf(waiting, ConnectorError)
        self.assertFalse(self.sends())

    def test_each_host_has_its_own(self) -> None:
        self.fail(5)
        for other in ("https://other.test/", "https://up.test:444/", "http://up.test/"):
            self.assertTrue(self.sends(other))


class AnswerTests(ClientTestCase):
    def get_json(self, answer: Incoming) -> Deferred[UpstreamAnswer]:
        self.answers(answer)
        headers = {"Authorization": "Bearer token-1"}
        return Deferred.fromCoroutine(self.client.get_json(URL, operation="op", headers=headers))

    def test_O15_any_status_but_200_is_an_error_with_the_beginning_of_the_body(self) -> None:
        for status in (201, 204, 304, 401, 500):
            error = self.failureResultOf(self.get_json(incoming(status, b"x" * 5000)), ConnectorError).value
            self.assertIn(f"status {status}", str(error))
            self.assertLess(len(str(error)), EXCERPT + 200)

    def test_O15_what_was_sent_in_confidence_is_not_told(self) -> None:
        body = (
            b'no token-1 {"access_token": "abc-1", "id_token":"abc-2"} refresh_token=abc-3&x=1\n\x1b[31mred'
        )
        error = self.failureResultOf(self.get_json(incoming(500, body)), ConnectorError).value
        for secret in ("token-1", "abc-", "\n", "\x1b"):
            self.assertNotIn(secret, str(error))
        self.assertIn("x=1", str(error))

    def test_O15_half_a_secret_is_not_told_either(self) -> None:
        for before in range(EXCERPT - 10, EXCERPT + 1):
            body = b"token-1" * 9 + b"x" * before + b"token-1"
            error = self.failureResultOf(self.get_json(incoming(500, body)), ConnectorError).value
            self.assertNotIn("tok", str(error))

    def test_O15_secrets_of_forms_and_those_that_are_named(self) -> None:
        data = {
            "grant_type": "authorization_code",
            "code": "c-1",
            "client_secret": "s-1",
            "code_verifier": "v-1",
        }
        basic = base64.b64encode(b"id:s-2").decode()
        self.answers(incoming(400, f"c-1 s-1 v-1 {basic} p-1 authorization_code".encode()))
        answer = self.asked(
            method="POST", data=data, headers={"Authorization": f"Basic {basic}"}, secrets=["p-1", ""]
        )
        self.assertEqual(answer.excerpt(), "[...] [...] [...] [...] [...] authorization_code")
        self.assertNotIn("s-1", repr(answer))

    def test_O16_json(self) -> None:
        def answered(body: bytes) -> UpstreamAnswer:
            return self.successResultOf(self.get_json(incoming(200, body)))

        self.assertEqual(
            answered(b'{"id": 9007199254740993000001}').json_object()["id"], 9007199254740993000001
        )
        self.assertEqual((answered(b"null").json_object(), answered(b"null").json_list()), ({}, []))
        for body in (b"", b"{", b"<html>", b"\xff", b'{"a": NaN}', b"[" * 100_000):
            self.assertRaises(ConnectorError, answered(body).json)
        self.assertRaises(ConnectorError, answered(b"[]").json_object)
        self.assertRaises(ConnectorError, answered(b"{}").json_list)

    def test_media_type(self) -> None:
        for value, expected in (("Application/JSON; charset=utf-8", "application/json"), ("", "")):
            answer = attrs.evolve(UpstreamAnswer(status=200), headers=Headers({"Content-Type": [value]}))
            self.assertEqual(answer.media_type, expected)
        self.assertEqual(UpstreamAnswer(status=200).media_type, "")
