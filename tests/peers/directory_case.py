"""Tests of the LDAP connector against servers that run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from dextwist.connectors.interface import ConnectorScopes, Identity
from dextwist.connectors.ldap.connector import LdapConnector
from tests.connectors.ldap.opening import ALL_SCOPES, ConnectorCase
from tests.flows.daemon import merged
from tests.peers.slapd import ADMIN, ADMIN_PASSWORD, GROUPS, PEOPLE, Slapd, missing_slapd


def settings(server: Slapd, over: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """People by uid and groups by member, in clear text, with `over` laid on it."""
    base = {
        "host": f"127.0.0.1:{server.port}",
        "insecureNoSSL": True,
        "bindDN": ADMIN,
        "bindPW": ADMIN_PASSWORD,
        "userSearch": {"baseDN": PEOPLE, "username": "uid", "nameAttr": "cn", "preferredUsernameAttr": "uid"},
        "groupSearch": {
            "baseDN": GROUPS,
            "nameAttr": "cn",
            "userMatchers": [{"userAttr": "DN", "groupAttr": "member"}],
        },
    }
    return merged(base, over or {})


class DirectoryCase(ConnectorCase):
    """Has servers in folders that go with the test."""

    timeout = 60
    if missing := missing_slapd():
        skip = missing

    def slapd(self, ldif: str = "", **more: Any) -> Slapd:
        """A server that stops with the test."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        server = Slapd(folder=folder / "slapd", ldif=ldif, **more)
        server.start()
        self.addCleanup(server.stop)
        return server

    async def login(
        self,
        connector: LdapConnector,
        username: str,
        password: str = "password",
        scopes: ConnectorScopes = ALL_SCOPES,
    ) -> Identity | None:
        """A login, and a refresh that finds the same person."""
        found = await connector.login(scopes, username, password)
        if found is not None and scopes.offline_access:
            again = await connector.refresh(scopes, found)
            self.assertEqual(
                attrs.evolve(again.claims, groups=tuple(sorted(again.claims.groups))),
                attrs.evolve(found.claims, groups=tuple(sorted(found.claims.groups))),
            )
            self.assertEqual(again.connector_data, found.connector_data)
        return found


class OnSlapd(DirectoryCase):
    """A server for each test, with this in it."""

    ldif = ""

    def setUp(self) -> None:
        self.server = self.slapd(self.ldif)
