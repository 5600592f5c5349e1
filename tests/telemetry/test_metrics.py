"""What Prometheus reads has dex's names, labels and buckets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import dextwist
from dextwist.telemetry.metrics import Metrics, NoMetrics
from dextwist.telemetry.prometheus import PrometheusMetrics


def use(metrics: Metrics) -> None:
    """Everything once."""
    metrics.request_answered(handler="/keys", method="GET", status=200, seconds=0.3, size=450)
    metrics.login_finished(connector_id="mock", result="success")
    metrics.tokens_issued(grant_type="authorization_code")
    metrics.storage_operation_finished(operation="write", result="ok", seconds=0.002)
    metrics.request_refused(status=431)
    metrics.limit_hit(limit="maxRequestHead")
    metrics.connections_open(count=3)


class PrometheusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.metrics = PrometheusMetrics()

    def lines(self) -> list[str]:
        _, text = self.metrics.exposition("")
        return text.decode().splitlines()

    def value(self, name: str, **labels: str) -> float | None:
        for line in self.lines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        return None

    def test_requests_are_counted_timed_and_weighed(self) -> None:
        use(self.metrics)
        use(self.metrics)
        labels = {"code": "200", "method": "get", "handler": "/keys"}
        self.assertEqual(self.value("http_requests_total", **labels), 2)
        self.assertEqual(self.value("request_duration_seconds_sum", **labels), 0.6)
        self.assertEqual(self.value("request_duration_seconds_bucket", **labels, le="0.25"), 0)
        self.assertEqual(self.value("request_duration_seconds_bucket", **labels, le="0.5"), 2)
        self.assertEqual(self.value("response_size_bytes_sum", **labels), 900)
        self.assertEqual(self.value("response_size_bytes_bucket", **labels, le="500.0"), 2)

    def test_buckets_are_those_of_dex(self) -> None:
        use(self.metrics)
        for name, wanted in (
            ("request_duration_seconds", [0.25, 0.5, 1, 2.5, 5, 10, float("inf")]),
            ("response_size_bytes", [200, 500, 900, 1500, float("inf")]),
        ):
            found = [
                float(bucket)
                for line in self.lines()
                if line.startswith(f"{name}_bucket")
                for bucket in re.findall(r'le="([^"]+)"', line)
            ]
            self.assertEqual(found, wanted)

    def test_invented_methods_make_no_series_of_their_own(self) -> None:
        for method in ("BREW", "WHEN"):
            self.metrics.request_answered(handler="/", method=method, status=405, seconds=0, size=0)
        self.assertEqual(self.value("http_requests_total", code="405", method="unknown", handler="/"), 2)

    def test_logins_tokens_and_storage_operations_are_counted(self) -> None:
        use(self.metrics)
        self.assertEqual(self.value("dextwist_logins_total", connector="mock", result="success"), 1)
        self.assertEqual(self.value("dextwist_tokens_issued_total", grant="authorization_code"), 1)
        self.assertEqual(
            self.value("dextwist_storage_operations_seconds_count", operation="write", result="ok"), 1
        )

    def test_refusals_limits_and_connections_are_counted(self) -> None:
        use(self.metrics)
        self.assertEqual(self.value("dextwist_requests_refused_total", code="431"), 1)
        self.assertEqual(self.value("dextwist_limits_hit_total", limit="maxRequestHead"), 1)
        self.assertEqual(self.value("dextwist_connections"), 3)

    def test_calls_of_connectors_are_timed(self) -> None:
        self.metrics.upstream_answered(connector_id="up", operation="token", result="2xx", seconds=0.2)
        labels = {"connector": "up", "operation": "token", "result": "2xx"}
        self.assertEqual(self.value("dextwist_upstream_request_seconds_count", **labels), 1)
        self.assertEqual(self.value("dextwist_upstream_request_seconds_sum", **labels), 0.2)

    def test_build_process_and_runtime_are_told(self) -> None:
        text = "\n".join(self.lines())
        self.assertRegex(text, rf'(?m)^dex_build_info\{{.*version="{dextwist.__version__}".*\}} 1\.0$')
        self.assertRegex(text, r'(?m)^dex_build_info\{.*go_version="".*\} 1\.0$')
        self.assertRegex(text, r'(?m)^dextwist_build_info\{.*python_version="3\.')
        self.assertIn("process_resident_memory_bytes", text)
        self.assertIn("python_gc_objects_collected_total", text)

    def test_there_is_no_second_series_that_tells_when_a_counter_was_made(self) -> None:
        use(self.metrics)
        self.assertNotIn("_created", "\n".join(self.lines()))

    def test_two_registries_do_not_meet(self) -> None:
        use(PrometheusMetrics())
        self.assertIsNone(self.value("dextwist_tokens_issued_total", grant="authorization_code"))

    def test_OpenMetrics_is_given_to_those_who_ask(self) -> None:
        content_type, text = self.metrics.exposition("application/openmetrics-text; version=1.0.0")
        self.assertTrue(content_type.startswith("application/openmetrics-text"))
        self.assertTrue(text.endswith(b"# EOF\n"))
        content_type, _ = self.metrics.exposition("")
        self.assertTrue(content_type.startswith("text/plain"))


class NoMetricsTests(SynchronousTestCase):
    def test_takes_everything_and_loads_no_library(self) -> None:
        use(NoMetrics())
        program = "import dextwist.telemetry.metrics, sys; sys.exit('prometheus_client' in sys.modules)"
        subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
