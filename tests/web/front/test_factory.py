"""All connections together: how many there may be, and how they are brought to an end."""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs as captured_logs

from tests.web.front.front_case import LIMITS, Connection, FrontCase, body_of, get, statuses


class NumberTests(FrontCase):
    def busy(self, count: int) -> list[Connection]:
        """So many connections that wait for their answers."""
        connections = [self.connect() for _ in range(count)]
        for connection in connections:
            connection.send(get("/dex/slow"))
        return connections

    def test_open_connections_are_told(self) -> None:
        first, _ = self.connect(), self.connect()
        first.hang_up()
        self.assertEqual(self.metrics.connections, [1, 2, 1])

    def test_longest_idle_one_makes_room(self) -> None:
        self.busy(3)
        first, second = self.connect(), self.connect()
        first.send(get())
        newest = self.connect()
        self.assertEqual([each.ended for each in (first, second, newest)], [False, True, False])
        self.assertEqual(self.metrics.hit, ["maxConnections"])
        self.assertEqual(statuses(newest.send(get())), [200])

    def test_one_that_sends_a_request_is_not_idle(self) -> None:
        self.busy(4)
        reading = self.connect()
        reading.send("GET /dex")
        self.assertTrue(self.connect().ended)
        self.assertFalse(reading.ended)

    def test_too_many_busy_ones_are_told(self) -> None:
        self.busy(5)
        refused = self.connect()
        received = refused.received()
        self.assertEqual(statuses(received), [503])
        self.assertIn(b"\r\nRetry-After: 5\r\n", received)
        self.assertTrue(refused.ended)
        self.assertEqual(refused.send(get()), b"")
        self.assertEqual((self.metrics.hit, self.metrics.refused), (["maxConnections"], [503]))

    def test_far_too_many_are_closed_without_a_word(self) -> None:
        self.busy(5)
        told = [self.connect() for _ in range(100)]
        silent = self.connect()
        self.assertTrue(all(statuses(each.received()) == [503] for each in told))
        self.assertEqual(silent.received(), b"")
        self.assertTrue(silent.transport.aborted)
        silent.hang_up()
        self.assertEqual(self.metrics.connections[-1], 105)

    def test_room_comes_back(self) -> None:
        connections = self.busy(5)
        connections[0].hang_up()
        self.assertFalse(self.connect().ended)


class NumberOfAnAddressTests(FrontCase):
    limits = attrs.evolve(LIMITS, max_connections_per_address=2)

    def test_each_address_has_its_share(self) -> None:
        first, _, third = (self.connect() for _ in range(3))
        self.assertEqual(statuses(third.received()), [503])
        self.assertEqual(self.metrics.hit, ["maxConnectionsPerAddress"])
        self.assertFalse(self.connect(host="192.0.2.8").ended)
        first.hang_up()
        third.hang_up()
        self.assertFalse(self.connect().ended)


class DrainingTests(FrontCase):
    def drain(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.front.drain(timeout=30))

    def test_nothing_to_wait_for(self) -> None:
        self.successResultOf(self.drain())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_RL_15_idle_connections_are_closed_at_once(self) -> None:
        fresh, kept = self.connect(), self.connect()
        kept.send(get())
        drained = self.drain()
        self.assertTrue(fresh.ended)
        self.assertTrue(kept.ended)
        for connection in (fresh, kept):
            connection.hang_up()
        self.successResultOf(drained)

    def test_RL_15_TLS_client_that_says_no_goodbye_is_not_waited_for(self) -> None:
        kept, slow = self.connect(tls=True), self.connect(tls=True)
        slow.transport.full = True
        slow.send(get("/dex/large"))
        kept.send(get())
        drained = self.drain()
        self.clock.pump([1] * 3)
        self.assertEqual((True, False), (kept.transport.aborted, slow.transport.aborted))
        kept.hang_up()
        slow.hang_up()
        self.successResultOf(drained)

    def test_RL_15_requests_under_way_are_answered_and_their_connections_end(self) -> None:
        asked, asking = self.connect(), self.connect()
        asked.send(get("/dex/slow"))
        asking.send("GET /dex/echo HTTP/1.1\r\n")
        drained = self.drain()
        answer = asking.send("Host: x\r\n\r\n" + get())
        self.gates[0].callback(None)
        for received in (answer, asked.received()):
            self.assertEqual(statuses(received), [200])
            self.assertIn(b"\r\nConnection: close\r\n", received)
        self.assertTrue(asked.ended)
        self.assertNoResult(drained)
        asked.hang_up()
        asking.hang_up()
        self.successResultOf(drained)

    def test_no_new_connections(self) -> None:
        self.connect().send(get("/dex/slow"))
        self.drain()
        self.assertTrue(self.connect().transport.aborted)

    def test_RL_16_waiting_has_an_end_and_a_word(self) -> None:
        asked, slow = self.connect(), self.connect()
        asked.send(get("/dex/slow"))
        slow.send(get("/dex/large", "Connection: close"))
        slow.received()
        drained = self.drain()
        with captured_logs() as events:
            self.clock.pump([1] * 30)
        self.assertEqual([event["count"] for event in events if "count" in event], [1])
        received = asked.received()
        self.assertEqual(statuses(received), [503])
        self.assertEqual(body_of(received), b"The server is stopping.\n")
        self.assertTrue(slow.transport.aborted)
        self.gates[0].callback(None)
        self.assertEqual(asked.received(), b"", "the late answer is not sent")
        self.clock.advance(1)
        self.successResultOf(drained)
