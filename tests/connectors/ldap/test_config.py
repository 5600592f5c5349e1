"""Every key, its rule and its default."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError, ConnectorUnavailable
from dextwist.connectors.ldap.config import Settings, read_settings
from dextwist.connectors.ldap.filters import Comparison, Present
from dextwist.connectors.ldap.hosts import Host
from dextwist.connectors.ldap.transport import Security
from tests.connectors.ldap.opening import opening
from tests.flows.daemon import merged
from tests.peers.authority import Authority

LEAST = {"host": "ldap.example.org", "userSearch": {"baseDN": "dc=x", "username": "uid"}}
GROUPS = {"baseDN": "ou=g", "nameAttr": "cn", "userMatchers": [{"userAttr": "DN", "groupAttr": "member"}]}
KERBEROS = {"enabled": True, "keytabPath": "/x"}


class SettingsTests(SynchronousTestCase):
    """Settings that can be used."""

    def read(self, over: Mapping[str, Any] | None = None) -> Settings:
        return read_settings(merged(LEAST, over or {}))

    def test_defaults(self) -> None:
        settings = self.read()
        self.assertEqual(settings.hosts, (Host("ldap.example.org", 636),))
        self.assertEqual((settings.security, settings.tls.verify), (Security.LDAPS, True))
        users = settings.users
        self.assertEqual((users.scope, users.id_attr, users.email_attr), ("sub", "uid", "mail"))
        self.assertEqual((users.condition, users.name_attr, users.preferred_username_attr), (None, "", ""))
        self.assertEqual((settings.groups, settings.username_prompt, settings.remarks), (None, "", ()))
        limits = settings.limits
        self.assertEqual((limits.connect, limits.operation, settings.login_time_limit), (10, 20, 30))
        self.assertEqual((limits.idle, limits.connections), (60, 8))

    def test_ports_by_transport(self) -> None:
        for over, port in (({}, 636), ({"startTLS": True}, 389), ({"insecureNoSSL": True}, 389)):
            self.assertEqual(self.read(over).hosts[0].port, port)

    def test_several_hosts_and_srv_records(self) -> None:
        self.assertEqual(
            self.read({"host": None, "hosts": ["a", "b:1"]}).hosts, (Host("a", 636), Host("b", 1))
        )
        self.assertEqual(self.read({"host": None, "srvDomain": "x.org"}).srv_service, "_ldaps._tcp.x.org")
        over = {"host": None, "srvDomain": "x.org", "startTLS": True}
        self.assertEqual(self.read(over).srv_service, "_ldap._tcp.x.org")

    def test_user_names_are_one_attribute_or_several(self) -> None:
        for written, names in (("uid", ["uid"]), (["uid", "mail"], ["uid", "mail"]), (["cn"], ["cn"])):
            found = self.read({"userSearch": {"username": written}}).users.username
            self.assertEqual([match.attribute for match in found], names)

    def test_filters_are_read(self) -> None:
        over = {"userSearch": {"filter": "(objectClass=*)"}, "groupSearch": {**GROUPS, "filter": "(a=b)"}}
        settings = self.read(over)
        assert settings.groups is not None
        self.assertEqual(settings.users.condition, Present("objectClass"))
        self.assertEqual(settings.groups.condition, Comparison("a", "=", b"b"))

    def test_the_old_single_matcher_is_used_and_deprecated(self) -> None:
        old = {"baseDN": "ou=g", "nameAttr": "cn", "userAttr": "DN", "groupAttr": "member"}
        for over in (old, {**old, "userMatchers": []}, {**old, "userMatchers": [{"groupAttr": "x"}]}):
            settings = self.read({"groupSearch": over})
            assert settings.groups is not None
            (matcher,) = settings.groups.matchers
            self.assertEqual((matcher.user_attr, matcher.group.attribute), ("DN", "member"))
            self.assertIn("deprecated", settings.remarks[0])

    def test_a_group_base_without_matchers_is_remarked_upon(self) -> None:
        settings = self.read({"groupSearch": {"baseDN": "ou=g"}})
        self.assertEqual(settings.groups, None)
        self.assertIn("userMatchers", settings.remarks[0])

    def test_kerberos(self) -> None:
        self.assertIsNone(self.read().kerberos)
        self.assertIsNone(self.read({"kerberos": {"keytabPath": "/x"}}).kerberos)
        least = self.read({"kerberos": KERBEROS}).kerberos
        assert least is not None
        self.assertEqual((least.keytab_path, least.principal, least.expected_realm), ("/x", "", ""))
        self.assertEqual((least.with_realm, least.fallback_to_password), (False, False))
        over = {"spn": "HTTP/a", "keytabPrincipal": "HTTP/a@X", "usernameFromPrincipal": "USERPRINCIPALNAME"}
        more = self.read({"kerberos": {**KERBEROS, **over}}).kerberos
        assert more is not None
        self.assertEqual((more.principal, more.with_realm), ("HTTP/a@X", True))

    def test_a_clock_skew_has_to_be_set_elsewhere(self) -> None:
        self.assertEqual(self.read({"kerberos": {**KERBEROS, "maxClockSkew": 300}}).remarks, ())
        (remark,) = self.read({"kerberos": {**KERBEROS, "maxClockSkew": 60}}).remarks
        self.assertIn("kerberos.maxClockSkew has no effect", remark)

    def test_times_are_numbers_or_texts(self) -> None:
        for written, seconds in ((5, 5.0), (0.5, 0.5), ("5s", 5.0), ("250ms", 0.25), ("2m", 120.0)):
            self.assertEqual(self.read({"connectTimeout": written}).limits.connect, seconds)

    def test_the_service_password_can_be_in_a_file(self) -> None:
        path = Path(self.mktemp())
        path.write_text("from-file\n")
        account = self.read({"bindDN": "cn=a", "bindPWFile": str(path)}).account
        self.assertEqual((account.name, account.password), (b"cn=a", b"from-file"))
        self.assertNotIn("from-file", repr(account))

    def test_a_user_name_of_active_directory_is_no_dn(self) -> None:
        for name in ("svc@ad.local", "ADL\\svc"):
            self.assertEqual(self.read({"bindDN": name, "bindPW": "x"}).account.name, name.encode())


class MistakeTests(SynchronousTestCase):
    """Settings that cannot be meant: the error names the key, and the connector says that it is its fault."""

    def refused(self, over: Mapping[str, Any], *words: str) -> None:
        config = merged(LEAST, over)
        with self.assertRaises(ConnectorError) as raised:
            read_settings(config)
        for word in words:
            self.assertIn(word, str(raised.exception))
        refusal = self.failureResultOf(opening(config, Clock()), ConnectorUnavailable).value
        assert isinstance(refusal, ConnectorUnavailable)
        self.assertTrue(refusal.misconfigured)

    def test_hosts(self) -> None:
        self.refused({"host": None}, "host")
        self.refused({"host": ""}, "host")
        self.refused({"host": "ldap://x"}, "host", "URL")
        self.refused({"hosts": ["b"]}, "host", "hosts", "srvDomain")
        self.refused({"srvDomain": "x"}, "srvDomain")
        self.refused({"host": None, "hosts": ["a", "b:x"]}, "hosts")

    def test_users(self) -> None:
        self.refused({"userSearch": {"baseDN": None}}, "userSearch.baseDN", "required")
        wrong: list[Any] = [None, "", 123, [], [""], [1], {}, "a b", "a)(b"]
        for written in wrong:
            self.refused({"userSearch": {"username": written}}, "userSearch.username")
        for scope in ("base", "everything"):
            self.refused({"userSearch": {"scope": scope}}, "userSearch.scope")
        self.refused({"userSearch": {"filter": "(&(a=b)"}}, "userSearch.filter", "at position 7")
        self.refused({"userSearch": {"emailSuffix": "x.org"}}, "userSearch.emailSuffix", "nameAttr")

    def test_groups(self) -> None:
        for over, key in (
            ({"scope": "base"}, "groupSearch.scope"),
            ({"nameAttr": None}, "groupSearch.nameAttr"),
            ({"filter": "a=b"}, "groupSearch.filter"),
            ({"userMatchers": [{"userAttr": "DN"}]}, "groupSearch.userMatchers[0].groupAttr"),
            ({"userMatchers": [{"userAttr": "DN", "groupAttr": "a b"}]}, "userMatchers[0].groupAttr"),
            ({"userMatchers": ["DN"]}, "groupSearch.userMatchers"),
        ):
            self.refused({"groupSearch": {**GROUPS, **over}}, key)

    def test_the_service_account_is_a_pair(self) -> None:
        self.refused({"bindDN": "cn=a"}, "bindPW")
        self.refused({"bindDN": "cn=a", "bindPW": ""}, "bindPW")
        self.refused({"bindPW": "x"}, "bindDN")

    def test_certificates(self) -> None:
        authority = Authority(Path(self.mktemp()))
        certificate, key = authority.issue("x")
        other = Authority(Path(self.mktemp())).issue("x")[1]
        self.refused({"rootCA": "no-such-file.pem"}, "no-such-file.pem")
        self.refused({"rootCA": str(key)}, "holds no certificate")
        self.refused({"rootCAData": base64.b64encode(b"nothing").decode()}, "rootCAData")
        self.refused({"clientCert": str(certificate)}, "clientKey")
        self.refused({"clientKey": str(key)}, "clientKey")
        self.refused({"clientCert": str(certificate), "clientKey": str(other)}, "belongs to")
        self.refused({"clientCert": str(certificate), "clientKey": "/nowhere"}, "/nowhere")

    def test_kerberos(self) -> None:
        for over, key in (
            ({"usernameFromPrincipal": "mail"}, "kerberos.usernameFromPrincipal"),
            ({"spn": "HTTP/a", "keytabPrincipal": "HTTP/b@X"}, "kerberos.spn"),
        ):
            self.refused({"kerberos": {**KERBEROS, **over}}, key)

    def test_a_keytab_has_to_be_named_where_only_tickets_would_do(self) -> None:
        unnamed = merged(LEAST, {"kerberos": {"enabled": True}})
        refusal = self.failureResultOf(opening(unnamed, Clock()), ConnectorUnavailable).value
        assert isinstance(refusal, ConnectorUnavailable)
        self.assertTrue(refusal.misconfigured)
        self.assertIn("kerberos.keytabPath is required", str(refusal))
        with capturedLogs() as events:
            with_form = merged(unnamed, {"kerberos": {"fallbackToPassword": True}})
            self.assertIsNone(self.successResultOf(opening(with_form, Clock())).tickets)
        self.assertIn("nobody can log in with a ticket", events[0]["log_format"])

    def test_times_and_numbers(self) -> None:
        wrong: dict[str, list[Any]] = {
            "loginTimeout": ["soon", 0, -1, True, "2h", []],
            "maxConnections": [0, "8", 2.5, True],
        }
        for key, values in wrong.items():
            for written in values:
                self.refused({key: written}, key)

    def test_weakenings_are_warned_about_by_name(self) -> None:
        for key in ("insecureNoSSL", "insecureSkipVerify"):
            with capturedLogs() as events:
                self.successResultOf(opening({**LEAST, key: True}, Clock()))
            (event,) = events
            self.assertEqual(event["log_level"], LogLevel.warn)
            self.assertIn(key, event["remark"])
