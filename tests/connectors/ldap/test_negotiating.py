"""Logging in with a ticket: what the browser is told, by what it sent. Kerberos itself is a stub here."""

from __future__ import annotations

import base64
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import ConnectorError, ConnectorScopes, Identity, Negotiation
from dextwist.connectors.ldap.answers import Entry
from dextwist.connectors.ldap.config import read_settings
from dextwist.connectors.ldap.connector import LdapConnector
from dextwist.connectors.ldap.directory import Directory
from dextwist.connectors.ldap.tickets import AcceptedTicket, TicketRefused, offered_token, username_of
from tests.connectors.fakes import started
from tests.connectors.ldap.opening import ALL_SCOPES

_SETTINGS = {
    "host": "ldap.example.org",
    "userSearch": {"baseDN": "dc=x", "username": "uid", "nameAttr": "cn"},
}
_TOKEN = "Negotiate " + base64.b64encode(b"ticket").decode()


@attrs.define
class StubTickets:
    """Accepts whatever comes, as somebody's, unless it is told to refuse."""

    ticket: AcceptedTicket
    refuses: bool = False
    seen: list[bytes] = attrs.field(factory=list)

    async def accept(self, token: bytes) -> AcceptedTicket:
        self.seen.append(token)
        if self.refuses:
            raise TicketRefused("no")
        return self.ticket


@attrs.define
class StubDirectory:
    """Knows everybody but those in `unknown`."""

    asked: list[str] = attrs.field(factory=list)
    unknown: tuple[str, ...] = ()
    failure: Exception | None = None

    async def person(self, username: str) -> Entry | None:
        self.asked.append(username)
        if self.failure is not None:
            raise self.failure
        attributes = tuple((name, (username.encode(),)) for name in ("uid", "mail", "cn"))
        return None if username in self.unknown else Entry(b"uid=x", attributes)

    def user_attributes(self) -> tuple[str, ...]:
        return ("uid",)

    async def groups_of(self, person: Entry) -> tuple[str, ...]:
        return ("admins",)


class NegotiatingTests(SynchronousTestCase):
    """Row by row."""

    def setUp(self) -> None:
        self.tickets = StubTickets(AcceptedTicket(name="jdoe", realm="EXAMPLE.COM", reply="b2s="))
        self.directory = StubDirectory()

    def connector(self, **kerberos: Any) -> LdapConnector:
        config = {**_SETTINGS, "kerberos": {"enabled": True, "keytabPath": "/x", **kerberos}}
        directory: Any = self.directory
        assert not isinstance(directory, Directory)
        return LdapConnector(
            connector_id="ldap",
            settings=read_settings(config),
            directory=directory,
            clock=Clock(),
            tickets=self.tickets,
        )

    def negotiate(
        self,
        connector: LdapConnector,
        authorization: str = "",
        *,
        asked_before: bool = False,
        scopes: ConnectorScopes = ALL_SCOPES,
    ) -> tuple[Identity | None, str]:
        """Whom it gives, and the challenge."""
        negotiation = Negotiation(authorization=authorization, asked_before=asked_before)
        found = self.successResultOf(started(connector.negotiate(scopes, negotiation)))
        return found, negotiation.challenge

    def test_without_kerberos_nobody_is_asked(self) -> None:
        connector = attrs.evolve(self.connector(), tickets=None)
        self.assertEqual(self.negotiate(connector, _TOKEN), (None, ""))

    def test_without_a_token_the_browser_is_asked_for_one(self) -> None:
        for fallback in (False, True):
            connector = self.connector(fallbackToPassword=fallback)
            for authorization in ("", "Basic eDp5", "Negotiate", "Negotiate  "):
                self.assertEqual(self.negotiate(connector, authorization), (None, "Negotiate"))
        self.assertEqual(self.tickets.seen, [])

    def test_a_browser_that_was_asked_in_vain_gets_the_form(self) -> None:
        connector = self.connector(fallbackToPassword=True)
        self.assertEqual(self.negotiate(connector, asked_before=True), (None, ""))
        self.assertEqual(self.negotiate(self.connector(), asked_before=True), (None, "Negotiate"))

    def test_a_ticket_that_is_refused(self) -> None:
        self.tickets.refuses = True
        for authorization in (_TOKEN, "Negotiate !!!", "Negotiate TlRMTVNTUAABAAAA"):
            self.assertEqual(
                self.negotiate(self.connector(), authorization), (None, "Negotiate oQcwBaADCgEC")
            )
            with_form = self.connector(fallbackToPassword=True)
            self.assertEqual(self.negotiate(with_form, authorization), (None, ""))
        self.assertEqual(set(self.tickets.seen), {b"ticket"})

    def test_a_ticket_that_counts(self) -> None:
        for authorization in (_TOKEN, _TOKEN.replace("Negotiate ", "NEGOTIATE   ")):
            found, challenge = self.negotiate(self.connector(), authorization)
            assert found is not None
            self.assertEqual((found.claims.user_id, found.claims.groups), ("jdoe", ("admins",)))
            self.assertEqual(challenge, "Negotiate b2s=")
            self.assertIn(b"jdoe", found.connector_data)
        plain, _ = self.negotiate(self.connector(), _TOKEN, scopes=ConnectorScopes())
        assert plain is not None
        self.assertEqual((plain.claims.groups, plain.connector_data), ((), b""))

    def test_the_realm_is_compared_without_letter_case(self) -> None:
        self.assertIsNotNone(self.negotiate(self.connector(expectedRealm="ExAmPlE.CoM"), _TOKEN)[0])
        other = {"expectedRealm": "OTHER.COM"}
        self.assertEqual(self.negotiate(self.connector(**other), _TOKEN), (None, "Negotiate"))
        with_form = self.connector(**other, fallbackToPassword=True)
        self.assertEqual(self.negotiate(with_form, _TOKEN), (None, ""))

    def test_principals_become_user_names(self) -> None:
        for form, expected in (
            ("localpart", "jdoe"),
            ("SAMACCOUNTNAME", "jdoe"),
            ("", "jdoe"),
            ("userPrincipalName", "jdoe@EXAMPLE.COM"),
        ):
            self.negotiate(self.connector(usernameFromPrincipal=form), _TOKEN)
            self.assertEqual(self.directory.asked.pop(), expected)
        for name, realm, with_realm, expected in (
            ("JDoe", "EXAMPLE.COM", False, "JDoe"),
            ("JDoe", "EXAMPLE.COM", True, "JDoe@EXAMPLE.COM"),
            ("JDoe@EXAMPLE.COM", "EXAMPLE.COM", False, "JDoe"),
            ("JDoe@EXAMPLE.COM", "EXAMPLE.COM", True, "JDoe@EXAMPLE.COM"),
            ("jdoe", "", True, "jdoe"),
            ("", "EXAMPLE.COM", False, ""),
        ):
            self.assertEqual(
                username_of(AcceptedTicket(name=name, realm=realm), with_realm=with_realm), expected
            )

    def test_a_ticket_of_nobody(self) -> None:
        self.directory.unknown = ("jdoe",)
        negotiation = Negotiation(authorization=_TOKEN)
        self.failureResultOf(started(self.connector().negotiate(ALL_SCOPES, negotiation)), ConnectorError)
        self.assertEqual(self.negotiate(self.connector(fallbackToPassword=True), _TOKEN), (None, ""))

    def test_a_directory_that_fails_is_an_error_with_the_form_too(self) -> None:
        self.directory.failure = ConnectorError("down")
        for fallback in (False, True):
            connector = self.connector(fallbackToPassword=fallback)
            negotiation = Negotiation(authorization=_TOKEN)
            self.failureResultOf(started(connector.negotiate(ALL_SCOPES, negotiation)), ConnectorError)

    def test_a_token_is_not_shown(self) -> None:
        self.assertNotIn("dGlja2V0", repr(Negotiation(authorization=_TOKEN, challenge=_TOKEN)))
        self.assertEqual(offered_token(_TOKEN), b"ticket")
