"""Types that installed packages offer."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError, ConnectorUnavailable
from dextwist.connectors.mock import MockCallbackConnector
from dextwist.connectors.registry import connector_type, known_types
from dextwist.connectors.types import GROUP, ConnectorTypes, installed_types
from dextwist.model.claim_rules import ClaimRules, GroupsRule
from dextwist.model.config_keys import KeyTree
from dextwist.model.connector import ConnectorRecord
from tests.connectors.fakes import started
from tests.connectors.offered import PIGEON
from tests.connectors.test_registry import CONTEXT


def offer(name: str = "carrier-pigeon", value: str = "tests.connectors.offered:PIGEON") -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def types(*offers: EntryPoint) -> ConnectorTypes:
    found: dict[str, list[EntryPoint]] = {}
    for each in offers:
        found.setdefault(each.name, []).append(each)
    return ConnectorTypes(found)


class ConnectorTypesTests(SynchronousTestCase):
    def unusable(self, offered: ConnectorTypes, name: str = "carrier-pigeon") -> str:
        """Why a connector of that type cannot be opened."""
        record = ConnectorRecord(id="corp", type=name, name="Corp")
        opening = started(offered.open(record, context=CONTEXT, claim_rules={}))
        return str(self.failureResultOf(opening, ConnectorUnavailable).value)

    def test_type_of_a_package_is_found_and_opened(self) -> None:
        offered = types(offer())
        self.assertEqual(offered.problem("carrier-pigeon"), "")
        self.assertIs(offered.find("carrier-pigeon"), PIGEON)
        record = ConnectorRecord(id="corp", type="carrier-pigeon", name="Corp")
        opened = self.successResultOf(started(offered.open(record, context=CONTEXT, claim_rules={})))
        self.assertIsInstance(opened, MockCallbackConnector)

    def test_its_keys_are_told(self) -> None:
        self.assertEqual(types(offer()).config_keys("carrier-pigeon"), KeyTree.of(["loft", "route.via"]))

    def test_built_in_types_are_found_beside_it(self) -> None:
        offered = types(offer())
        for name in known_types():
            self.assertEqual(offered.problem(name), "")
            self.assertEqual(offered.find(name), connector_type(name))

    def test_nothing_is_imported_until_a_type_is_needed(self) -> None:
        offered = types(offer(value="no.such.module:X"))
        self.assertEqual(offered.problem("carrier-pigeon"), "")
        self.assertIn("carrier-pigeon", offered.table())

    def test_other_names_are_unknown(self) -> None:
        self.assertEqual(types().problem("pigeon"), 'unknown connector type "pigeon"')
        self.assertIn('unknown connector type "pigeon"', self.unusable(types(), "pigeon"))

    def test_local_is_no_type_that_can_be_configured_whoever_offers_it(self) -> None:
        for offered in (types(), types(offer("local"))):
            self.assertEqual(offered.problem("local"), 'unknown connector type "local"')
            self.assertIs(offered.find("local"), connector_type("local"))

    def test_package_never_takes_the_place_of_a_type_of_ours(self) -> None:
        for name in known_types():
            offered = types(offer(name))
            self.assertIn("is there twice", offered.problem(name))
            self.assertIn("tests.connectors.offered:PIGEON", offered.problem(name))
            self.assertIn("is there twice", self.unusable(offered, name))
            self.assertIsNone(offered.config_keys(name))

    def test_name_that_two_packages_offer_is_refused(self) -> None:
        offered = types(offer(), offer(value="another.package:PIGEON"))
        for name in ("tests.connectors.offered:PIGEON", "another.package:PIGEON"):
            self.assertIn(name, self.unusable(offered))

    def test_broken_package_is_a_connector_that_cannot_be_opened(self) -> None:
        for value, why in (
            ("no.such.module:X", "ModuleNotFoundError"),
            ("tests.connectors.offered:NOTHING", "AttributeError"),
            ("tests.connectors.offered:NO_TYPE", "is no ConnectorType"),
        ):
            offered = types(offer(value=value))
            self.assertIn(why, self.unusable(offered))
            self.assertIsNone(offered.config_keys("carrier-pigeon"))
            with self.assertRaises(ConnectorError):
                offered.find("carrier-pigeon")

    def test_rules_stand_around_the_connector_of_their_id_alone(self) -> None:
        rules = {"corp": ClaimRules(groups=GroupsRule(drop=True))}
        for connector_id, groups in (("corp", ()), ("other", ("authors",))):
            record = ConnectorRecord(id=connector_id, type="mockCallback", name="M")
            opening = started(types().open(record, context=CONTEXT, claim_rules=rules))
            connector = self.successResultOf(opening)
            identity = self.successResultOf(started(connector.token_identity("t", "x")))  # type: ignore[union-attr]  # it is a mock
            self.assertEqual(identity.claims.groups, groups)

    def test_table_tells_where_each_comes_from(self) -> None:
        lines = dict(line.split(None, 1) for line in types(offer(), offer("oidc")).table().splitlines())
        self.assertEqual(lines["mockCallback"], "built in")
        self.assertEqual(lines["carrier-pigeon"], "tests.connectors.offered:PIGEON")
        self.assertIn("twice", lines["oidc"])

    def test_what_is_installed_is_read_from_the_metadata(self) -> None:
        self.assertIsInstance(installed_types(), dict)
