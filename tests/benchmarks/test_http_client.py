"""The generator's HTTP client: answers split at any byte, connections that end, cookies."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.http_client import Answer, Connection, HTTPClient, WrongAnswer, parse_answer

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<p>\r\n\r\n</p>"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<p>\r\r\na;x=1\r\n\n</p>12345\r\n0\r\n\r\n"
)
REDIRECT = (
    b"HTTP/1.1 303 See Other\r\nLocation: /there\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n"
)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"


class ParsingTests(SynchronousTestCase):
    """Answers as they arrive."""

    def sent_in_parts(self, *parts: bytes) -> Answer:
        connection = Connection()
        connection.makeConnection(StringTransport())
        answered = connection.send(b"GET / HTTP/1.1\r\n\r\n")
        for part in parts:
            self.assertNoResult(answered)
            connection.dataReceived(part)
        return self.successResultOf(answered)

    def test_an_answer_is_the_same_wherever_it_is_split(self) -> None:
        for whole in (PAGE, CHUNKED, REDIRECT, NO_CONTENT):
            wanted = parse_answer(whole)
            assert wanted is not None
            for at in range(1, len(whole)):
                self.assertEqual(self.sent_in_parts(whole[:at], whole[at:]), wanted)

    def test_an_answer_may_come_byte_by_byte(self) -> None:
        self.assertEqual(self.sent_in_parts(*(bytes([byte]) for byte in PAGE)).body, b"<p>\r\n\r\n</p>")

    @given(some.lists(some.binary(min_size=1, max_size=40), max_size=5), some.data())
    def test_chunks_of_any_size_are_put_together(self, chunks: list[bytes], data: some.DataObject) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole = head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (*chunks, b""))
        at = data.draw(some.integers(1, len(whole) - 1))
        self.assertEqual(self.sent_in_parts(whole[:at], whole[at:]).body, b"".join(chunks))

    def test_fields_are_found_by_their_name_in_any_case(self) -> None:
        answer = parse_answer(REDIRECT)
        assert answer is not None
        self.assertEqual((answer.status, answer.header("location")), (303, "/there"))
        self.assertEqual(answer.header("content-type"), "")

    def test_what_is_no_answer_is_wrong(self) -> None:
        for data in (
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            PAGE + b"H",
            CHUNKED + b"H",
        ):
            self.assertRaises(WrongAnswer, parse_answer, data)


class HTTPClientTests(SynchronousTestCase):
    """A client on a network that is not there."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.client = HTTPClient(reactor=self.reactor, host="127.0.0.1", port=1, patience=10)

    def ask(self, **more: Any) -> Deferred[Answer]:
        return Deferred.fromCoroutine(self.client.request("GET", "/x", **more))

    def connected(self) -> StringTransport:
        """Accept the connection that was begun last."""
        factory = self.reactor.tcpClients[-1][2]
        factory.doStart()
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        assert protocol is not None
        self.protocol, transport = protocol, StringTransport()
        protocol.makeConnection(transport)
        return transport

    def test_a_connection_and_its_cookies_are_kept(self) -> None:
        first = self.ask()
        transport = self.connected()
        self.protocol.dataReceived(REDIRECT)
        self.successResultOf(first)
        transport.clear()
        second = self.ask(headers=["A: b"])
        self.assertEqual(
            transport.value(), b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nA: b\r\nCookie: a=1\r\n\r\n"
        )
        self.protocol.dataReceived(PAGE)
        self.assertEqual(self.successResultOf(second).status, 200)
        self.assertEqual(len(self.reactor.tcpClients), 1)

    def test_a_cookie_that_ends_is_forgotten(self) -> None:
        self.client.cookies["a"] = "1"
        answered = self.ask()
        self.connected()
        self.protocol.dataReceived(REDIRECT.replace(b"Path=/", b"Max-Age=0"))
        self.successResultOf(answered)
        self.assertEqual(self.client.cookies, {})

    def test_a_form_is_sent_with_its_length(self) -> None:
        self.ask(form={"a b": "ä"})
        transport = self.connected()
        self.assertIn(b"Content-Length: 10\r\n\r\na+b=%C3%A4", transport.value())

    def test_no_answer_in_time_is_wrong_and_the_next_request_has_a_new_connection(self) -> None:
        answered = self.ask()
        transport = self.connected()
        self.reactor.advance(10)
        wrong = self.failureResultOf(answered, WrongAnswer).value
        self.assertEqual(str(wrong), "no answer within 10 s")
        self.assertTrue(transport.disconnected)
        self.ask()
        self.assertEqual(len(self.reactor.tcpClients), 2)

    def test_a_connection_that_ends_instead_of_an_answer_is_wrong(self) -> None:
        answered = self.ask()
        self.connected()
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(answered, WrongAnswer)

    def test_a_connection_that_the_server_wants_closed_is_not_used_again(self) -> None:
        answered = self.ask()
        self.connected()
        self.protocol.dataReceived(PAGE.replace(b"Content-Type: text/html", b"Connection: close"))
        self.successResultOf(answered)
        self.ask()
        self.assertEqual(len(self.reactor.tcpClients), 2)
