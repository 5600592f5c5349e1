"""What connectors that send the browser to an upstream are tested with: a login through a fake, in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from twisted.internet.task import Clock
from twisted.logger import capturedLogs as captured_logs

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ConnectorScopes,
    ConnectorUnavailable,
    Identity,
    RefreshConnector,
)
from dextwist.connectors.registry import ConnectorContext, connector_type, open_connector
from dextwist.connectors.types import ConnectorTypes
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.trust import UpstreamTrust
from dextwist.model.connector import ConnectorRecord
from tests.config.case import MINIMAL, ConfigCase
from tests.connectors.fakes import CountedHashing, FakeStorage, immediate_checker, started
from tests.upstreams.network import CountedCalls
from tests.upstreams.oauth import FakeOAuth
from tests.upstreams.served import sent

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

CALLBACK = "https://login.example.org/dex/callback"
STATE = "some-state"
PLAIN = ConnectorScopes()
GROUPS = ConnectorScopes(groups=True)
OFFLINE = ConnectorScopes(offline_access=True)
ALL = ConnectorScopes(groups=True, offline_access=True)
#: The middle of 2026.
NOW = 1_782_000_000


class FederatedTestCase(ConfigCase):
    """Logs in through the connector of a type, at the fake that `new_upstream` makes."""

    kind: ClassVar[str]
    upstream: FakeOAuth

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.environ: dict[str, str] = {}

    def config(self) -> dict[str, Any]:
        """Settings with which the connector opens."""
        return {
            "clientID": self.upstream.client_id,
            "clientSecret": self.upstream.client_secret,
            "redirectURI": CALLBACK,
        }

    # -- opening

    def opening(self, **config: Any) -> Coroutine[Any, Any, Any]:
        settings = {name: value for name, value in {**self.config(), **config}.items() if value is not None}
        record = ConnectorRecord(id="up", type=self.kind, name="Up", config=json.dumps(settings).encode())
        context = ConnectorContext(
            clock=self.clock,
            storage=FakeStorage(),
            password_checker=immediate_checker(CountedHashing()),
            upstream_client=self._client,
            environ=self.environ,
        )
        return open_connector(record, context=context)

    def _client(self, connector_id: str, trust: UpstreamTrust) -> UpstreamClient:
        trust.policy()  # roots that are none are refused here as well
        return UpstreamClient(
            connector_id=connector_id,
            send=partial(sent, self.upstream),
            clock=self.clock,
            metrics=CountedCalls(),
        )

    def opened(self, **config: Any) -> Any:
        """The connector with these settings beside the usual ones; None leaves one out."""
        connector = self.now(self.opening(**config))
        self.assertIsInstance(connector, CallbackConnector)
        return connector

    def unopened(self, **config: Any) -> str:
        """Why it does not open with these settings."""
        return self.fails(self.opening(**config), ConnectorUnavailable).reason

    # -- logging in

    def now(self, work: Coroutine[Any, Any, T]) -> T:
        result: T = self.successResultOf(started(work))
        return result

    def fails(self, work: Coroutine[Any, Any, Any], kind: type[E]) -> E:
        """The error that it ends with, which tells nothing secret; so does no event of the log."""
        with captured_logs() as events:
            error: E = self.failureResultOf(started(work), kind).value
        told = f"{error} {error!r} {events!r}"
        self.assertNotRegex(told, r"\b(access|refresh|code|service)-[0-9]+\b")
        if self.upstream.client_secret:
            self.assertNotIn(self.upstream.client_secret, told)
        return error

    def asked(self, connector: CallbackConnector, scopes: ConnectorScopes = PLAIN) -> Mapping[str, str]:
        """The query with which the browser is sent away."""
        self.login(connector, scopes)
        return [call for call in self.upstream.calls if "redirect_uri" in call.query][-1].query

    async def log_in(self, connector: CallbackConnector, scopes: ConnectorScopes = PLAIN) -> Identity:
        start = await connector.login_url(scopes, CALLBACK, STATE)
        query = self.upstream.log_in(start.url)
        return await connector.handle_callback(
            scopes, start.connector_data, CallbackRequest(query=query, headers={})
        )

    def login(self, connector: CallbackConnector, scopes: ConnectorScopes = PLAIN) -> Identity:
        """Who came back."""
        return self.now(self.log_in(connector, scopes))

    def callback(self, connector: CallbackConnector, **query: str) -> Coroutine[Any, Any, Identity]:
        """What the connector makes of this query."""

        async def handled() -> Identity:
            start = await connector.login_url(PLAIN, CALLBACK, STATE)
            request = CallbackRequest(query={"state": STATE, **query}, headers={})
            return await connector.handle_callback(PLAIN, start.connector_data, request)

        return handled()

    def refreshed(
        self, connector: RefreshConnector, identity: Identity, scopes: ConnectorScopes = ALL
    ) -> Identity:
        return self.now(connector.refresh(scopes, identity))

    # -- documentation

    def documented(self) -> dict[str, Any]:
        """The `config` of the connector that the type's page shows, as the server reads it."""
        shown = self._page().partition("```yaml\n")[2].partition("```")[0]
        config = self.load_text(
            yaml.safe_dump(dict(MINIMAL)) + shown,
            environ=dict.fromkeys(re.findall(r"\$(\w+)", shown), "secret"),
            connector_types=ConnectorTypes({}),
        )
        self.assertEqual(config.warnings, ())
        (record,) = config.static_connectors
        self.assertEqual(record.type, self.kind)
        settings: dict[str, Any] = json.loads(record.config)
        return settings

    def assert_documented(self) -> None:
        """The type's page has each of its keys, and no others, in its table."""
        rows = [line.split("|")[1] for line in self._page().splitlines() if line.startswith("| `")]
        told = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
        found = connector_type(self.kind)
        assert found is not None
        self.assertEqual(told, found.config_keys)

    def _page(self) -> str:
        return (Path(__file__).parents[2] / "docs" / "connectors" / f"{self.kind}.md").read_text()
