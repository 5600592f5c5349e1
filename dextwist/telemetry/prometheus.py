"""The metrics that Prometheus reads: dex's under their names, ours beside them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping

import attrs
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

import dextwist

#: Every other method counts as `unknown`, so that a stranger cannot make series at will.
_METHODS = frozenset(["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"])
_REQUEST_LABELS = ("code", "method", "handler")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@attrs.frozen
class _RequestSeries:
    """The series of one combination of labels; looking them up costs more than counting."""

    requests: Counter
    durations: Histogram
    sizes: Histogram


class PrometheusMetrics:
    """Counts in a registry of its own."""

    def __init__(self) -> None:
        # For the whole process, because the library knows no other way: a series that only says since
        # when another one counts doubles the number of series.
        disable_created_metrics()
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "http_requests_total", "Requests answered.", _REQUEST_LABELS, registry=registry
        )
        self._durations = Histogram(
            "request_duration_seconds",
            "How long answering took.",
            _REQUEST_LABELS,
            buckets=(0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._sizes = Histogram(
            "response_size_bytes",
            "How large the bodies of the answers were.",
            _REQUEST_LABELS,
            buckets=(200, 500, 900, 1500),
            registry=registry,
        )
        self._request_series: dict[tuple[str, str, str], _RequestSeries] = {}
        self._logins = Counter(
            "dextwist_logins_total", "Logins that ended.", ("connector", "result"), registry=registry
        )
        self._tokens = Counter(
            "dextwist_tokens_issued_total", "Token responses.", ("grant",), registry=registry
        )
        self._storage_operations = Histogram(
            "dextwist_storage_operations_seconds",
            "How long storage operations took.",
            ("operation", "result"),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self._refusals = Counter(
            "dextwist_requests_refused_total",
            "Requests that reached no endpoint: malformed, too large, too slow or too many.",
            ("code",),
            registry=registry,
        )
        self._limits = Counter(
            "dextwist_limits_hit_total",
            "How often one of the configured limits was hit.",
            ("limit",),
            registry=registry,
        )
        self._connections = Gauge(
            "dextwist_connections", "Connections that are open on the public listener.", registry=registry
        )
        self._upstream_calls = Histogram(
            "dextwist_upstream_request_seconds",
            "How long connectors waited for their upstreams.",
            ("connector", "operation", "result"),
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._garbage = Counter(
            "dextwist_garbage_collected_total", "Expired values removed.", ("kind",), registry=registry
        )
        self._key_age = Gauge(
            "dextwist_signing_key_age_seconds",
            "For how long the signing key has been signing.",
            registry=registry,
        )
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        _tell_build(registry)

    def request_answered(self, *, handler: str, method: str, status: int, seconds: float, size: int) -> None:
        method = method.lower()
        labels = (str(status), method if method in _METHODS else "unknown", handler)
        series = self._request_series.get(labels)
        if series is None:
            series = self._request_series[labels] = _RequestSeries(
                self._requests.labels(*labels), self._durations.labels(*labels), self._sizes.labels(*labels)
            )
        series.requests.inc()
        series.durations.observe(seconds)
        series.sizes.observe(size)

    def login_finished(self, *, connector_id: str, result: str) -> None:
        self._logins.labels(connector_id, result).inc()

    def tokens_issued(self, *, grant_type: str) -> None:
        self._tokens.labels(grant_type).inc()

    def storage_operation_finished(self, *, operation: str, result: str, seconds: float) -> None:
        self._storage_operations.labels(operation, result).observe(seconds)

    def request_refused(self, *, status: int) -> None:
        self._refusals.labels(str(status)).inc()

    def limit_hit(self, *, limit: str) -> None:
        self._limits.labels(limit).inc()

    def connections_open(self, *, count: int) -> None:
        self._connections.set(count)

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        self._upstream_calls.labels(connector_id, operation, result).observe(seconds)

    def garbage_collected(self, *, counts: Mapping[str, int]) -> None:
        for kind, count in counts.items():
            self._garbage.labels(kind).inc(count)

    def watch_signing_key(self, age: Callable[[], float]) -> None:
        self._key_age.set_function(age)

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """All metrics, in the newest format that the `Accept` field allows: its media type and the text."""
        encoder, content_type = choose_encoder(accept)
        return content_type, encoder(self._registry)


def _tell_build(registry: CollectorRegistry) -> None:
    machine = platform.machine()
    system = f"{sys.platform}/{_ARCHITECTURES.get(machine, machine)}"
    dex = Gauge("dex_build_info", "The version.", ("version", "go_version", "platform"), registry=registry)
    dex.labels(dextwist.__version__, "", system).set(1)
    ours = Gauge(
        "dextwist_build_info", "The version.", ("version", "python_version", "platform"), registry=registry
    )
    ours.labels(dextwist.__version__, platform.python_version(), system).set(1)
