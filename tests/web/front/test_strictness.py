"""What is malformed gets one answer and the end of its connection (WB-07), however it is cut into pieces."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.front.front_case import FrontCase, chunked, get, post, statuses

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
SMUGGLED = get("/dex/echo?smuggled")


def with_fields(fields: str, body: str = "a=1") -> str:
    return f"POST /dex/echo HTTP/1.1\r\nHost: x\r\n{FORM}{fields}\r\n{body}"


#: request lines that are none.
LINES = {
    "GET /dex/echo": 400,
    "GET  /dex/echo HTTP/1.1": 400,
    "GET /dex/echo  HTTP/1.1": 400,
    "GET /dex/echo HTTP/1.1 ": 400,
    "GET\t/dex/echo\tHTTP/1.1": 400,
    " GET /dex/echo HTTP/1.1": 400,
    "/dex/echo HTTP/1.1": 400,
    "GET /dex/echo http/1.1": 400,
    "GET /dex/echo HTTP/1.1x": 400,
    "GET /dex/echo HTTP/1": 400,
    "GET /dex/echo ICE/1.0": 400,
    "GET rtsp://x/ RTSP/1.0": 400,
    "GET /dex/echo HTTP/1.2": 505,
    "GET /dex/echo HTTP/2.0": 505,
    "GET /dex/echo HTTP/0.9": 505,
    "GET /dex/echo HTTP/9.9": 505,
    "PRI * HTTP/2.0": 505,
    "G\0T /dex/echo HTTP/1.1": 400,
    "G(T /dex/echo HTTP/1.1": 400,
    f"{'G' * 33} /dex/echo HTTP/1.1": 400,
    "\x16\x03\x01\x02\x00\x01": 400,
    # targets
    "GET dex/echo HTTP/1.1": 400,
    "GET * HTTP/1.1": 400,
    "OPTIONS * HTTP/1.1": 400,
    "CONNECT x:443 HTTP/1.1": 400,
    "GET ftp://x/dex/echo HTTP/1.1": 400,
    "GET http:///dex/echo HTTP/1.1": 400,
    "GET /dex/echo#fragment HTTP/1.1": 400,
    "GET /dex/\xe9cho HTTP/1.1": 400,
    "GET /dex/\x01echo HTTP/1.1": 400,
    "GET /dex/\x7fecho HTTP/1.1": 400,
    "GET /dex/\0echo HTTP/1.1": 400,
    f"GET /{'x' * 1000} HTTP/1.1": 414,
}

#: fields that are none, or that can be read in two ways.
FIELDS = {
    "Content-Length: 3\r\nContent-Length: 7\r\n": 400,
    "Content-Length: 3\r\nContent-Length: 3\r\n": 400,
    "Content-Length: 3, 3\r\n": 400,
    "Content-Length: -1\r\n": 400,
    "Content-Length: +3\r\n": 400,
    "Content-Length: 0x3\r\n": 400,
    "Content-Length: 1 2\r\n": 400,
    "Content-Length: 3;\r\n": 400,
    "Content-Length:\r\n": 400,
    "Content-Length: 99999999999999999999\r\n": 400,
    "Content-Length: 1000000000\r\n": 413,
    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n": 400,
    "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n": 400,
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n": 400,
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n": 400,
    "Transfer-Encoding: xchunked\r\n": 501,
    "Transfer-Encoding: chunked, identity\r\n": 501,
    "Transfer-Encoding: identity, chunked\r\n": 501,
    "Transfer-Encoding: gzip, chunked\r\n": 501,
    "Transfer-Encoding: identity\r\n": 501,
    "Transfer-Encoding: \x0bchunked\r\n": 400,
    "Transfer-Encoding:\r\n": 501,
    "Transfer-Encoding : chunked\r\n": 400,
    "Content-Length : 3\r\n": 400,
    " Content-Length: 3\r\n": 400,
    "X-Folded: a\r\n b\r\n": 400,
    "X-Folded: a\r\n\tb\r\n": 400,
    "X-Bare: a\nY: b\r\n": 400,
    "X-Bare: a\rY: b\r\n": 400,
    "X: a\r\r\n": 400,
    "X-Nul: a\0b\r\n": 400,
    "X-Control: a\x01b\r\n": 400,
    "X-Control: a\x7fb\r\n": 400,
    "Bad Name: x\r\n": 400,
    "B\xe4d: x\r\n": 400,
    ": x\r\n": 400,
    "no colon\r\n": 400,
    "Host: y\r\n": 400,
    "X: y\r\n" * 30: 431,
    f"X: {'y' * 1000}\r\n": 431,
}

#: chunked bodies that are none.
CHUNKS = {
    "zz\r\na=1\r\n0\r\n\r\n": 400,
    "-3\r\na=1\r\n0\r\n\r\n": 400,
    "+3\r\na=1\r\n0\r\n\r\n": 400,
    "0x3\r\na=1\r\n0\r\n\r\n": 400,
    "3 \r\na=1\r\n0\r\n\r\n": 400,
    " 3\r\na=1\r\n0\r\n\r\n": 400,
    "3_0\r\na=1\r\n0\r\n\r\n": 400,
    "\r\na=1\r\n0\r\n\r\n": 400,
    "3;x=y\r\na=1\r\n0\r\n\r\n": 400,
    "3\na=1\r\n0\r\n\r\n": 400,
    "3\r\na=1\n0\r\n\r\n": 400,
    "3\r\na=12\r\n0\r\n\r\n": 400,
    "3\r\na=1\r\n0\r\nTrailer: x\r\n\r\n": 400,
    "3\r\na=1\r\n0;\nGET /smuggled HTTP/1.1\r\n\r\n": 400,
    "ffffffffffffffffff\r\na": 400,
    "fffffff\r\na": 413,
    "65\r\na": 413,
}


class MalformedTests(FrontCase):
    def assert_refused(self, request: str, status: int) -> None:
        for pieces in ([request + SMUGGLED], list(request + SMUGGLED)):
            connection = self.connect()
            received = b"".join([connection.send(piece) for piece in pieces])
            self.assertEqual(statuses(received), [status], (request, len(pieces), received))
            self.assertTrue(connection.ended, request)
            self.assertIn(b"\r\nConnection: close\r\n", received)
            connection.hang_up()
        self.assertEqual(self.seen, [], request)

    def test_WB_07_request_lines(self) -> None:
        for line, status in LINES.items():
            self.assert_refused(f"{line}\r\nHost: x\r\n\r\n", status)

    def test_WB_07_fields(self) -> None:
        for fields, status in FIELDS.items():
            self.assert_refused(with_fields(fields), status)

    def test_WB_07_chunks(self) -> None:
        for body, status in CHUNKS.items():
            self.assert_refused(with_fields("Transfer-Encoding: chunked\r\n", body), status)

    def test_WB_07_no_chunks_in_HTTP_1_0(self) -> None:
        request = with_fields("Transfer-Encoding: chunked\r\n", "3\r\na=1\r\n0\r\n\r\n")
        self.assert_refused(request.replace("HTTP/1.1", "HTTP/1.0"), 400)

    def test_WB_07_bare_line_feeds(self) -> None:
        self.assert_refused("GET /dex/echo HTTP/1.1\nHost: x\n\n", 400)
        self.assert_refused("GET /dex/echo HTTP/1.1\r\nHost: x\r\n\n", 400)
        self.assert_refused("\nGET /dex/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400)

    def test_host_is_one_and_a_host(self) -> None:
        self.assert_refused("GET /dex/echo HTTP/1.1\r\n\r\n", 400)
        for host in ("x y", "x/y", "x@y", "<x>", "x, y/z"):
            self.assert_refused(get().replace("Host: x", f"Host: {host}"), 400)

    def test_what_cannot_become_a_head_is_refused_before_its_end(self) -> None:
        for begun, status in (
            ("\x16\x03\x01", 400),
            ("GET /dex/echo HTTP/1.1\n", 400),
            ("GET / HTTP/1.1\r\nX: \0", 400),
            ("GET /dex/echo HTTP/1.1\r\nX: ".ljust(1000, "y"), 431),
            ("GET /".ljust(1000, "y"), 414),
            (chunked() + "0000000003", 400),
        ):
            connection = self.connect()
            self.assertEqual(statuses(connection.send(begun)), [status], begun)
            connection.hang_up()

    def test_what_is_unusual_but_clear_is_taken(self) -> None:
        for request in (
            "\r\n" + get(),
            get("/dex/echo?a=<b>|{c}"),
            get("/dex/echo", "X:", "Y: \t ", "Z:a", "Q: \t\xe9 \t"),
            get("/dex/echo").replace("Host: x", "Host:"),
            get("/dex/echo").replace("Host: x", "hOsT: [::1]:5556"),
            with_fields("Content-Length: 003\r\n"),
            with_fields("Transfer-Encoding: Chunked\r\n", "0003\r\na=1\r\n0\r\n\r\n"),
        ):
            connection = self.connect()
            self.assertEqual(statuses(connection.send(request)), [200], request)
            self.assertFalse(connection.ended)
            connection.hang_up()

    def test_refusal_to_the_byte_and_counted(self) -> None:
        received = self.connect().send("nonsense\r\n\r\n").decode()
        self.assertEqual(
            received,
            "HTTP/1.1 400 Bad Request\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
            "Content-Length: 26\r\nConnection: close\r\n\r\nThe request is malformed.\n",
        )
        self.assertEqual(self.metrics.refused, [400])


class LimitTests(FrontCase):
    def test_every_limit_on_a_request_is_counted_by_its_key(self) -> None:
        for request, limit in (
            (get("/" + "x" * 1000), "maxRequestHead"),
            (get("/", "X: " + "x" * 1000), "maxRequestHead"),
            (get("/", *["X: y"] * 20), "maxHeaderCount"),
            (post("a" * 101), "maxBody"),
            (chunked("a" * 50, "a" * 51), "maxBody"),
        ):
            self.metrics.hit.clear()
            self.connect().send(request)
            self.assertEqual(self.metrics.hit, [limit], request)

    def test_RX_04_fields_are_counted_too(self) -> None:
        connection = self.connect()
        for request in (get("/dex/echo?" + "a=1&" * 10 + "b=2"), post("a=1&" * 10 + "b=2")):
            self.metrics.hit.clear()
            self.assertEqual(statuses(connection.send(request)), [400])
            self.assertEqual(self.metrics.hit, ["maxFields"])
        self.assertFalse(connection.ended)

    def test_what_is_just_within_the_limits_is_served(self) -> None:
        head = get("/dex/echo", "X: ")
        padding = "y" * (self.limits.max_request_head - len(head))
        connection = self.connect()
        for request in (
            get("/dex/echo", f"X: {padding}"),
            get("/dex/echo", *["X: y"] * 19),
            post("a" * 100),
            chunked("a" * 50, "a" * 50) + "0\r\n\r\n",
        ):
            self.assertEqual(statuses(connection.send(request)), [200], request)
        self.assertEqual(statuses(connection.send(get("/dex/echo", f"X: {padding}y"))), [431])


WELL_FORMED = get("/dex/echo?n=1") + post("a=1&b=2") + chunked("c=3", "&d=4") + "0\r\n\r\n" + get("/other")
STREAMS = st.one_of(
    st.just(WELL_FORMED),
    st.sampled_from([*LINES]).map(lambda line: f"{WELL_FORMED}{line}\r\nHost: x\r\n\r\n{WELL_FORMED}"),
    st.sampled_from([*FIELDS]).map(lambda fields: WELL_FORMED + with_fields(fields) + WELL_FORMED),
    st.sampled_from([*CHUNKS]).map(
        lambda body: WELL_FORMED + with_fields("Transfer-Encoding: chunked\r\n", body) + WELL_FORMED
    ),
    st.text(alphabet="GET /dex\r\n:HTP1.0,chunkedLg\0\x80", max_size=80).map(lambda junk: WELL_FORMED + junk),
)


class PiecesTests(FrontCase):
    """A connection's answers depend on what was sent, not on how the network cut it."""

    def answers(self, pieces: list[str]) -> tuple[bytes, bool]:
        connection = self.connect()
        received = b"".join([connection.send(piece) for piece in pieces])
        self.clock.advance(0)
        received += connection.received()
        ended = connection.ended
        connection.hang_up()
        return received, ended

    @settings(max_examples=150, deadline=None)
    @given(stream=STREAMS, data=st.data())
    def test_random_cuts(self, stream: str, data: st.DataObject) -> None:
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=6)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        whole = self.answers([stream])
        self.assertEqual(self.answers([piece for piece in pieces if piece]), whole)
        self.assertEqual(self.answers(list(stream)), whole)

    def test_every_single_cut(self) -> None:
        whole = self.answers([WELL_FORMED])
        self.assertEqual(statuses(whole[0]), [200] * 4)
        for cut in range(1, len(WELL_FORMED)):
            self.assertEqual(self.answers([WELL_FORMED[:cut], WELL_FORMED[cut:]]), whole, cut)

    @settings(max_examples=300, deadline=None)
    @given(junk=st.binary(min_size=1, max_size=300), before=st.booleans())
    def test_random_bytes_never_raise_and_are_answered_once_at_most(self, junk: bytes, before: bool) -> None:
        connection = self.connect()
        self.metrics.refused.clear()
        received = connection.send((get().encode() if before else b"") + junk + SMUGGLED.encode())
        self.assertLessEqual(len(self.metrics.refused), 1)
        self.assertEqual(bool(self.metrics.refused), connection.ended)
        # What is well-formed by chance may have an answer of its own.
        self.assertEqual(statuses(received)[-1:], self.metrics.refused or statuses(received)[-1:])
        connection.hang_up()
