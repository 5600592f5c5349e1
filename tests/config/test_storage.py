"""Engines and their keys. The engines that are not built are read, too, before they are refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from dextwist.config.document import Node
from dextwist.config.features import Features
from dextwist.config.places import Findings, Place
from dextwist.config.storage import Etcd, Kubernetes, Memory, MySQL, Postgres, SQLite3, Storage, storage
from dextwist.config.storage_redis import Redis
from tests.config.case import ConfigCase


def node(value: Any) -> Node:
    """The tree of a value, as if it stood in a file."""
    if isinstance(value, dict):
        return Node({key: node(each) for key, each in value.items()}, 1)
    if isinstance(value, list):
        return Node(tuple(node(each) for each in value), 1)
    return Node(value, 1, "" if value is None else str(value))


class StorageTest(ConfigCase):
    def read(self, type: str, environ: dict[str, str] | None = None, **config: Any) -> Storage:  # noqa: A002
        """The section as it is read, whether or not the engine is built."""
        found, problems = self.read_with_problems(type, config, environ)
        self.assertEqual(problems, [])
        return found

    def read_with_problems(
        self, kind: str, config: Any, environ: dict[str, str] | None = None
    ) -> tuple[Storage, list[str]]:
        environ = environ or {}
        findings = Findings(environ=environ, features=Features.of(environ))
        found = storage(Place("storage", node({"type": kind, "config": config}), findings))
        return found, [str(problem) for problem in findings.problems]

    def refused(self, kind: str, *words: str, **config: Any) -> None:
        """There is one problem with it, in these words."""
        _, problems = self.read_with_problems(kind, config)
        self.assertEqual(len(problems), 1, problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_2_a_storage_is_needed(self) -> None:
        text = "issuer: http://a.test\nweb: {http: ':1'}"
        self.assert_refused(text, "storage", "no storage supplied in config file")

    def test_2_an_unknown_type_is_refused(self) -> None:
        self.assert_refused(
            {"storage": {"type": "papyrus"}}, "storage.type", 'unknown storage type "papyrus"'
        )
        self.assert_refused({"storage": {}}, "storage.type", 'unknown storage type ""')
        self.assert_refused({"storage": {"type": "Memory"}}, "storage.type", 'unknown storage type "Memory"')

    def test_5_memory(self) -> None:
        for over in (
            {"type": "memory"},
            {"type": "memory", "config": None},
            {"type": "memory", "config": {}},
        ):
            found = self.load({"storage": over}).storage
            self.assertEqual(found, Storage(type="memory", config=Memory()))

    def test_5_sqlite(self) -> None:
        found = self.load({"storage": {"type": "sqlite3", "config": {"file": "/var/dex.db"}}}).storage
        self.assertEqual(found, Storage(type="sqlite3", config=SQLite3(file="/var/dex.db")))
        self.assert_refused({"storage": {"type": "sqlite3"}}, "storage.config.file", "missing")
        self.assert_refused({"storage": {"type": "sqlite3", "config": []}}, "storage.config", "a mapping")

    def test_1_1_its_config_is_expanded(self) -> None:
        over = {"storage": {"type": "sqlite3", "config": {"file": "$FOLDER/the.db"}}}
        config = self.load(over, environ={"FOLDER": "/x"}).storage.config
        self.assertEqual(config, SQLite3(file="/x/the.db"))
        unexpanded = self.load(over, environ={"FOLDER": "/x", "DEX_EXPAND_ENV": "false"}).storage.config
        self.assertEqual(unexpanded, SQLite3(file="$FOLDER/the.db"))

    def test_1_1_its_type_is_not(self) -> None:
        self.refusal({"storage": {"type": "$TYPE"}}, environ={"TYPE": "memory"})

    def test_5_postgres(self) -> None:
        self.assertEqual(self.read("postgres").config, Postgres())
        config = self.read("postgres", {"PW": "p$w"}, host="db", password="$PW", connMaxLifetime=5).config
        self.assertEqual(config, Postgres(host="db", password="p$w", conn_max_lifetime=5))
        assert isinstance(config, Postgres)
        self.assertEqual(config.ssl.mode, "verify-full")

    def test_5_mysql(self) -> None:
        config = self.read("mysql").config
        assert isinstance(config, MySQL)
        self.assertEqual(config.ssl.mode, "true")

    def test_1_a_port_may_be_a_decimal_text(self) -> None:
        for written in (5432, "5432", "$PORT"):
            config = self.read("postgres", {"PORT": "5432"}, port=written).config
            assert isinstance(config, Postgres)
            self.assertEqual(config.port, 5432)
        for wrong in ("", "x", -1, 65536, "123456", "5 ", True, 1.5):
            self.refused("postgres", "storage.config.port", "0 to 65535", port=wrong)

    def test_1_two_modes_of_mysql_may_be_booleans(self) -> None:
        for written, mode in ((True, "true"), (False, "false"), ("skip-verify", "skip-verify")):
            config = self.read("mysql", ssl={"mode": written}).config
            assert isinstance(config, MySQL)
            self.assertEqual(config.ssl.mode, mode)
        self.refused("postgres", "storage.config.ssl.mode", "a text", ssl={"mode": True})
        self.refused("mysql", "storage.config.ssl.mode", "verify-full", ssl={"mode": "verify-full"})

    def test_5_files_for_tls_must_be_readable(self) -> None:
        for kind in ("postgres", "mysql"):
            self.refused(
                kind, "storage.config.ssl.caFile", "/nonexistent.pem", ssl={"caFile": "/nonexistent.pem"}
            )

    def test_a_password_may_come_from_a_file(self) -> None:
        path = str(Path(self.file("from file\n")).absolute())
        for kind in ("postgres", "mysql", "redis"):
            config = self.read(kind, passwordFile=path).config
            assert isinstance(config, Postgres | MySQL | Redis)
            self.assertEqual(config.password, "from file")

    def test_5_etcd(self) -> None:
        config = self.read("etcd", endpoints=["http://a:2379"], namespace="dex/").config
        self.assertEqual(config, Etcd(endpoints=("http://a:2379",), namespace="dex/"))
        self.refused("etcd", "endpoints", namespace="x")

    def test_5_kubernetes(self) -> None:
        self.assertEqual(self.read("kubernetes", inCluster=True).config, Kubernetes(in_cluster=True))
        file = str(Path(self.file("")).absolute())
        self.refused(
            "kubernetes",
            "cannot specify both 'inCluster' and 'kubeConfigFile'",
            inCluster=True,
            kubeConfigFile=file,
        )
        self.refused("kubernetes", "must specify either 'inCluster' or 'kubeConfigFile'")
        self.refused("kubernetes", "crdHandling", "ensure, check", inCluster=True, crdHandling="maybe")

    def test_5_1_redis(self) -> None:
        config = self.read("redis").config
        assert isinstance(config, Redis)
        self.assertEqual(
            (config.address, config.key_prefix, config.pool_size), ("127.0.0.1:6379", "dextwist", 10)
        )
        self.assertEqual(config.wait_timeout, timedelta(milliseconds=100))
        self.assertEqual(config.expiry_grace, timedelta(minutes=5))
        self.assertEqual(config.connect_timeout, timedelta(seconds=2))
        self.assertEqual(config.operation_timeout, timedelta(seconds=5))

    def test_5_1_redis_is_found_in_one_way(self) -> None:
        sentinel = {"addresses": ["a:1", "b:1"], "serviceName": "dex"}
        cluster = {"addresses": ["a:1"]}
        self.read("redis", sentinel=sentinel)
        self.read("redis", cluster=cluster)
        for config in (
            {"address": "a:1", "unixSocket": "/x"},
            {"address": "a:1", "sentinel": sentinel},
            {"sentinel": sentinel, "cluster": cluster},
        ):
            self.refused("redis", "exclude each other", **config)
        self.refused("redis", "serviceName", "missing", sentinel={"addresses": ["a:1"]})
        self.refused("redis", "only the database 0", cluster=cluster, database=1)
        self.refused("redis", "storage.config.address", "host:port", address=":6379")
