"""From a record to a connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import Connector, ConnectorUnavailable
from dextwist.connectors.local import LocalConnector
from dextwist.connectors.mock import MockCallbackConnector, MockPasswordConnector
from dextwist.connectors.registry import (
    BUILT_IN,
    NOT_BUILT_YET,
    ConnectorContext,
    ConnectorType,
    connector_type,
    known_types,
    open_connector,
)
from dextwist.model.connector import ConnectorRecord
from tests.connectors.fakes import CountedHashing, FakeStorage, immediate_checker, started
from tests.upstreams.network import no_upstream

CONTEXT = ConnectorContext(
    clock=Clock(),
    storage=FakeStorage(),
    password_checker=immediate_checker(CountedHashing()),
    upstream_client=no_upstream,
)


def opening(kind: str, config: Any = b"{}") -> Deferred[Connector]:
    content = config if isinstance(config, bytes) else json.dumps(config).encode()
    record = ConnectorRecord(id="corp", type=kind, name="Corp", config=content)
    return started(open_connector(record, context=CONTEXT))


class OpenConnectorTests(SynchronousTestCase):
    """What opens, and what does not."""

    def refusal(self, kind: str, config: Any = b"{}") -> str:
        failure = self.failureResultOf(opening(kind, config), ConnectorUnavailable)
        self.assertEqual(failure.value.connector_id, "corp")
        return str(failure.value)

    def test_local_connector_opens_over_the_storage(self) -> None:
        for config in (b"", b"{}"):
            connector = self.successResultOf(opening("local", config))
            self.assertEqual(
                connector, LocalConnector(storage=CONTEXT.storage, passwords=CONTEXT.password_checker)
            )

    def test_mock_connectors_open_as_configured(self) -> None:
        self.assertEqual(self.successResultOf(opening("mockCallback")), MockCallbackConnector())
        self.assertEqual(
            self.successResultOf(opening("mockPassword", {"username": "foo", "password": "password"})),
            MockPasswordConnector(username="foo", password="password"),
        )

    def test_opening_a_mock_connector_warns_the_operator(self) -> None:
        for kind, config in (("mockCallback", {}), ("mockPassword", {"username": "u", "password": "p"})):
            with capturedLogs() as events:
                self.successResultOf(opening(kind, config))
            (event,) = events
            self.assertEqual((event["log_level"], event["connector_id"]), (LogLevel.warn, "corp"))

    def test_mock_password_connector_needs_both_its_keys_the_username_first(self) -> None:
        self.assertIn("username", self.refusal("mockPassword"))
        self.assertIn("username", self.refusal("mockPassword", {"username": "", "password": "p"}))
        self.assertIn("username", self.refusal("mockPassword", {"username": 5, "password": "p"}))
        self.assertIn("password", self.refusal("mockPassword", {"username": "u"}))
        self.assertIn("password", self.refusal("mockPassword", {"username": "u", "password": ""}))

    def test_unknown_type_is_refused_by_name(self) -> None:
        self.assertIn('connector type "carrier-pigeon" is unknown', self.refusal("carrier-pigeon"))

    def test_type_that_only_dex_has_is_refused_as_not_built(self) -> None:
        for kind in NOT_BUILT_YET:
            self.assertIn(f'connector type "{kind}" is not built yet', self.refusal(kind))

    def test_config_that_is_no_json_object_is_refused_without_repeating_it(self) -> None:
        for config in (b"{secret", b"\xff", b'["secret"]', b'"secret"', b"null"):
            self.assertNotIn("secret", self.refusal("mockCallback", config))


class SettingsKeysTests(SynchronousTestCase):
    """What of a stored connector's settings reaches the connector (interface 6.2)."""

    def settings(self, stored: Any, *keys: str) -> Mapping[str, Any]:
        """What a type with these keys gets."""
        got: list[Mapping[str, Any]] = []

        async def keep(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> Connector:
            got.append(config)
            return MockCallbackConnector()

        kind = ConnectorType(name="pigeon", open=keep, config_keys=frozenset(keys))
        record = ConnectorRecord(id="corp", type="pigeon", name="P", config=json.dumps(stored).encode())
        with capturedLogs() as self.events:
            self.successResultOf(started(open_connector(record, context=CONTEXT, find=lambda _: kind)))
        return got[0]

    def unknown(self) -> list[str]:
        return [event["key"] for event in self.events if event["log_level"] is LogLevel.warn]

    def test_any_letter_case_comes_under_the_exact_name(self) -> None:
        self.assertEqual(self.settings({"ROOTca": 1}, "rootCA"), {"rootCA": 1})
        self.assertEqual(self.unknown(), [])

    def test_the_exact_spelling_wins(self) -> None:
        for stored in ({"rootca": 1, "rootCA": 2}, {"rootCA": 2, "rootca": 1}):
            self.assertEqual(self.settings(stored, "rootCA"), {"rootCA": 2})

    def test_unknown_keys_are_left_out_and_told_without_their_values(self) -> None:
        self.assertEqual(self.settings({"host": "h", "hots": "s3cret"}, "host"), {"host": "h"})
        self.assertEqual(self.unknown(), ["hots"])
        self.assertNotIn("s3cret", str(self.events))

    def test_keys_below_keys(self) -> None:
        keys = ("user.baseDN", "user.matchers.attr", "names")
        stored = {
            "USER": {"basedn": "x", "matchers": [{"ATTR": 1}, {"atr": 2}, "odd"], "wings": 2},
            "names": {"Free": {"As": "it is"}},
        }
        self.assertEqual(
            self.settings(stored, *keys),
            {
                "user": {"baseDN": "x", "matchers": [{"attr": 1}, {}, "odd"]},
                "names": {"Free": {"As": "it is"}},
            },
        )
        self.assertEqual(self.unknown(), ["user.matchers.atr", "user.wings"])

    def test_a_type_without_keys_gets_nothing(self) -> None:
        self.assertEqual(self.settings({"a": 1}), {})


class TypesTests(SynchronousTestCase):
    """The names."""

    def test_every_built_in_type_is_found_under_its_own_name(self) -> None:
        for name in BUILT_IN:
            found = connector_type(name)
            assert found is not None
            self.assertEqual(found.name, name)

    def test_types_tell_the_keys_of_their_settings(self) -> None:
        found = connector_type("mockPassword")
        assert found is not None
        self.assertEqual(found.config_keys, {"username", "password"})

    def test_other_names_have_no_type(self) -> None:
        for name in ("carrier-pigeon", ""):
            self.assertIsNone(connector_type(name))

    def test_configuration_knows_the_types_of_dex_but_not_the_internal_one(self) -> None:
        self.assertEqual(len(known_types()), 18)
        self.assertTrue({"mockCallback", "ldap", "samlExperimental"} <= known_types())
        self.assertNotIn("local", known_types())
