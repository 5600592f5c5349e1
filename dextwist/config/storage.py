"""`storage`: which engine keeps the state, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from dextwist.config.places import Place
from dextwist.config.reading import key, part, secret, section
from dextwist.config.storage_redis import Redis
from dextwist.config.typed import read_typed
from dextwist.config.values import boolean, choice, integer, port, readable_file, text, texts

_POSTGRES_MODES = ("disable", "require", "verify-ca", "verify-full")
_MYSQL_MODES = ("true", "false", "skip-verify", "custom")


def mysql_mode(place: Place) -> str:
    """A mode of MySQL's TLS; two of them look like booleans."""
    value = place.node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return choice(_MYSQL_MODES)(place)


@attrs.frozen(kw_only=True)
class Memory:
    """Nothing outlives the process."""


@attrs.frozen(kw_only=True)
class SQLite3:
    """A file."""

    file: str = key("file", text, "", missing="the path of the database is missing")


@attrs.frozen(kw_only=True)
class TLSFiles:
    """Files for connections with TLS."""

    ca_file: str = key("caFile", readable_file, "")
    cert_file: str = key("certFile", readable_file, "")
    key_file: str = key("keyFile", readable_file, "")


@attrs.frozen(kw_only=True)
class PostgresTLS(TLSFiles):
    """TLS as libpq has it."""

    mode: str = key("mode", choice(_POSTGRES_MODES), "verify-full")


@attrs.frozen(kw_only=True)
class MySQLTLS(TLSFiles):
    """TLS as the Go driver has it; any of the files makes the mode `custom`."""

    mode: str = key("mode", mysql_mode, "true")


@attrs.frozen(kw_only=True)
class SQLServer:
    """What PostgreSQL and MySQL share. Zero: the engine's default."""

    database: str = key("database", text, "")
    user: str = key("user", text, "")
    password: str = secret("password", text)
    host: str = key("host", text, "")
    port: int = key("port", port, 0)
    #: seconds.
    connection_timeout: int = key("connectionTimeout", integer(minimum=0), 0)
    max_open_conns: int = key("maxOpenConns", integer(), 0)
    max_idle_conns: int = key("maxIdleConns", integer(), 0)
    #: seconds; None: for ever.
    conn_max_lifetime: int | None = key("connMaxLifetime", integer(minimum=0), None)


@attrs.frozen(kw_only=True)
class Postgres(SQLServer):
    """PostgreSQL."""

    ssl: PostgresTLS = part("ssl", PostgresTLS)


@attrs.frozen(kw_only=True)
class MySQL(SQLServer):
    """MySQL. A host that begins with `/` is a Unix socket."""

    ssl: MySQLTLS = part("ssl", MySQLTLS)


@attrs.frozen(kw_only=True)
class EtcdTLS(TLSFiles):
    """TLS is on when any of these is set."""

    server_name: str = key("serverName", text, "")


@attrs.frozen(kw_only=True)
class Etcd:
    """etcd."""

    endpoints: tuple[str, ...] = key("endpoints", texts, (), missing="the endpoints are missing")
    #: in front of every key, as it is.
    namespace: str = key("namespace", text, "")
    username: str = key("username", text, "")
    password: str = secret("password", text)
    ssl: EtcdTLS = part("ssl", EtcdTLS)


@attrs.frozen(kw_only=True)
class Kubernetes:
    """Custom resources of a cluster: the one this runs in, or one that a file describes."""

    in_cluster: bool = key("inCluster", boolean, False)
    kube_config_file: str = key("kubeConfigFile", readable_file, "")
    #: whether the custom resource definitions are made or only looked for.
    crd_handling: str = key("crdHandling", choice(("ensure", "check")), "ensure")

    def check(self, place: Place) -> None:
        file = place.given("kubeConfigFile")
        if self.in_cluster and file:
            place.refuse("kubeConfigFile", "cannot specify both 'inCluster' and 'kubeConfigFile'")
        if not self.in_cluster and not file:
            place.refuse("", "must specify either 'inCluster' or 'kubeConfigFile'")


Engine = Memory | SQLite3 | Postgres | MySQL | Etcd | Kubernetes | Redis

_ENGINES: Mapping[str, type[Engine]] = {
    "memory": Memory,
    "sqlite3": SQLite3,
    "postgres": Postgres,
    "mysql": MySQL,
    "etcd": Etcd,
    "kubernetes": Kubernetes,
    "redis": Redis,
}


@attrs.frozen(kw_only=True)
class Storage:
    """The engine by its type, and that type's own keys."""

    type: str = "memory"
    config: Engine = Memory()


def storage(place: Place) -> Storage:
    """Reads the section."""
    typed = read_typed(place, _ENGINES, "storage")
    return Storage(type=typed.type, config=section(typed.config.expanded(), _ENGINES[typed.type]))
