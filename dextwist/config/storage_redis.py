"""`storage.config` of the type redis, which dex does not have."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, part, secret
from dextwist.config.values import boolean, duration, integer, listen_address, readable_file, text


def server(place: Place) -> str:
    """host:port of a server."""
    if not listen_address(place).host:
        raise place.wrong("host:port")
    return text(place)


@attrs.frozen(kw_only=True)
class Sentinel:
    """Sentinels that know the primary."""

    addresses: tuple[str, ...] = key("addresses", list_of(server), ())
    service_name: str = key("serviceName", text, "")


@attrs.frozen(kw_only=True)
class Cluster:
    """Nodes that know the cluster."""

    addresses: tuple[str, ...] = key("addresses", list_of(server), ())


@attrs.frozen(kw_only=True)
class RedisTLS:
    """TLS to the servers."""

    enabled: bool = key("enabled", boolean, False)
    ca_file: str = key("caFile", readable_file, "")
    cert_file: str = key("certFile", readable_file, "")
    key_file: str = key("keyFile", readable_file, "")
    server_name: str = key("serverName", text, "")


@attrs.frozen(kw_only=True)
class Redis:
    """One server, sentinels, or a cluster."""

    address: str = key("address", server, "127.0.0.1:6379")
    unix_socket: str = key("unixSocket", text, "")
    sentinel: Sentinel = part("sentinel", Sentinel)
    cluster: Cluster = part("cluster", Cluster)
    username: str = key("username", text, "")
    password: str = secret("password", text)
    database: int = key("database", integer(minimum=0), 0)
    key_prefix: str = key("keyPrefix", text, "dextwist")
    pool_size: int = key("poolSize", integer(minimum=1), 10)
    connect_timeout: timedelta = key("connectTimeout", duration(), timedelta(seconds=2))
    operation_timeout: timedelta = key("operationTimeout", duration(), timedelta(seconds=5))
    tls: RedisTLS = part("tls", RedisTLS)
    #: replicas that must have a code's end and a token's rotation.
    wait_replicas: int = key("waitReplicas", integer(minimum=0), 0)
    wait_timeout: timedelta = key("waitTimeout", duration(), timedelta(milliseconds=100))
    #: how long after its expiry a value is dropped.
    expiry_grace: timedelta = key("expiryGrace", duration(zero=True), timedelta(minutes=5))

    def check(self, place: Place) -> None:
        ways = [name for name in ("address", "unixSocket", "sentinel", "cluster") if place.given(name)]
        for name in ways[1:]:
            place.refuse(name, f"{ways[0]} and {name} exclude each other")
        if place.given("sentinel") and not self.sentinel.service_name:
            place.refuse("sentinel.serviceName", "the sentinels' name of the primary is missing")
        if place.given("cluster") and self.database:
            place.refuse("database", "a cluster has only the database 0")
