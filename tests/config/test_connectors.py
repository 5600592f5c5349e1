"""Connectors that the file declares."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from dextwist.config.connector_types import ConnectorTypes
from dextwist.config.connectors import RefreshPolicy
from dextwist.model.config_keys import KeyTree
from dextwist.model.connector import ConnectorRecord
from tests.config.case import MOCK, ConfigCase

GRANTS = [
    "authorization_code",
    "refresh_token",
    "implicit",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]


STRICT = {"DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS": "true"}


class PigeonTypes(ConnectorTypes):
    """Knows one type and its keys, and one that cannot be used."""

    def problem(self, name: str) -> str:
        return "" if name == "carrier-pigeon" else "two have it"

    def config_keys(self, name: str) -> KeyTree | None:
        return KeyTree.of(["loft", "route.via", "route.stops.city"]) if name == "carrier-pigeon" else None


def connectors(*entries: Any) -> dict[str, Any]:
    return {"connectors": list(entries)}


class ConnectorsTest(ConfigCase):
    def test_4_3_a_record_for_each_in_order(self) -> None:
        ldap = {"type": "ldap", "id": "corp", "name": "Corp", "config": {"host": "h"}, "grantTypes": GRANTS}
        self.assertEqual(
            self.load(connectors(MOCK, ldap)).static_connectors,
            (
                ConnectorRecord(id="mock", type="mockCallback", name="Mock", config=b"{}"),
                ConnectorRecord(
                    id="corp", type="ldap", name="Corp", config=b'{"host":"h"}', grant_types=tuple(GRANTS)
                ),
            ),
        )

    def test_4_3_the_password_db_comes_last(self) -> None:
        records = self.load({**connectors(MOCK), "enablePasswordDB": True}).static_connectors
        self.assertEqual([each.id for each in records], ["mock", "local"])
        self.assertEqual(records[1], ConnectorRecord(id="local", type="local", name="Email"))

    def test_none_at_all_is_for_the_start_to_judge(self) -> None:
        self.assertEqual(self.load().static_connectors, ())

    def test_4_3_required_keys(self) -> None:
        for name in ("id", "type", "name"):
            entry = {key: value for key, value in MOCK.items() if key != name}
            self.assert_refused(
                connectors(entry),
                f"connectors[0].{name}",
                "ID, Type and Name fields are required for a connector",
            )

    def test_2_unknown_types_are_refused(self) -> None:
        for kind in ("carrier-pigeon", "local", "LDAP"):
            self.assert_refused(
                connectors({**MOCK, "type": kind}), "connectors[0].type", f'unknown connector type "{kind}"'
            )

    def test_types_that_packages_add_are_known(self) -> None:
        over = connectors({**MOCK, "type": "carrier-pigeon"})
        (record,) = self.load(over, connector_types=PigeonTypes()).static_connectors
        self.assertEqual(record.type, "carrier-pigeon")

    def test_why_a_type_cannot_be_used_is_said(self) -> None:
        over = connectors({**MOCK, "type": "ldap"})
        self.assert_refused(over, "connectors[0].type", "two have it", connector_types=PigeonTypes())

    def test_4_3_unknown_grants_are_refused(self) -> None:
        for grant in ("barter", "client_credentials"):
            self.assert_refused(
                connectors({**MOCK, "grantTypes": ["password", grant]}),
                "connectors[0].grantTypes[1]",
                f'unknown grant type "{grant}" for connector "mock"',
            )

    def test_an_id_is_a_segment_of_urls(self) -> None:
        for wrong in ("a/b", "a\nb", "a\x7f", ".", ".."):
            self.assert_refused(connectors({**MOCK, "id": wrong}), "connectors[0].id", "no slash")
        self.load(connectors({**MOCK, "id": "with space.and-dots"}))

    def test_an_id_that_is_taken_is_refused(self) -> None:
        self.assert_refused(connectors(MOCK, MOCK), "connectors[1]", '"mock"', "connectors[0]")
        over = {**connectors({**MOCK, "id": "local"}), "enablePasswordDB": True}
        self.assert_refused(over, "connectors", '"local"')

    def test_1_1_their_config_is_expanded_at_any_depth_and_nothing_else(self) -> None:
        entry = {
            "type": "ldap",
            "id": "$ID",
            "name": "$ID",
            "config": {"a": "$VAR", "$VAR": 5, "list": ["$VAR", {"b": "${VAR}"}], "money": "$$5", "no": None},
        }
        (record,) = self.load(connectors(entry), environ={"VAR": "é$ID", "ID": "x"}).static_connectors
        self.assertEqual((record.id, record.name), ("$ID", "$ID"))
        self.assertEqual(
            json.loads(record.config),
            {"a": "é$ID", "$VAR": 5, "list": ["é$ID", {"b": "é$ID"}], "money": "$5", "no": None},
        )

    def test_1_1_expansion_can_be_turned_off(self) -> None:
        entry = {**MOCK, "config": {"username": "$HOME", "password": "$$"}}
        environ = {"HOME": "/", "DEX_EXPAND_ENV": "false"}
        (record,) = self.load(connectors(entry), environ=environ).static_connectors
        self.assertEqual(json.loads(record.config), {"username": "$HOME", "password": "$$"})

    def test_a_config_that_is_no_mapping_is_refused(self) -> None:
        self.assert_refused(connectors({**MOCK, "config": ["x"]}), "connectors[0].config", "a mapping")

    def test_keys_of_a_config_are_left_alone_where_nobody_knows_them(self) -> None:
        config = {"anything": 1, "bindPWFile": "/nonexistent"}
        over = connectors({"type": "ldap", "id": "l", "name": "L", "config": config})
        (record,) = self.load(over, environ=STRICT).static_connectors
        self.assertEqual(json.loads(record.config), config)

    def test_two_spellings_of_a_key_in_a_config_are_warned_of(self) -> None:
        entry = {"type": "ldap", "id": "l", "name": "L", "config": {"rootCA": "a", "rootca": "b"}}
        self.assert_warned(connectors(entry), "connectors[0].config", "same key")


class SettingsKeysTest(ConfigCase):
    """Keys that the type tells (interface 6.2)."""

    def pigeon(self, **config: Any) -> dict[str, Any]:
        return connectors({**MOCK, "type": "carrier-pigeon", "config": config})

    def settings(self, **config: Any) -> Any:
        loaded = self.load(self.pigeon(**config), connector_types=PigeonTypes())
        self.assertEqual(loaded.warnings, ())
        return json.loads(loaded.static_connectors[0].config)

    def assert_unknown(self, config: dict[str, Any], path: str, *words: str) -> None:
        """The key is left out with a warning, and refused in strict mode."""
        over = self.pigeon(**config)
        self.assert_warned(over, path + ",", "unknown key, ignored", *words, connector_types=PigeonTypes())
        self.assert_refused(over, path, "unknown key", *words, environ=STRICT, connector_types=PigeonTypes())

    def test_any_letter_case_comes_under_the_exact_name(self) -> None:
        self.assertEqual(
            self.settings(LOFT="$HOME", ROUTE={"Via": "x", "STOPS": [{"CITY": "y"}, "z"]}),
            {"loft": "", "route": {"via": "x", "stops": [{"city": "y"}, "z"]}},
        )

    def test_what_a_key_without_keys_holds_is_left_alone(self) -> None:
        self.assertEqual(self.settings(loft={"Any": {"Thing": [1]}}), {"loft": {"Any": {"Thing": [1]}}})
        self.assertEqual(self.settings(route=None, loft=[]), {"route": None, "loft": []})

    def test_the_exact_spelling_wins_with_a_warning(self) -> None:
        loaded = self.load(self.pigeon(LOFT="a", loft="b"), connector_types=PigeonTypes())
        self.assertEqual(json.loads(loaded.static_connectors[0].config), {"loft": "b"})
        self.assertIn("same key", loaded.warnings[0])

    def test_unknown_keys_are_told_at_any_depth(self) -> None:
        path = "connectors[0].config"
        self.assert_unknown({"loftt": "a"}, f"{path}.loftt", "did you mean loft?")
        self.assert_unknown({"route": {"vai": 1}}, f"{path}.route.vai", "did you mean via?")
        self.assert_unknown({"route": {"stops": [{"town": 1}]}}, f"{path}.route.stops[0].town")

    def test_unknown_keys_do_not_reach_the_connector(self) -> None:
        loaded = self.load(self.pigeon(wings=2, loft="a"), connector_types=PigeonTypes())
        self.assertEqual(json.loads(loaded.static_connectors[0].config), {"loft": "a"})


class RefreshPolicyTest(ConfigCase):
    def policy(self, **keys: Any) -> RefreshPolicy:
        return self.load(connectors({**MOCK, "refreshPolicy": keys})).refresh_policies["mock"]

    def test_the_upstream_is_always_asked_by_default(self) -> None:
        self.assertEqual(self.policy(), RefreshPolicy())
        self.assertEqual(
            (RefreshPolicy().recheck_after, RefreshPolicy().on_upstream_error), (timedelta(0), "refuse")
        )

    def test_words_and_durations(self) -> None:
        for written, after in (("always", timedelta(0)), ("never", None), ("15m", timedelta(minutes=15))):
            self.assertEqual(self.policy(recheck=written).recheck_after, after)
        self.assertEqual(self.policy(onUpstreamError="keep").on_upstream_error, "keep")

    def test_anything_else_is_refused(self) -> None:
        for name, wrong in (("recheck", "daily"), ("recheck", "-5m"), ("onUpstreamError", "shrug")):
            over = connectors({**MOCK, "refreshPolicy": {name: wrong}})
            self.assert_refused(over, f"connectors[0].refreshPolicy.{name}", wrong)
