"""When connectors are opened, shared, opened again and closed."""

from __future__ import annotations

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    CallbackConnector,
    Connector,
    ConnectorError,
    ConnectorUnavailable,
    OpenedConnector,
    PreparedConnector,
)
from dextwist.connectors.mock import MockCallbackConnector
from dextwist.connectors.opened import NoConnectors, OpenedConnectors
from dextwist.model.connector import CONNECTORS, ConnectorRecord
from dextwist.storage.interface import StorageUnavailable
from tests.connectors.fakes import FakeStorage, FakeUpstream, started

GITHUB = ConnectorRecord(
    id="github",
    type="github",
    name="GitHub",
    resource_version="1",
    grant_types=("authorization_code",),
)
LDAP = ConnectorRecord(id="ldap", type="ldap", name="LDAP")
SAML = ConnectorRecord(id="saml", type="saml", name="SAML")
REFUSED = ConnectorUnavailable("ldap", "refused")


class ConnectorsTestCase(SynchronousTestCase):
    """Opened connectors over a fake storage and a fake upstream."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.storage = FakeStorage()
        self.upstream = FakeUpstream()
        self.connectors = OpenedConnectors(
            storage=self.storage, clock=self.clock, open_connector=self.upstream.open
        )

    def store(self, *records: ConnectorRecord) -> None:
        self.storage.put(CONNECTORS, *records)

    def getting(self, connector_id: str) -> Deferred[OpenedConnector]:
        return started(self.connectors.get(connector_id))

    def get(self, connector_id: str) -> OpenedConnector:
        return self.successResultOf(self.getting(connector_id))

    def refusal(self, connector_id: str) -> ConnectorUnavailable:
        refused = self.failureResultOf(self.getting(connector_id), ConnectorUnavailable).value
        assert isinstance(refused, ConnectorUnavailable)
        return refused


class GetTests(ConnectorsTestCase):
    """What a use of a connector opens."""

    def test_first_use_opens_and_the_next_does_not(self) -> None:
        self.store(GITHUB)
        first, second = self.get("github"), self.get("github")
        self.assertEqual(self.upstream.opened, [GITHUB])
        self.assertIs(first.connector, second.connector)
        self.assertIsInstance(first.connector, CallbackConnector)

    def test_type_version_and_grant_types_come_with_it(self) -> None:
        self.store(GITHUB)
        self.assertEqual(self.get("github").record, GITHUB)

    def test_new_version_is_opened_exactly_once_more(self) -> None:
        self.store(GITHUB)
        old = self.get("github")
        changed = attrs.evolve(GITHUB, resource_version="2")
        self.store(changed)
        new = self.get("github")
        self.assertIs(self.get("github").connector, new.connector)
        self.assertIsNot(new.connector, old.connector)
        self.assertEqual((new.record, self.upstream.opened), (changed, [GITHUB, changed]))

    def test_any_change_of_the_record_counts_even_under_the_same_version(self) -> None:
        self.store(GITHUB)
        self.get("github")
        for change in ({"config": b'{"a":1}'}, {"name": "Hub"}, {"grant_types": ()}, {"type": "gitea"}):
            changed = attrs.evolve(GITHUB, **change)
            self.store(changed)
            self.assertEqual(self.get("github").record, changed)
        self.assertEqual(len(self.upstream.opened), 5)

    def test_unknown_connector_is_refused_and_nothing_opened(self) -> None:
        refusal = self.refusal("nobody")
        self.assertEqual((refusal.connector_id, refusal.record), ("nobody", None))
        self.assertEqual(self.upstream.opened, [])

    def test_failed_opening_is_tried_again_at_the_next_use(self) -> None:
        self.store(LDAP)
        self.upstream.failures["ldap"] = REFUSED
        for _ in range(2):
            refusal = self.refusal("ldap")
            self.assertEqual("refused", refusal.reason)
            self.assertIsNotNone(refusal.record)
        self.assertEqual(len(self.upstream.opened), 2)
        self.upstream.failures.clear()
        self.get("ldap")
        self.get("ldap")
        self.assertEqual(len(self.upstream.opened), 3)

    def test_fault_in_a_connector_is_logged_and_makes_it_unavailable(self) -> None:
        self.store(LDAP)
        self.upstream.failures["ldap"] = ZeroDivisionError("password=hunter2")
        self.assertNotIn("hunter2", str(self.refusal("ldap")))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_opening_that_does_not_end_is_given_up(self) -> None:
        self.store(LDAP)
        self.upstream.gates["ldap"] = Deferred()
        use = self.getting("ldap")
        self.clock.advance(9.9)
        self.assertNoResult(use)
        self.clock.advance(0.2)
        self.failureResultOf(use, ConnectorUnavailable)
        del self.upstream.gates["ldap"]
        self.get("ldap")

    def test_removed_connector_stops_at_once_and_one_created_anew_is_another(self) -> None:
        self.store(GITHUB)
        old = self.get("github")
        self.storage.remove(CONNECTORS, "github")
        self.refusal("github")
        self.store(GITHUB)
        self.assertIsNot(self.get("github").connector, old.connector)

    def test_connector_created_again_between_two_uses_has_its_new_settings(self) -> None:
        self.store(GITHUB)
        self.get("github")
        self.storage.remove(CONNECTORS, "github")
        again = attrs.evolve(GITHUB, config=b'{"password":"another"}')
        self.store(again)
        self.assertEqual(self.get("github").record, again)
        self.assertEqual(self.upstream.opened, [GITHUB, again])

    def test_storage_failure_passes_through(self) -> None:
        self.storage.failure = StorageUnavailable()
        self.failureResultOf(self.getting("github"), StorageUnavailable)

    def test_forgetting_an_unknown_connector_is_harmless(self) -> None:
        self.connectors.forget("nobody")

    def test_forgotten_connector_is_opened_anew(self) -> None:
        self.store(GITHUB)
        self.get("github")
        self.connectors.forget("github")
        self.get("github")
        self.assertEqual(self.upstream.opened, [GITHUB, GITHUB])


class SharedOpeningTests(ConnectorsTestCase):
    """Several uses while a connector opens."""

    def setUp(self) -> None:
        super().setUp()
        self.store(LDAP)
        self.gate: Deferred[None] = Deferred()
        self.upstream.gates["ldap"] = self.gate

    def test_uses_at_once_share_one_opening(self) -> None:
        uses = [self.getting("ldap") for _ in range(3)]
        self.gate.callback(None)
        connectors = {id(self.successResultOf(use).connector) for use in uses}
        self.assertEqual((len(self.upstream.opened), len(connectors)), (1, 1))

    def test_cancelled_use_leaves_the_opening_to_the_others(self) -> None:
        uses = [self.getting("ldap") for _ in range(3)]
        uses[0].cancel()
        uses[2].cancel()
        self.failureResultOf(uses[0], CancelledError)
        self.failureResultOf(uses[2], CancelledError)
        self.gate.callback(None)
        self.successResultOf(uses[1])
        self.assertEqual(len(self.upstream.opened), 1)

    def test_opening_that_nobody_waits_for_any_more_is_kept(self) -> None:
        use = self.getting("ldap")
        use.cancel()
        self.failureResultOf(use, CancelledError)
        self.gate.callback(None)
        self.get("ldap")
        self.assertEqual(len(self.upstream.opened), 1)

    def test_failure_reaches_everyone_who_waits(self) -> None:
        self.upstream.failures["ldap"] = REFUSED
        uses = [self.getting("ldap") for _ in range(3)]
        self.gate.callback(None)
        for use in uses:
            self.failureResultOf(use, ConnectorUnavailable)
        self.assertEqual(len(self.upstream.opened), 1)

    def test_failure_that_nobody_waits_for_is_not_kept(self) -> None:
        self.upstream.failures["ldap"] = REFUSED
        use = self.getting("ldap")
        use.cancel()
        self.failureResultOf(use, CancelledError)
        self.gate.callback(None)
        self.upstream.failures.clear()
        self.get("ldap")

    def test_change_while_opening_opens_the_new_record_beside(self) -> None:
        before = self.getting("ldap")
        changed = attrs.evolve(LDAP, resource_version="2")
        self.store(changed)
        after = self.getting("ldap")
        self.assertEqual(self.upstream.opened, [LDAP, changed])
        self.gate.callback(None)
        self.assertEqual(self.successResultOf(before).record, LDAP)
        self.assertEqual(self.successResultOf(after).record, changed)
        self.clock.advance(60)
        self.assertEqual(self.upstream.closed, [LDAP])


class ClosingTests(ConnectorsTestCase):
    """Connectors that are not needed any more."""

    def setUp(self) -> None:
        super().setUp()
        self.store(GITHUB)
        self.get("github")
        self.changed = attrs.evolve(GITHUB, resource_version="2")

    def test_replaced_connector_is_closed_after_its_uses(self) -> None:
        self.store(self.changed)
        self.get("github")
        self.clock.advance(59)
        self.assertEqual(self.upstream.closed, [])
        self.clock.advance(1)
        self.assertEqual(self.upstream.closed, [GITHUB])
        self.assertEqual(self.get("github").record, self.changed)
        self.assertEqual(self.upstream.opened, [GITHUB, self.changed])

    def test_removed_connector_is_closed_once_that_is_noticed_by_a_use_or_a_listing(self) -> None:
        self.store(LDAP)
        self.get("ldap")
        self.storage.remove(CONNECTORS, "github")
        self.refusal("github")
        self.storage.remove(CONNECTORS, "ldap")
        self.successResultOf(started(self.connectors.records()))
        self.clock.advance(60)
        self.assertEqual(self.upstream.closed, [GITHUB, LDAP])

    def test_close_closes_what_is_open_and_what_was_replaced_each_once(self) -> None:
        self.store(self.changed)
        self.get("github")
        self.successResultOf(started(self.connectors.close()))
        self.assertCountEqual(self.upstream.closed, [GITHUB, self.changed])
        self.clock.advance(60)
        self.assertEqual(len(self.upstream.closed), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_gives_up_what_is_still_opening(self) -> None:
        self.store(LDAP)
        self.upstream.gates["ldap"] = Deferred()
        use = self.getting("ldap")
        self.successResultOf(started(self.connectors.close()))
        self.failureResultOf(use, ConnectorUnavailable)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connector_that_does_not_close_is_logged_and_keeps_nobody(self) -> None:
        self.upstream.close_failure = ConnectorError("stuck")
        self.successResultOf(started(self.connectors.close()))
        self.assertEqual(len(self.flushLoggedErrors(ConnectorError)), 1)

    def test_closing_has_a_time_limit(self) -> None:
        self.upstream.closing = Deferred()
        closing = started(self.connectors.close())
        self.assertNoResult(closing)
        self.clock.advance(10)
        self.successResultOf(closing)
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_connector_without_anything_to_close_just_goes(self) -> None:
        async def plain(record: ConnectorRecord) -> MockCallbackConnector:
            return MockCallbackConnector()

        connectors = OpenedConnectors(storage=self.storage, clock=self.clock, open_connector=plain)
        self.successResultOf(started(connectors.get("github")))
        self.successResultOf(started(connectors.close()))
        self.assertEqual(self.flushLoggedErrors(), [])


@attrs.frozen
class SlowToPrepare(MockCallbackConnector, PreparedConnector):
    """Has what it needs of its upstream when the test says so."""

    preparing: list[Deferred[None]] = attrs.field(factory=list, eq=False)

    async def prepared(self) -> None:
        self.preparing.append(Deferred())
        await self.preparing[-1]


class StartTests(ConnectorsTestCase):
    """Opening everything at start."""

    def opening_all(self, *, continue_on_failure: bool = True) -> Deferred[list[ConnectorUnavailable]]:
        return started(self.connectors.open_all(continue_on_failure=continue_on_failure))

    def ids_failed(self) -> list[str]:
        return [failure.connector_id for failure in self.successResultOf(self.opening_all())]

    def break_openings(self, *connector_ids: str) -> None:
        for broken in connector_ids:
            self.upstream.failures[broken] = ConnectorUnavailable(broken, "out of order")

    def test_every_connector_is_opened_and_the_first_use_opens_no_more(self) -> None:
        self.store(GITHUB, LDAP)
        self.assertEqual(self.ids_failed(), [])
        self.get("github")
        self.get("ldap")
        self.assertEqual(self.upstream.opened, [GITHUB, LDAP])

    def test_one_that_fails_is_logged_and_the_others_are_open(self) -> None:
        self.store(GITHUB, LDAP, SAML)
        self.break_openings("ldap")
        with capturedLogs() as events:
            self.assertEqual(self.ids_failed(), ["ldap"])
        (event,) = events
        self.assertEqual(event["log_level"], LogLevel.error)
        self.assertEqual(event["log_format"], "server: Failed to open connector")
        self.assertEqual((event["id"], event["err"]), ("ldap", "out of order"))
        self.upstream.failures.clear()
        self.get("github")
        self.get("saml")
        self.assertEqual(len(self.upstream.opened), 3)
        self.get("ldap")
        self.assertEqual(len(self.upstream.opened), 4)

    def test_one_that_fails_ends_the_start_where_it_must_not_go_on(self) -> None:
        self.store(GITHUB, LDAP, SAML)
        self.break_openings("ldap")
        failure = self.failureResultOf(self.opening_all(continue_on_failure=False), ConnectorUnavailable)
        self.assertIn("'ldap'", str(failure.value))

    def test_one_whose_upstream_is_away_ends_the_start_where_it_must_not_go_on(self) -> None:
        self.store(LDAP)
        connector = SlowToPrepare()

        async def opened(record: ConnectorRecord) -> Connector:
            return connector

        self.connectors.open_connector = opened
        self.assertEqual(self.ids_failed(), [])
        self.assertFalse(connector.preparing)
        starting = self.opening_all(continue_on_failure=False)
        connector.preparing.pop().errback(ConnectorError("connection refused", unreachable=True))
        failure = self.failureResultOf(starting, ConnectorUnavailable)
        self.assertIn("'ldap': connection refused", str(failure.value))
        starting = self.opening_all(continue_on_failure=False)
        self.clock.advance(10.1)
        self.assertIn("ready", str(self.failureResultOf(starting, ConnectorUnavailable).value))
        starting = self.opening_all(continue_on_failure=False)
        connector.preparing.pop().callback(None)
        self.assertEqual(self.successResultOf(starting), [])

    def test_wrong_settings_in_the_file_end_the_start_in_any_case(self) -> None:
        self.store(GITHUB, LDAP)
        wrong = ConnectorUnavailable("ldap", "host is required", misconfigured=True)
        self.upstream.failures["ldap"] = wrong
        opening = started(self.connectors.open_all(configured=["github", "ldap"]))
        self.assertIs(self.failureResultOf(opening, ConnectorUnavailable).value, wrong)

    def test_wrong_settings_in_the_storage_do_not(self) -> None:
        self.store(GITHUB, LDAP)
        self.upstream.failures["ldap"] = ConnectorUnavailable("ldap", "no host", misconfigured=True)
        opening = started(self.connectors.open_all(configured=["github"]))
        self.assertEqual([failure.connector_id for failure in self.successResultOf(opening)], ["ldap"])

    def test_all_open_where_none_may_fail(self) -> None:
        self.store(GITHUB, LDAP)
        self.assertEqual(self.successResultOf(self.opening_all(continue_on_failure=False)), [])

    def test_RL_11_start_goes_on_though_all_upstreams_are_down(self) -> None:
        self.store(GITHUB, LDAP)
        self.break_openings("github", "ldap")
        self.assertEqual(self.ids_failed(), ["github", "ldap"])

    def test_all_failing_ends_the_start_where_it_must_not_go_on(self) -> None:
        self.store(GITHUB, LDAP)
        self.break_openings("github", "ldap")
        self.failureResultOf(self.opening_all(continue_on_failure=False), ConnectorUnavailable)

    def test_no_connector_at_all_ends_the_start_in_both_modes(self) -> None:
        for continue_on_failure in (True, False):
            failure = self.failureResultOf(
                self.opening_all(continue_on_failure=continue_on_failure), NoConnectors
            )
            self.assertEqual(str(failure.value), "no connectors specified")

    def test_RL_11_slow_upstreams_hold_the_start_up_together_and_for_ten_seconds_at_most(self) -> None:
        self.store(GITHUB, LDAP, SAML)
        self.upstream.gates |= {"github": Deferred(), "ldap": Deferred()}
        start = self.opening_all()
        self.assertEqual(self.upstream.opened, [GITHUB, LDAP, SAML])
        self.clock.advance(9)
        self.assertNoResult(start)
        self.clock.advance(1)
        self.assertEqual(len(self.successResultOf(start)), 2)

    def test_storage_failure_ends_the_start(self) -> None:
        self.storage.failure = StorageUnavailable()
        self.failureResultOf(self.opening_all(), StorageUnavailable)


class RecordsTests(ConnectorsTestCase):
    """The list for the login page."""

    def test_all_records_are_listed_whether_they_open_or_not(self) -> None:
        self.store(GITHUB, LDAP)
        self.upstream.failures["ldap"] = REFUSED
        self.refusal("ldap")
        self.assertEqual(self.successResultOf(started(self.connectors.records())), [GITHUB, LDAP])

    def test_count_is_that_of_the_last_listing(self) -> None:
        self.store(GITHUB, LDAP)
        self.assertEqual(self.connectors.count, 0)
        self.successResultOf(started(self.connectors.open_all()))
        self.assertEqual(self.connectors.count, 2)
        self.storage.remove(CONNECTORS, "ldap")
        self.successResultOf(started(self.connectors.records()))
        self.assertEqual(self.connectors.count, 1)
