"""Whose address a request comes from, where trusted proxies stand in front (`web.clientRemoteIP`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import attrs

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@attrs.frozen(kw_only=True)
class ClientAddresses:
    """Finds the client's address. Only what trusted proxies say is believed."""

    #: lower case; empty: no header is read.
    header: str = ""
    trusted: tuple[Network, ...] = ()

    def of(self, peer: str, lines: Sequence[str]) -> str:
        """The address of the client, given the TCP peer's and the lines of the header."""
        if not self._is_trusted(peer):
            return peer
        for hop in reversed([hop.strip() for line in lines for hop in line.split(",")]):
            if _address(hop) is None:
                return peer
            if not self._is_trusted(hop):
                return hop
        return peer

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(
            address.version == network.version and address in network for network in self.trusted
        )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A socket that takes both families shows IPv4 peers so (RFC 4291 §2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
