"""Whose address counts, row by row (31.2)."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.client_address import ClientAddresses

TEN, HOME, DOC = "10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"


def trusting(*networks: str) -> ClientAddresses:
    return ClientAddresses(
        header="x-forwarded-for", trusted=tuple(ipaddress.ip_network(network) for network in networks)
    )


class ClientAddressTests(SynchronousTestCase):
    def test_31_2_rows(self) -> None:
        for networks, peer, header, expected in [
            ((TEN,), "10.1.2.3", "203.0.113.9", "203.0.113.9"),
            ((TEN, HOME), "192.168.5.5", "203.0.113.9", "203.0.113.9"),
            ((TEN,), "203.0.113.1", "198.51.100.7", "203.0.113.1"),
            ((), "203.0.113.1", "198.51.100.7", "203.0.113.1"),
            ((TEN,), "10.1.2.3", None, "10.1.2.3"),
            ((TEN,), "10.1.2.3", "not-an-ip", "10.1.2.3"),
            ((DOC,), "2001:db8::1", "203.0.113.9", "203.0.113.9"),
            ((TEN,), "10.1.2.3", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ((TEN, HOME), "10.1.2.3", "203.0.113.9, 192.168.1.1, 10.9.9.9", "203.0.113.9"),
            ((TEN,), "10.1.2.3", "1.2.3.4, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
            ((TEN,), "10.1.2.3", "203.0.113.9, garbage, 10.1.2.3", "10.1.2.3"),
            ((TEN,), "10.1.2.3", "10.9.9.9, 10.1.2.3", "10.1.2.3"),
        ]:
            lines = [] if header is None else [header]
            self.assertEqual(trusting(*networks).of(peer, lines), expected, (networks, peer, header))

    def test_31_2_peers_as_they_are_where_there_is_no_header(self) -> None:
        for peer in ("192.168.1.10", "2001:db8::1", "fe80::1%eth0", "@", ""):
            self.assertEqual(ClientAddresses().of(peer, ()), peer)

    def test_peer_that_has_no_address_is_never_trusted(self) -> None:
        self.assertEqual(trusting("0.0.0.0/0", "::/0").of("@", ["203.0.113.9"]), "@")

    def test_30_5_lines_of_the_header_are_one_list(self) -> None:
        lines = ["198.51.100.7", "203.0.113.9, 10.4.4.4", "10.1.2.3"]
        self.assertEqual(trusting(TEN).of("10.1.2.3", lines), "203.0.113.9")

    def test_empty_elements_end_the_walk(self) -> None:
        for header in ("", "203.0.113.9,", "203.0.113.9, ,10.1.1.1"):
            self.assertEqual(trusting(TEN).of("10.1.2.3", [header]), "10.1.2.3", header)

    def test_ports_and_other_spellings_end_the_walk(self) -> None:
        for hop in ("203.0.113.9:80", "[2001:db8::9]", "203.0.113.09", "203.0.113", "0xcb007109"):
            self.assertEqual(trusting(TEN).of("10.1.2.3", ["198.51.100.7, " + hop]), "10.1.2.3", hop)

    def test_families_are_not_mixed_up(self) -> None:
        self.assertEqual(trusting("0.0.0.0/0").of("2001:db8::1", ["203.0.113.9"]), "2001:db8::1")
        self.assertEqual(trusting("::/0").of("10.1.2.3", ["203.0.113.9"]), "10.1.2.3")

    def test_ipv4_proxy_is_known_on_a_socket_of_both_families(self) -> None:
        self.assertEqual(trusting(TEN).of("::ffff:10.1.2.3", ["203.0.113.9"]), "203.0.113.9")
        self.assertEqual(trusting(TEN).of("::ffff:203.0.113.1", ["198.51.100.7"]), "::ffff:203.0.113.1")
        self.assertEqual(trusting(TEN).of("10.1.2.3", ["203.0.113.9, ::ffff:10.4.4.4"]), "203.0.113.9")

    @settings(deadline=None)
    @given(st.lists(st.text()))
    def test_strangers_cannot_say_who_they_are(self, lines: list[str]) -> None:
        self.assertEqual(trusting(TEN, DOC).of("203.0.113.1", lines), "203.0.113.1")

    @settings(deadline=None)
    @given(st.lists(st.one_of(st.text(), st.ip_addresses().map(str))))
    def test_answer_is_the_peer_or_an_address_that_is_not_trusted(self, hops: list[str]) -> None:
        found = trusting(TEN).of("10.1.2.3", [", ".join(hops)])
        if found != "10.1.2.3":
            self.assertNotIn(ipaddress.ip_address(found), ipaddress.ip_network(TEN))
