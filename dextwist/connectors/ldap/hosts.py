"""Which servers a directory has, and in which order they are asked."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import attrs
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.names import dns
from twisted.names.client import Resolver
from twisted.names.error import DNSNameError, DomainError

from dextwist.connectors.ldap.connection import ConnectionBroken

#: seconds for which a host that failed is passed over.
PASSED_OVER = 30.0
#: seconds for which an answer of the DNS is kept, at least and at most.
_LEAST_KEPT, _MOST_KEPT = 5.0, 300.0
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]:/\s]+))(?::(\d{1,5}))?")
_BARE_IPV6 = re.compile(r"[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,7}(?:[0-9.]*)(?:%\w+)?")


@attrs.frozen
class Host:
    """A server."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def parse_host(text: str, default_port: int) -> Host:
    """`name`, `name:port`, `[address]`, `[address]:port`, or a bare address. Raises ValueError."""
    if _BARE_IPV6.fullmatch(text):
        return Host(text, default_port)
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError("a host is a name or an address, with or without a port, and no URL")
    port = int(found[3]) if found[3] else default_port
    if not 0 < port < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return Host(found[1] or found[2], port)


class HostSource(Protocol):
    """Where the list of servers comes from."""

    async def hosts(self) -> Sequence[Host]:
        """The servers in the order in which they are preferred. Raises ConnectionBroken."""


@attrs.frozen
class ListedHosts:
    """The servers that the configuration names."""

    listed: tuple[Host, ...]

    async def hosts(self) -> Sequence[Host]:
        """As they are listed."""
        return self.listed


@attrs.define(kw_only=True, eq=False)
class LocatedHosts:
    """The servers that the DNS names (RFC 2782)."""

    log: ClassVar[Logger] = Logger()

    #: `_ldap._tcp.example.org`
    service: str
    clock: IReactorTime
    #: (name) -> Deferred of (answers, authorities, additional), as twisted.names has it.
    lookup: Callable[[str], Deferred[Any]]
    random: Callable[[], float] = random.random
    _known: tuple[Host, ...] = attrs.field(default=(), init=False)
    _known_until: float = attrs.field(default=0.0, init=False)

    async def hosts(self) -> Sequence[Host]:
        """By priority and, within one, by chance after their weights. Old ones while the DNS is silent."""
        if self._known and self.clock.seconds() < self._known_until:
            return self._known
        try:
            answers, _, _ = await self.lookup(self.service)
        except (DomainError, defer.TimeoutError, dns.DNSQueryTimeoutError, OSError) as error:
            problem = _problem(self.service, error)
            if not self._known:
                raise problem from error
            self.log.warn("{reason}: what it was last is used", reason=str(problem))
            # Whoever comes next does not wait for the DNS again.
            self._known_until = self.clock.seconds() + PASSED_OVER
            return self._known
        records = [(each.payload, each.ttl) for each in answers if each.type == dns.SRV]
        if not records or [str(payload.target) for payload, _ in records] == [""]:
            raise ConnectionBroken(f"no servers: {self.service} has no SRV records in the DNS")
        kept = min(max(_LEAST_KEPT, min(ttl for _, ttl in records)), _MOST_KEPT)
        self._known_until = self.clock.seconds() + kept
        self._known = tuple(self._ordered([payload for payload, _ in records]))
        return self._known

    def _ordered(self, records: list[dns.Record_SRV]) -> list[Host]:
        ordered = []
        remaining = sorted(records, key=lambda record: record.priority)
        while remaining:
            equal = [record for record in remaining if record.priority == remaining[0].priority]
            # Weight 0 still has a small chance (RFC 2782, usage rules).
            at = self.random() * sum(record.weight + 0.01 for record in equal)
            for chosen in equal:
                at -= chosen.weight + 0.01
                if at <= 0:
                    break
            remaining.remove(chosen)
            ordered.append(Host(str(chosen.target), chosen.port))
        return ordered


def _problem(service: str, error: Exception) -> ConnectionBroken:
    """Why there are no servers, for the operator."""
    if isinstance(error, DNSNameError):
        return ConnectionBroken(f"no servers: {service} is not in the DNS")
    if isinstance(error, defer.TimeoutError | dns.DNSQueryTimeoutError):
        return ConnectionBroken(f"no servers: the DNS does not answer for {service}", timed_out=True)
    return ConnectionBroken(f"no servers: the DNS fails for {service}: {type(error).__name__}")


def lookup_service(reactor: Any, name_servers: Sequence[tuple[str, int]], name: str) -> Deferred[Any]:
    """SRV records as these name servers give them; without any, as those of the system do."""
    # Made for this one look-up: one that is kept reads the system's file again and again.
    resolver = Resolver(servers=list(name_servers) or _name_servers_of_the_system(), reactor=reactor)
    found: Deferred[Any] = resolver.lookupService(name, timeout=(1, 2, 3))
    return found


def _name_servers_of_the_system() -> list[tuple[str, int]]:
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
        rows = [line.split() for line in file]
    servers = [(row[1], dns.PORT) for row in rows if len(row) > 1 and row[0] == "nameserver"]
    return servers or [("127.0.0.1", dns.PORT)]


@attrs.define(kw_only=True, eq=False)
class HostChoice:
    """Remembers which servers failed, so that nobody waits for them."""

    source: HostSource
    clock: IReactorTime
    _failed_until: dict[Host, float] = attrs.field(factory=dict, init=False)

    async def in_order(self) -> list[Host]:
        """Those to be tried, first things first; those that failed a while ago come last, not never."""
        now, hosts = self.clock.seconds(), await self.source.hosts()
        self._failed_until = {
            host: until for host, until in self._failed_until.items() if until > now and host in hosts
        }
        return sorted(hosts, key=lambda host: host in self._failed_until)

    def failed(self, host: Host) -> None:
        """Pass it over for a while."""
        self._failed_until[host] = self.clock.seconds() + PASSED_OVER

    def worked(self, host: Host) -> None:
        """It is as good as any other."""
        self._failed_until.pop(host, None)
