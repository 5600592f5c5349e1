"""Which servers there are, and which is asked first."""

from __future__ import annotations

from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.connection import ConnectionBroken
from dextwist.connectors.ldap.hosts import Host, HostChoice, ListedHosts, LocatedHosts, parse_host
from tests.connectors.fakes import started

ONE, TWO, THREE = (Host(name, 636) for name in ("one", "two", "three"))


class ParsingTests(SynchronousTestCase):
    """Hosts as they are written."""

    def test_names_and_addresses_with_and_without_a_port(self) -> None:
        for text, name, port in (
            ("ldap.example.org", "ldap.example.org", 636),
            ("ldap.example.org:1389", "ldap.example.org", 1389),
            ("127.0.0.1:389", "127.0.0.1", 389),
            ("[2001:db8::1]", "2001:db8::1", 636),
            ("[2001:db8::1]:389", "2001:db8::1", 389),
            ("2001:db8::1", "2001:db8::1", 636),
            ("::1", "::1", 636),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1", 636),
        ):
            self.assertEqual(parse_host(text, 636), Host(name, port), text)

    def test_what_is_no_host(self) -> None:
        for text in (
            "",
            "ldap://example.org",
            "a b",
            "host:",
            "host:0",
            "host:70000",
            "host:ldap",
            "[::1",
            "a/b",
        ):
            with self.assertRaises(ValueError):
                parse_host(text, 636)

    def test_a_host_is_shown_as_it_is_written(self) -> None:
        self.assertEqual((str(Host("::1", 636)), str(Host("a", 1))), ("[::1]:636", "a:1"))


class ChoiceTests(SynchronousTestCase):
    """The order."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.choice = HostChoice(source=ListedHosts((ONE, TWO, THREE)), clock=self.clock)

    def order(self) -> list[Host]:
        return self.successResultOf(started(self.choice.in_order()))

    def test_rl12_one_that_failed_comes_last_for_a_while(self) -> None:
        self.choice.failed(ONE)
        self.assertEqual(self.order(), [TWO, THREE, ONE])
        self.clock.advance(29)
        self.assertEqual(self.order(), [TWO, THREE, ONE])
        self.clock.advance(1)
        self.assertEqual(self.order(), [ONE, TWO, THREE])

    def test_one_that_works_again_is_preferred_at_once(self) -> None:
        self.choice.failed(ONE)
        self.choice.worked(ONE)
        self.assertEqual(self.order(), [ONE, TWO, THREE])

    def test_when_all_failed_all_are_tried(self) -> None:
        for host in (ONE, TWO, THREE):
            self.choice.failed(host)
        self.assertEqual(self.order(), [ONE, TWO, THREE])


class LocatingTests(SynchronousTestCase):
    """SRV records."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[str] = []
        self.chance = 0.0
        self.answer: Deferred[Any] = succeed(([], [], []))
        self.source = LocatedHosts(
            service="_ldap._tcp.example.org",
            clock=self.clock,
            lookup=self.lookup,
            random=lambda: self.chance,
        )

    def lookup(self, name: str) -> Deferred[Any]:
        self.asked.append(name)
        return self.answer

    def records(self, *records: tuple[int, int, str], ttl: int = 60) -> None:
        answers = [
            dns.RRHeader(type=dns.SRV, ttl=ttl, payload=dns.Record_SRV(priority, weight, 389, target))
            for priority, weight, target in records
        ]
        self.answer = succeed((answers, [], []))

    def names(self) -> list[str]:
        return [host.name for host in self.successResultOf(started(self.source.hosts()))]

    def test_a_lower_priority_comes_first(self) -> None:
        self.records((20, 100, "c"), (10, 0, "a"))
        self.assertEqual(self.names(), ["a", "c"])
        self.assertEqual(self.asked, ["_ldap._tcp.example.org"])

    def test_weights_are_chances(self) -> None:
        for chance, expected in ((0.0, "light"), (0.2, "light"), (0.3, "heavy"), (0.99, "heavy")):
            self.setUp()
            self.chance = chance
            self.records((10, 25, "light"), (10, 75, "heavy"))
            self.assertEqual(self.names()[0], expected)

    def test_an_answer_is_kept_for_its_time(self) -> None:
        self.records((10, 0, "a"), ttl=60)
        self.names()
        self.records((10, 0, "b"))
        self.clock.advance(59)
        self.assertEqual(self.names(), ["a"])
        self.clock.advance(1)
        self.assertEqual(self.names(), ["b"])

    def test_what_was_known_is_used_while_the_dns_is_silent(self) -> None:
        self.records((10, 0, "a"))
        self.names()
        self.clock.advance(1000)
        self.answer = fail(DNSServerError())
        self.assertEqual(self.names(), ["a"])
        self.names()
        self.assertEqual(len(self.asked), 2)  # and nobody else waits for it
        self.clock.advance(30)
        self.names()
        self.assertEqual(len(self.asked), 3)

    def test_no_servers_at_all(self) -> None:
        answers: list[tuple[Deferred[Any], str, bool]] = [
            (succeed(([], [], [])), "_ldap._tcp.example.org has no SRV records", False),
            (fail(DNSNameError()), "_ldap._tcp.example.org is not in the DNS", False),
            (fail(DNSServerError()), "the DNS fails for _ldap._tcp.example.org: DNSServerError", False),
            (fail(defer.TimeoutError()), "the DNS does not answer for _ldap._tcp.example.org", True),
        ]
        for self.answer, words, timed_out in answers:
            self.refused(words, timed_out)
        self.records((0, 0, ""))  # the root: there is no such service (RFC 2782)
        self.refused("has no SRV records", False)

    def refused(self, words: str, timed_out: bool) -> None:
        error = self.failureResultOf(started(self.source.hosts()), ConnectionBroken).value
        assert isinstance(error, ConnectionBroken)
        self.assertIn(words, str(error))
        self.assertEqual(error.timed_out, timed_out)
