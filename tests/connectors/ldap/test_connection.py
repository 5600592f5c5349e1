"""A connection to a server that may say anything: limits in time and size, and nonsense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ldaptor.protocols import pureber, pureldap
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.answers import LONGEST_MESSAGE, Unreadable, message_length, read_answer
from dextwist.connectors.ldap.connection import ConnectionBroken, LdapConnection, LdapRefusal
from dextwist.connectors.ldap.filters import Present
from dextwist.connectors.ldap.wire import PAGED_RESULTS, PASSWORD_POLICY, Page, Search

SEARCH = Search(base="dc=x", condition=Present("objectClass"), attributes=("cn",))
ENTRY = pureldap.LDAPSearchResultEntry(b"cn=a,dc=x", [(b"CN", [b"a", b"\xff"])])


class Transport(StringTransport):
    """Remembers whether TLS was started."""

    tls = False

    def startTLS(self, creator: object) -> None:
        self.tls = True


def message(operation: Any, message_id: int = 1, controls: Any = None) -> bytes:
    written: bytes = pureldap.LDAPMessage(operation, controls=controls, id=message_id).toWire()
    return written


def done(code: int = 0, text: str = "") -> Any:
    return pureldap.LDAPSearchResultDone(resultCode=code, errorMessage=text)


class ConnectionCase(SynchronousTestCase):
    """Over a transport in memory."""

    def setUp(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.clock = Clock()
        self.transport = Transport()
        self.connection = LdapConnection(clock=self.clock)
        self.connection.makeConnection(self.transport)

    def searching(self, page: Page | None = None) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.connection.search(SEARCH, time_limit=20, page=page))

    def binding(self) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.connection.bind(b"cn=a", b"secret", time_limit=20))

    def receive(self, *data: bytes) -> None:
        for each in data:
            self.connection.dataReceived(each)

    def broken(self, deferred: Deferred[Any]) -> ConnectionBroken:
        """That the operation failed, and the connection with it."""
        error = self.failureResultOf(deferred, ConnectionBroken).value
        assert isinstance(error, ConnectionBroken)
        self.assertTrue(self.transport.disconnected or self.connection.lost)
        self.failureResultOf(self.searching(), ConnectionBroken)
        return error


class AnswerTests(ConnectionCase):
    """What is understood."""

    def test_entries_are_bytes_and_their_attributes_have_no_letter_case(self) -> None:
        deferred = self.searching()
        self.receive(message(ENTRY) + message(done()))
        (entry,) = self.successResultOf(deferred).entries
        self.assertEqual((entry.dn, entry.values("cn")), (b"cn=a,dc=x", (b"a", b"\xff")))
        self.assertEqual((entry.values("DN"), entry.values("mail")), ((b"cn=a,dc=x",), ()))

    def test_an_answer_may_come_byte_by_byte(self) -> None:
        deferred = self.searching()
        self.receive(*(bytes([byte]) for byte in message(ENTRY) + message(done())))
        self.assertEqual(len(self.successResultOf(deferred).entries), 1)

    def test_a_page_names_the_next_one(self) -> None:
        deferred = self.searching(Page(size=2))
        value = pureber.BERSequence([pureber.BERInteger(0), pureber.BEROctetString(b"next")]).toWire()
        self.receive(message(done(), controls=[(PAGED_RESULTS, False, value)]))
        self.assertEqual(self.successResultOf(deferred).cookie, b"next")

    def test_a_size_limit_is_told(self) -> None:
        deferred = self.searching()
        self.receive(message(ENTRY) + message(done(4)))
        found = self.successResultOf(deferred)
        self.assertEqual((len(found.entries), found.cut_off), (1, True))

    def test_another_result_is_a_refusal(self) -> None:
        deferred = self.searching()
        self.receive(message(done(50, "go away")))
        refusal = self.failureResultOf(deferred, LdapRefusal).value
        self.assertEqual(str(refusal), "search: result 50 (go away)")

    def test_references_are_not_followed(self) -> None:
        deferred = self.searching()
        reference = pureldap.LDAPSearchResultReference([pureldap.LDAPString(b"ldap://other/dc=x")])
        inner = pureber.BERSequence(reference.uris, tag=reference.tag)
        self.receive(message(inner) + message(done()))
        self.assertTrue(self.successResultOf(deferred).referred)

    def test_a_referral_is_a_refusal(self) -> None:
        deferred = self.searching()
        # resultCode referral, with the URLs in [3] (RFC 4511 §4.1.10)
        body = b"\x0a\x01\x0a\x04\x00\x04\x00\xa3\x0e\x04\x0cldap://other"
        self.receive(b"\x30" + bytes([5 + len(body)]) + b"\x02\x01\x01\x65" + bytes([len(body)]) + body)
        self.failureResultOf(deferred, LdapRefusal)

    def test_a_bind_tells_the_error_of_the_password_policy(self) -> None:
        for value, error in (
            (b"\x30\x03\x81\x01\x01", 1),
            (b"\x30\x05\xa0\x03\x80\x01\x05", None),
            (b"\x30\x00", None),
        ):
            self.connect()
            deferred = self.binding()
            self.receive(
                message(pureldap.LDAPBindResponse(resultCode=49), controls=[(PASSWORD_POLICY, False, value)])
            )
            result = self.successResultOf(deferred)
            self.assertEqual((result.code, result.policy_error), (49, error))

    def test_saying_goodbye_says_it_to_the_server(self) -> None:
        self.connection.close()
        self.assertTrue(self.transport.value().endswith(b"\x42\x00"))
        self.assertTrue(self.transport.disconnecting)


class HostileTests(ConnectionCase):
    """What ends the connection."""

    def test_silence(self) -> None:
        deferred = self.searching()
        self.clock.advance(20)
        self.assertTrue(self.broken(deferred).timed_out)
        self.assertTrue(self.transport.disconnected)

    def test_dripping_does_not_stretch_the_time(self) -> None:
        deferred = self.searching()
        for _ in range(20):
            self.receive(message(ENTRY))
            self.clock.advance(1)
        self.assertTrue(self.broken(deferred).timed_out)

    def test_going_away(self) -> None:
        deferred = self.searching()
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.assertFalse(self.broken(deferred).timed_out)

    def test_whoever_gives_up_ends_the_connection(self) -> None:
        deferred = self.searching()
        deferred.cancel()
        self.failureResultOf(deferred, CancelledError)
        self.assertTrue(self.transport.disconnected)

    def nonsense(self, *received: bytes, asking: Callable[[], Deferred[Any]] | None = None) -> None:
        self.connect()
        deferred = (asking or self.searching)()
        self.receive(*received)
        self.broken(deferred)
        self.assertTrue(self.transport.disconnected)

    def test_nonsense(self) -> None:
        bind = pureldap.LDAPBindResponse(resultCode=0)
        for received in (
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\x30\x80",
            b"\x30\x85\x01\x00\x00\x00\x00",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x00",
            b"\x30\x03\x02\x01\x01",
            b"\x30\x05\x02\x01\x01\x65\x00",
            b"\x30\x05\x02\x01\x01\x65\x7f",
            message(bind),
            message(done(), message_id=99),
            message(ENTRY) * 2 + message(bind),
        ):
            self.nonsense(received)

    def test_an_answer_to_a_bind_is_no_entry(self) -> None:
        for received in (message(ENTRY), message(done())):
            self.nonsense(received, asking=self.binding)

    def test_notice_of_disconnection(self) -> None:
        notice = pureldap.LDAPExtendedResponse(
            resultCode=52, errorMessage="shutting down", responseName=b"1.3.6.1.4.1.1466.20036"
        )
        deferred = self.searching()
        self.receive(message(notice, message_id=0))
        self.assertIn("shutting down", str(self.broken(deferred)))

    def test_a_message_without_end_is_refused_at_its_beginning(self) -> None:
        self.nonsense(b"\x30\x84" + (LONGEST_MESSAGE + 1).to_bytes(4, "big"))

    def test_entries_without_end(self) -> None:
        deferred = self.searching()
        large = message(pureldap.LDAPSearchResultEntry(b"cn=a", [(b"cn", [b"x" * 2**20])]))
        for _ in range(40):
            if not self.connection.lost:
                self.receive(large)
        self.broken(deferred)

    def test_unasked_words(self) -> None:
        self.receive(message(done()))
        self.assertTrue(self.connection.lost)

    def test_a_cookie_that_cannot_be_read(self) -> None:
        deferred = self.searching(Page(size=2))
        self.receive(message(done(), controls=[(PAGED_RESULTS, False, b"\x30\x05\x02")]))
        self.broken(deferred)

    def test_ld04_clear_text_behind_start_tls_is_not_taken_over(self) -> None:
        answer = message(pureldap.LDAPStartTLSResponse(resultCode=0))
        injected = message(pureldap.LDAPBindResponse(resultCode=0), message_id=2)
        deferred: Deferred[None] = Deferred.fromCoroutine(
            self.connection.start_tls(None, time_limit=5)  # type: ignore[arg-type]  # it is not needed
        )
        self.receive(answer + injected)
        self.broken(deferred)
        self.assertFalse(self.transport.tls)

    @given(st.binary(max_size=80))
    @settings(max_examples=200)
    def test_any_bytes_are_an_answer_or_unreadable(self, data: bytes) -> None:
        for received in (data, b"\x30" + bytes([len(data)]) + data):
            try:
                length = message_length(received)
                if length is not None and length <= len(received):
                    read_answer(received[:length])
            except Unreadable:
                pass

    def test_many_small_elements_cost_no_more_than_their_length(self) -> None:
        # A quarter of a million values: half a second, where the square of it would be minutes.
        values = b"\x04\x00" * 250_000
        inner = b"\x04\x00" + _tagged(0x30, _tagged(0x30, b"\x04\x01a" + _tagged(0x31, values)))
        found = read_answer(_tagged(0x30, b"\x02\x01\x01" + _tagged(0x64, inner))).content
        assert found is not None
        self.assertEqual(len(found.values("a")), 250_000)  # type: ignore[union-attr]  # it is an entry


def _tagged(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content
