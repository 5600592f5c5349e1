"""A connection's life: answers in order, each exactly framed, and an end that loses none of them."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.web.front.front_case import EPOCH, FrontCase, body_of, chunked, get, post, statuses

FIELDS = f"{EPOCH}Content-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"


class AnswerTests(FrontCase):
    def test_answer_to_the_byte(self) -> None:
        answer = self.connect().send(get("/dex/echo?a=1%20b"))
        body = "/dex/echo (('a', '1 b'),) ()"
        self.assertEqual(
            answer.decode(), f"HTTP/1.1 200 OK\r\n{FIELDS}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def test_form_by_length_and_in_chunks(self) -> None:
        connection = self.connect()
        for request in (post("a=1&b=2"), chunked("a=1", "&", "b=2") + "0\r\n\r\n"):
            self.assertIn(b"(('a', '1'), ('b', '2'))", connection.send(request))
        self.assertFalse(connection.ended)

    def test_refusals_of_HEAD_have_no_body_either(self) -> None:
        for fields, status in (("Content-Length: 1000", 413), ("X: " + "y" * 1000, 431), ("Host: y", 400)):
            answer = self.connect().send(get("/dex/echo", fields, method="HEAD"))
            self.assertEqual(statuses(answer), [status])
            self.assertEqual(body_of(answer), b"")
            self.assertNotEqual(body_of(self.connect().send(get("/dex/echo", fields))), b"")

    def test_HEAD_is_GET_without_the_body(self) -> None:
        connection = self.connect()
        whole, head = connection.send(get()), connection.send(get(method="HEAD"))
        self.assertEqual(head, whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def test_date_follows_the_clock(self) -> None:
        connection = self.connect()
        self.clock.advance(61)
        self.assertIn(b"Date: Thu, 01 Jan 1970 00:01:01 GMT\r\n", connection.send(get()))

    def test_home_is_at_the_issuers_path(self) -> None:
        self.assertEqual(statuses(self.connect().send(get("/dex"))), [200])

    def test_variable_segment_is_decoded_once(self) -> None:
        self.assertEqual(body_of(self.connect().send(get("/dex/of/a%2Fb%2520c"))), b"a/b%20c")

    def test_absolute_target_is_read_as_its_path(self) -> None:
        connection = self.connect()
        for target in ("http://evil.example/dex/echo?a=1", "HTTPS://x:8/dex/echo?a=1"):
            self.assertIn(b"/dex/echo (('a', '1'),)", connection.send(get(target)))

    def test_other_methods_are_the_routes_business(self) -> None:
        answer = self.connect().send(get(method="DELETE"))
        self.assertEqual(statuses(answer), [405])
        self.assertIn(b"\r\nAllow: GET, HEAD, POST\r\n", answer)

    def test_bug_is_an_answer(self) -> None:
        connection = self.connect()
        self.assertEqual(statuses(connection.send(get("/dex/broken"))), [500])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(statuses(connection.send(get())), [200])

    def test_peer_is_the_connections(self) -> None:
        self.connect().send(get())
        self.assertEqual(self.seen[0].peer, "192.0.2.7")


class ConnectionTests(FrontCase):
    def test_is_kept_or_ends_as_the_client_wants(self) -> None:
        for version, fields, kept, said in (
            ("1.1", (), True, None),
            ("1.1", ("Connection: close",), False, b"close"),
            ("1.1", ("Connection: x, CLOSE",), False, b"close"),
            ("1.0", (), False, b"close"),
            ("1.0", ("Connection: keep-alive",), True, b"keep-alive"),
            ("1.0", ("Connection: keep-alive", "Connection: close"), False, b"close"),
        ):
            connection = self.connect()
            answer = connection.send(get("/dex/echo", *fields, version=version))
            head = answer.partition(b"\r\n\r\n")[0]
            self.assertEqual(not connection.ended, kept, (version, fields))
            self.assertEqual(head.partition(b"\r\nConnection: ")[2] or None, said)
            connection.hang_up()

    def test_HTTP_1_0_needs_no_host(self) -> None:
        self.assertEqual(statuses(self.connect().send("GET /dex/echo HTTP/1.0\r\n\r\n")), [200])

    def test_ends_with_half_a_close_so_that_the_answer_is_not_lost(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/echo", "Connection: close"))
        self.assertTrue(connection.transport.write_closed)
        self.assertFalse(connection.transport.disconnecting)
        self.assertEqual(connection.send(get()), b"", "what comes after the end is thrown away")
        connection.channel.writeConnectionLost()
        connection.channel.readConnectionLost()
        self.assertTrue(connection.transport.disconnecting)

    def test_client_that_does_not_close_its_half_is_cut(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/echo", "Connection: close"))
        connection.channel.writeConnectionLost()
        self.clock.pump([1, 1, 1])
        self.assertTrue(connection.transport.aborted)

    def test_client_that_goes_on_sending_after_the_end_is_cut(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/echo", "Connection: close"))
        for _ in range(9):
            self.assertFalse(connection.transport.aborted)
            connection.send(b"x" * (1 << 20))
        self.assertTrue(connection.transport.aborted)

    def test_TLS_closes_in_its_own_way(self) -> None:
        connection = self.connect(tls=True)
        connection.send(get("/dex/echo", "Connection: close"))
        self.assertTrue(connection.transport.disconnecting)
        self.assertFalse(connection.transport.write_closed)

    def test_upgrade_is_not_taken(self) -> None:
        fields = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
        connection = self.connect()
        self.assertIn(b"(('a', '1'),)", connection.send(post("a=1", *fields)))
        self.assertEqual(statuses(connection.send(get())), [200])

    def test_client_that_ends_its_half_still_gets_its_answers(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/slow") + get())
        connection.channel.readConnectionLost()
        self.assertFalse(connection.ended)
        self.gates[0].callback(None)
        self.assertEqual(statuses(connection.received()), [200, 200])
        self.assertTrue(connection.transport.disconnecting)

    def test_client_that_ends_its_half_without_a_whole_request_gets_none(self) -> None:
        for begun in ("", "GET /dex", post("a=1")[:-1]):
            connection = self.connect()
            self.assertEqual(connection.send(begun) if begun else b"", b"")
            connection.channel.readConnectionLost()
            self.assertTrue(connection.transport.disconnecting)
            self.assertEqual(connection.received(), b"")

    def test_work_goes_on_when_the_client_has_gone_and_is_not_answered(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/slow"))
        connection.hang_up()
        self.gates[0].callback(None)
        self.assertEqual(self.finished, ["/dex/slow"])
        self.assertEqual(connection.received(), b"")


class ExpectTests(FrontCase):
    def test_client_that_waits_is_told_to_go_on(self) -> None:
        connection = self.connect()
        request = post("a=1", "Expect: 100-Continue")
        self.assertEqual(connection.send(request[:-3]), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertEqual(statuses(connection.send("a=1")), [200])

    def test_client_that_did_not_wait_is_not(self) -> None:
        request = post("a=1", "Expect: 100-continue")
        self.assertEqual(statuses(self.connect().send(request)), [200])
        connection = self.connect()
        self.assertEqual(statuses(connection.send(request[:-1]) + connection.send(request[-1:])), [200])

    def test_client_that_is_slow_to_take_the_word_can_still_go_on(self) -> None:
        connection = self.connect()
        connection.transport.full = True
        request = post("a=1", "Expect: 100-continue")
        self.assertEqual(connection.send(request[:-3]), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertFalse(connection.transport.reading)
        connection.transport.full = False
        connection.channel.resumeProducing()
        self.assertTrue(connection.transport.reading)
        self.assertEqual(statuses(connection.send("a=1")), [200])

    def test_too_large_a_body_is_refused_before_it_is_sent(self) -> None:
        request = get("/dex/echo", "Content-Length: 101", "Expect: 100-continue", method="POST")
        self.assertEqual(statuses(self.connect().send(request)), [413])

    def test_other_expectations_fail(self) -> None:
        self.assertEqual(statuses(self.connect().send(get("/dex/echo", "Expect: tea"))), [417])

    def test_old_clients_expect_nothing(self) -> None:
        request = get("/dex/echo", "Content-Length: 3", "Expect: tea", method="POST", version="1.0")
        self.assertEqual(self.connect().send(request), b"")


class PipeliningTests(FrontCase):
    def test_answers_come_in_order_however_slow_the_first_is(self) -> None:
        connection = self.connect()
        self.assertEqual(connection.send(get("/dex/slow") + get("/dex/echo?n=2") + get("/dex/of/3")), b"")
        self.assertEqual(len(self.seen), 1, "the second waits for the first")
        self.gates[0].callback(None)
        received = connection.received()
        self.assertEqual(statuses(received), [200, 200, 200])
        self.assertLess(received.index(b"slow"), received.index(b"'2'"))
        self.assertTrue(received.endswith(b"3"))

    def test_reading_pauses_while_something_waits(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/slow"))
        self.assertTrue(connection.transport.reading)
        connection.send(get())
        self.assertFalse(connection.transport.reading)
        self.gates[0].callback(None)
        self.assertTrue(connection.transport.reading)

    def test_other_connections_have_their_turn(self) -> None:
        connection = self.connect()
        self.assertEqual(len(statuses(connection.send(get() * 20))), 8)
        self.assertFalse(connection.transport.reading)
        self.clock.advance(0)
        self.assertEqual(len(statuses(connection.received())), 12)
        self.assertTrue(connection.transport.reading)

    def test_client_that_goes_between_turns_is_forgotten(self) -> None:
        connection = self.connect()
        connection.send(get() * 20)
        connection.hang_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_answered_after_a_close(self) -> None:
        received = self.connect().send(get() + get("/dex/echo", "Connection: close") + get())
        self.assertEqual(statuses(received), [200, 200])

    def test_what_waits_is_read_and_thrown_away_after_a_close(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/slow", "Connection: close") + get())
        connection.send(get())
        self.assertFalse(connection.transport.reading)
        self.gates[0].callback(None)
        self.assertEqual(statuses(connection.received()), [200])
        self.assertTrue(connection.transport.reading)

    def test_paths_of_twisted_web_do_not_nest(self) -> None:
        connection = self.connect()
        received = connection.send(get("/dex/slow") + get("/other") * 2000)
        self.gates[0].callback(None)
        self.clock.advance(0)
        received += connection.received()
        self.assertEqual(statuses(received), [200] * 2001)


class SlowReaderTests(FrontCase):
    def test_nothing_more_is_read_or_answered_until_the_answers_are_taken(self) -> None:
        connection = self.connect()
        connection.transport.full = True
        self.assertEqual(statuses(connection.send(get("/dex/large") + get())), [200])
        self.assertFalse(connection.transport.reading)
        self.assertEqual(connection.send(get()), b"")
        connection.transport.full = False
        connection.channel.resumeProducing()
        self.assertEqual(statuses(connection.received()), [200, 200])
        self.assertTrue(connection.transport.reading)

    def test_client_that_takes_nothing_is_cut(self) -> None:
        connection = self.connect()
        connection.transport.full = True
        connection.send(get("/dex/large"))
        self.clock.pump([1] * 19)
        self.assertFalse(connection.ended)
        self.clock.advance(1)
        self.assertTrue(connection.transport.aborted)
        self.assertEqual(self.metrics.hit, ["writeTimeout"])

    def test_client_that_took_all_in_the_end_hit_no_limit(self) -> None:
        connection = self.connect()
        connection.transport.full = True
        connection.send(get("/dex/large", "Connection: close"))
        self.clock.pump([1] * 19)
        connection.channel.writeConnectionLost()
        self.clock.pump([1] * 2)
        self.assertTrue(connection.transport.aborted)
        self.assertEqual(self.metrics.hit, [])


class TimeTests(FrontCase):
    def pass_seconds(self, seconds: int) -> None:
        self.clock.pump([1] * seconds)

    def test_RX_01_head_that_drips_in_is_cut(self) -> None:
        connection = self.connect()
        connection.send("GET /dex/echo HTTP/1.1\r\n")
        for _ in range(9):
            self.assertEqual(connection.send("X: y\r\n"), b"")
            self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual(statuses(connection.received()), [408])
        self.assertTrue(connection.ended)
        self.assertEqual(self.metrics.hit, ["headerTimeout"])

    def test_RX_02_body_that_drips_in_is_cut(self) -> None:
        connection = self.connect()
        connection.send(post("a" * 90)[:-90])
        for _ in range(29):
            self.assertEqual(connection.send("a"), b"")
            self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual(statuses(connection.received()), [408])
        self.assertTrue(connection.ended)
        self.assertEqual(self.metrics.hit, ["bodyTimeout"])

    def test_idle_connection_is_closed_without_a_word(self) -> None:
        connection = self.connect()
        self.pass_seconds(70)
        connection.send(get())
        self.pass_seconds(74)
        self.assertFalse(connection.ended)
        self.pass_seconds(1)
        self.assertTrue(connection.ended)
        self.assertEqual(connection.received(), b"")
        self.assertEqual(self.metrics.hit, ["idleTimeout"])

    def test_endpoint_may_take_its_time(self) -> None:
        connection = self.connect()
        connection.send(get("/dex/slow"))
        self.pass_seconds(200)
        self.assertFalse(connection.ended)
        self.gates[0].callback(None)
        self.assertEqual(statuses(connection.received()), [200])

    def test_no_timer_is_left_with_the_last_connection(self) -> None:
        first, second = self.connect(), self.connect()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1, "one for all")
        first.hang_up()
        second.hang_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ContextTests(FrontCase):
    def test_requests_do_not_share_their_context(self) -> None:
        first, second = self.connect(), self.connect()
        first.send(get("/dex/slow"))
        second.send(get("/dex/slow"))
        ids = {request.request_id for request in self.seen}
        self.assertEqual(len(ids), 2)
        gate: Deferred[None]
        for gate in self.gates:
            gate.callback(None)
        self.assertEqual(statuses(first.received() + second.received()), [200, 200])
