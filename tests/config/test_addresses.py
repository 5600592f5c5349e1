"""Addresses to listen on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import TCP4ServerEndpoint, UNIXServerEndpoint, serverFromString
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.addresses import InvalidAddress, ListenAddress, parse_listen_address

REFUSED = {
    "127.0.0.1": "port number",
    "5556": "port number",
    ":": "port number",
    "host:": "port number",
    "host:http": "port number",
    "host:65536": "65535",
    "host:-1": "port number",
    "::1:5556": "brackets",
    "[::1]": "port number",
    "[nonsense]:1": "IPv6",
    "[127.0.0.1]:1": "IPv6",
    "two words:1": "host name",
    "http://127.0.0.1:1": "URL",
    "unix:relative": "begins with /",
    "unix:": "begins with /",
    "host:\u0665": "port number",
    "": "port number",
}


class ListenAddressTest(SynchronousTestCase):
    def test_hosts_and_ports(self) -> None:
        for text, host, port, endpoint in (
            ("127.0.0.1:5556", "127.0.0.1", 5556, "tcp:5556:interface=127.0.0.1"),
            ("localhost:80", "localhost", 80, "tcp:80:interface=localhost"),
            (":5556", "", 5556, "tcp:5556"),
            ("0.0.0.0:0", "0.0.0.0", 0, "tcp:0:interface=0.0.0.0"),
            ("[::1]:5556", "::1", 5556, "tcp:5556:interface=\\:\\:1"),
        ):
            address = parse_listen_address(text)
            self.assertEqual(address, ListenAddress(host=host, port=port))
            self.assertEqual((address.endpoint, str(address)), (endpoint, text))

    def test_a_unix_socket(self) -> None:
        address = parse_listen_address("unix:/run/dex:1.sock")
        self.assertEqual(address.unix_path, "/run/dex:1.sock")
        self.assertEqual((str(address), address.endpoint), ("unix:/run/dex:1.sock", "unix:/run/dex\\:1.sock"))

    def test_twisted_understands_the_endpoints(self) -> None:
        tcp = serverFromString(MemoryReactor(), parse_listen_address("[::1]:5556").endpoint)
        assert isinstance(tcp, TCP4ServerEndpoint)
        self.assertEqual((tcp._port, tcp._interface), (5556, "::1"))
        unix = serverFromString(MemoryReactor(), parse_listen_address("unix:/run/a:b").endpoint)
        assert isinstance(unix, UNIXServerEndpoint)
        self.assertEqual(unix._address, "/run/a:b")

    def test_anything_else_is_refused_with_a_reason(self) -> None:
        for text, word in REFUSED.items():
            with self.assertRaises(InvalidAddress, msg=text) as raised:
                parse_listen_address(text)
            self.assertIn(word, str(raised.exception), text)

    @given(st.text(alphabet="0123456789abf:[].-_/% unix") | st.text())
    def test_what_is_accepted_is_written_back_to_the_same_address(self, text: str) -> None:
        try:
            address = parse_listen_address(text)
        except InvalidAddress:
            return
        self.assertEqual(parse_listen_address(str(address)), address)
