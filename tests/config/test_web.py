"""The sections of listeners: web, telemetry, grpc."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from dextwist.config.addresses import ListenAddress
from tests.config.case import ConfigCase


class ListenersCase(ConfigCase):
    def setUp(self) -> None:
        self.cert, self.key = (str(Path(self.file("pem")).absolute()) for _ in range(2))

    def web(self, **keys: Any) -> dict[str, Any]:
        """A web section that listens, with these keys."""
        return {"web": {"http": "127.0.0.1:5556", **keys}}


class WebTest(ListenersCase):
    def test_6_defaults(self) -> None:
        web = self.load().web
        self.assertEqual(web.http, ListenAddress(host="127.0.0.1", port=5556))
        self.assertIsNone(web.https)
        self.assertEqual((web.allowed_origins, web.allowed_headers), ((), ("Authorization",)))
        self.assertEqual((web.tls_min_version, web.tls_max_version), ("1.2", ""))
        self.assertEqual(web.headers.fields, ())
        self.assertEqual(
            attrs.astuple(web.limits),
            (16384, 100, 65536, 1000, *(timedelta(seconds=s) for s in (10, 30, 75, 30)), 200, 1000, 0),
        )

    def test_RX_every_limit_can_be_set(self) -> None:
        limits = {
            "maxRequestHead": 8192,
            "maxHeaderCount": 50,
            "maxBody": 1048576,
            "maxFields": 10,
            "headerTimeout": "1s",
            "bodyTimeout": "2s",
            "idleTimeout": "3s",
            "writeTimeout": "4s",
            "maxPendingLogins": 6,
            "maxConnections": 7,
            "maxConnectionsPerAddress": 8,
        }
        self.assertEqual(
            attrs.astuple(self.load(self.web(limits=limits)).web.limits),
            (8192, 50, 1048576, 10, *(timedelta(seconds=s) for s in (1, 2, 3, 4)), 6, 7, 8),
        )

    def test_RX_no_limit_can_be_switched_off(self) -> None:
        for key in (
            "maxRequestHead",
            "maxHeaderCount",
            "maxBody",
            "maxFields",
            "maxPendingLogins",
            "maxConnections",
        ):
            self.assert_refused(self.web(limits={key: 0}), f"web.limits.{key}", "a whole number")
        for key in ("headerTimeout", "bodyTimeout", "idleTimeout", "writeTimeout"):
            self.assert_refused(self.web(limits={key: "0s"}), f"web.limits.{key}", "more than zero")

    def test_2_an_address_is_needed(self) -> None:
        for web in (None, {}, {"http": ""}, {"tlsCert": "x"}):
            self.assert_refused({"web": web}, "web", "must supply a HTTP/HTTPS  address to listen on")

    def test_2_a_wrong_address_says_what_is_wrong(self) -> None:
        self.assert_refused(self.web(http="5556"), "web.http", "no port number", 'found "5556"')

    def test_2_https_needs_certificate_and_key(self) -> None:
        refusal = self.refusal(self.web(https=":5554"))
        self.assertEqual(
            [(each.path, each.problem) for each in refusal.problems],
            [
                ("web.tlsCert", "no cert specified for HTTPS"),
                ("web.tlsKey", "no private key specified for HTTPS"),
            ],
        )

    def test_2_certificate_and_key_must_be_readable(self) -> None:
        over = self.web(https=":5554", tlsCert="/nonexistent.pem", tlsKey=self.key)
        self.assert_refused(over, "web.tlsCert", "cannot read /nonexistent.pem")

    def test_files_of_a_listener_that_is_off_are_not_looked_at(self) -> None:
        self.load(self.web(tlsCert="/nonexistent.pem", tlsKey="/nonexistent.key"))

    def test_2_tls_versions(self) -> None:
        for name in ("tlsMinVersion", "tlsMaxVersion"):
            for version in ("1.1", 1.1, "9", "TLS1.2"):
                self.assert_refused(
                    self.web(**{name: version}), f"web.{name}", "supported TLS versions are: 1.2, 1.3"
                )
        self.assert_refused(
            self.web(tlsMinVersion="1.3", tlsMaxVersion="1.2"),
            "web.tlsMinVersion",
            "TLSMinVersion greater than TLSMaxVersion",
        )

    def test_1_tls_versions_may_be_numbers(self) -> None:
        web = self.load(self.web(tlsMinVersion=1.2, tlsMaxVersion=1.3)).web
        self.assertEqual((web.tls_min_version, web.tls_max_version), ("1.2", "1.3"))

    def test_6_headers_come_in_one_line_each(self) -> None:
        headers = {"X-Frame-Options": "DENY", "content-security-policy": "default-src 'self';\n  img-src *\n"}
        web = self.load(self.web(headers=headers)).web
        self.assertEqual(
            web.headers.fields,
            (("Content-Security-Policy", "default-src 'self'; img-src *"), ("X-Frame-Options", "DENY")),
        )

    def test_6_proxies(self) -> None:
        remote = {"header": "X-Forwarded-For", "trustedProxies": ["10.1.2.3/8", "2001:db8::/48"]}
        web = self.load(self.web(clientRemoteIP=remote)).web
        self.assertEqual(web.client_remote_ip.header, "X-Forwarded-For")
        self.assertEqual(
            web.client_remote_ip.trusted_proxies,
            (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/48")),
        )

    def test_6_a_wrong_range_is_refused(self) -> None:
        for wrong in ("10.0.0.0/99", "10.0.0.1", "10.0.0.0/255.0.0.0", "nonsense", "/8"):
            self.assert_refused(
                self.web(clientRemoteIP={"header": "X", "trustedProxies": ["::1/128", wrong]}),
                "web.clientRemoteIP.trustedProxies[1]",
                f'failed to parse CIDR "{wrong}"',
            )

    def test_6_a_header_without_proxies_is_warned_of(self) -> None:
        self.assert_warned(self.web(clientRemoteIP={"header": "X"}), "web.clientRemoteIP.header", "ignored")


class TelemetryTest(ListenersCase):
    def test_7_off_unless_there_is_an_address(self) -> None:
        self.assertIsNone(self.load().telemetry.http)
        telemetry = self.load({"telemetry": {"http": ":5558"}}).telemetry
        self.assertEqual(telemetry.http, ListenAddress(port=5558))


class GRPCTest(ListenersCase):
    def test_8_all_keys(self) -> None:
        grpc = self.load(
            {
                "grpc": {
                    "addr": ":5557",
                    "tlsCert": self.cert,
                    "tlsKey": self.key,
                    "tlsClientCA": self.cert,
                    "tlsMinVersion": 1.3,
                    "reflection": True,
                    "standardStatusCodes": True,
                }
            }
        ).grpc
        self.assertEqual(grpc.addr, ListenAddress(port=5557))
        self.assertEqual((grpc.tls_cert, grpc.tls_client_ca), (self.cert, self.cert))
        self.assertTrue(grpc.reflection)
        self.assertTrue(grpc.standard_status_codes)

    def test_2_certificates_need_an_address_and_each_other(self) -> None:
        for keys, problems in (
            (
                {"tlsCert": self.cert, "tlsKey": self.key},
                ["no address specified for gRPC", "no address specified for gRPC"],
            ),
            ({"addr": ":1", "tlsCert": self.cert}, ["must specific both a gRPC TLS cert and key"]),
            ({"addr": ":1", "tlsKey": self.key}, ["must specific both a gRPC TLS cert and key"]),
            (
                {"addr": ":1", "tlsClientCA": self.cert},
                ["cannot specify gRPC TLS client CA without a gRPC TLS cert"],
            ),
            (
                {"addr": ":1", "tlsMinVersion": "1.3", "tlsMaxVersion": "1.2"},
                ["TLSMinVersion greater than TLSMaxVersion"],
            ),
        ):
            refusal = self.refusal({"grpc": keys})
            self.assertEqual([each.problem for each in refusal.problems], problems)

    def test_8_files_must_be_readable(self) -> None:
        keys = {"addr": ":1", "tlsCert": self.cert, "tlsKey": self.key, "tlsClientCA": "/nonexistent.pem"}
        self.assert_refused({"grpc": keys}, "grpc.tlsClientCA", "cannot read")
