"""One connection to a directory: one operation at a time, each with a limit in time and in size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, IOpenSSLClientConnectionCreator, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from dextwist.connectors.ldap import answers, wire
from dextwist.connectors.ldap.answers import Answer, BindResult, Entry, Result, Unreadable

T = TypeVar("T")

#: bytes that the answer to one request may have in all.
LONGEST_ANSWER = 32 * 2**20


@attrs.frozen(eq=False)
class ConnectionBroken(Exception):
    """The server gave no answer: it cannot be reached, went away, said nothing in time, or nonsense."""

    reason: str
    timed_out: bool = False

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(eq=False)
class LdapRefusal(Exception):
    """The server answered that it did not do what it was asked for."""

    operation: str
    result: Result

    @property
    def server_is_unfit(self) -> bool:
        """Whether another server may do better."""
        return self.result.code in (answers.BUSY, answers.UNAVAILABLE)

    def __str__(self) -> str:
        said = f" ({self.result.diagnostic})" if self.result.diagnostic else ""
        return f"{self.operation}: result {self.result.code}{said}"


@attrs.frozen(kw_only=True)
class Found:
    """The entries of a search, or of a page of one."""

    entries: tuple[Entry, ...]
    #: where the next page begins.
    cookie: bytes = b""
    #: the server has more, and does not give it.
    cut_off: bool = False
    #: the server says that others have more (RFC 4511 §4.5.3).
    referred: bool = False


@attrs.define(eq=False)
class _Exchange:
    """A request and what has come back for it."""

    message_id: int
    #: the tag of the answer that is the last one.
    last: int
    done: Deferred[Answer]
    entries: list[Entry] = attrs.field(factory=list)
    referred: bool = False
    received: int = 0


@implementer(IHandshakeListener)
@attrs.define(kw_only=True, eq=False)
class LdapConnection(Protocol):
    """A connection that was made, and what can be asked over it."""

    clock: IReactorTime
    #: why it is of no use any more; empty as long as it is.
    lost: str = attrs.field(default="", init=False)
    #: when the server was last heard of, in the clock's seconds.
    heard_at: float = attrs.field(default=0.0, init=False)
    #: to be called when the connection has ended.
    when_lost: Callable[[], object] = attrs.field(default=lambda: None, init=False)
    _buffer: bytearray = attrs.field(factory=bytearray, init=False)
    _last_id: int = attrs.field(default=0, init=False)
    _exchange: _Exchange | None = attrs.field(default=None, init=False)
    _handshake: Deferred[None] | None = attrs.field(default=None, init=False)
    _handshake_done: bool = attrs.field(default=False, init=False)

    # -- what can be asked

    async def secured(self) -> None:
        """Wait until TLS is there and the server is who it should be. Raises ConnectionBroken."""
        if self.lost:
            raise ConnectionBroken(self.lost)
        if not self._handshake_done:
            self._handshake = Deferred(lambda _: self.abort())
            await self._handshake

    async def start_tls(self, creator: IOpenSSLClientConnectionCreator, *, time_limit: float) -> None:
        """Speak TLS from here on. Raises ConnectionBroken, LdapRefusal."""
        answer = (await self._asked(wire.start_tls_request, answers.EXTENDED, time_limit))[0]
        self._insist(answer, "StartTLS")
        if self._buffer:
            # Clear text behind the answer was not sent by whom TLS is about to name (RFC 4511 §4.14.1).
            self._break_off("clear text after the answer to StartTLS")
        if self.lost:
            raise ConnectionBroken(self.lost)
        self._transport.startTLS(creator)
        await self.secured()

    async def bind(self, name: bytes, password: bytes, *, time_limit: float) -> BindResult:
        """Prove who one is; the result, whatever it is. Raises ConnectionBroken.

        An empty password proves nothing and succeeds (RFC 4513 §5.1.2): that is for whoever asks to know.
        """
        asked = self._asked(
            lambda message_id: wire.bind_request(message_id, name, password), answers.BIND, time_limit
        )
        answer = (await asked)[0]
        assert isinstance(answer.content, Result)
        policy = self._read(answers.password_policy_error, answer.controls.get(wire.PASSWORD_POLICY))
        return BindResult(answer.content.code, answer.content.diagnostic, policy)

    async def search(self, search: wire.Search, *, time_limit: float, page: wire.Page | None = None) -> Found:
        """The entries. Raises ConnectionBroken, LdapRefusal."""
        answer, exchange = await self._asked(
            lambda message_id: wire.search_request(message_id, search, page), answers.SEARCH_DONE, time_limit
        )
        assert isinstance(answer.content, Result)
        cut_off = answer.content.code == answers.SIZE_LIMIT_EXCEEDED
        if not cut_off:
            self._insist(answer, "search")
        cookie = self._read(answers.page_cookie, answer.controls.get(wire.PAGED_RESULTS) if page else None)
        return Found(
            entries=tuple(exchange.entries), cookie=cookie or b"", cut_off=cut_off, referred=exchange.referred
        )

    def close(self) -> None:
        """Say goodbye."""
        if not self.lost:
            self.lost = "closed"
            self._last_id += 1
            self._transport.write(wire.unbind_request(self._last_id))
            self._transport.loseConnection()

    def abort(self) -> None:
        """Go without a word: what is under way has no answer any more."""
        self.lost = self.lost or "aborted"
        self._exchange = self._handshake = None
        self._transport.abortConnection()

    # -- one request and its answers

    @property
    def _transport(self) -> Any:
        return self.transport

    async def _asked(
        self, request: Callable[[int], bytes], last: int, time_limit: float
    ) -> tuple[Answer, _Exchange]:
        assert self._exchange is None, "one operation at a time"
        if self.lost:
            raise ConnectionBroken(self.lost)
        self._last_id += 1
        exchange = _Exchange(self._last_id, last, Deferred(lambda _: self.abort()))
        self._exchange = exchange
        self._transport.write(request(self._last_id))
        exchange.done.addTimeout(time_limit, self.clock)
        try:
            answer = await exchange.done
        except defer.TimeoutError:
            raise ConnectionBroken(f"no answer within {time_limit:g} s", timed_out=True) from None
        return answer, exchange

    def _read(self, reader: Callable[[bytes], T], control: bytes | None) -> T | None:
        """What a control says, where there is one."""
        try:
            return reader(control) if control else None
        except Unreadable as error:
            self._break_off(f"an answer that cannot be read: {error}")
            raise ConnectionBroken(self.lost) from None

    def _insist(self, answer: Answer, operation: str) -> None:
        assert isinstance(answer.content, Result)
        if answer.content.code != answers.SUCCESS:
            raise LdapRefusal(operation, answer.content)

    # -- what comes

    def handshakeCompleted(self) -> None:
        """TLS is there, and verified."""
        self._handshake_done = True
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.callback(None)

    def dataReceived(self, data: bytes) -> None:
        """Take in whole messages; what cannot be read ends the connection."""
        self._buffer += data
        self.heard_at = self.clock.seconds()
        if self._exchange is not None:
            self._exchange.received += len(data)
        try:
            while not self.lost and (length := answers.message_length(self._buffer)) is not None:
                if len(self._buffer) < length:
                    break
                message = bytes(self._buffer[:length])
                del self._buffer[:length]
                self._received(answers.read_answer(message))
        except Unreadable as error:
            self._break_off(f"an answer that cannot be read: {error}")

    def _received(self, answer: Answer) -> None:
        exchange = self._exchange
        if answer.message_id == 0:
            # RFC 4511 §4.4: the server is about to close the connection, and says why.
            said = answer.content.diagnostic if isinstance(answer.content, Result) else ""
            self._break_off(f"the server ends the connection: {said}")
        elif exchange is None or answer.message_id != exchange.message_id:
            raise Unreadable("nobody asked for it")
        elif exchange.received > LONGEST_ANSWER:
            raise Unreadable("it is too long")
        elif answer.operation == exchange.last:
            self._exchange = None
            exchange.done.callback(answer)
        elif exchange.last != answers.SEARCH_DONE:
            raise Unreadable("it answers something else")
        elif isinstance(answer.content, Entry):
            exchange.entries.append(answer.content)
        elif answer.operation == answers.REFERENCE:
            exchange.referred = True
        else:
            raise Unreadable("it answers something else")

    def _break_off(self, reason: str) -> None:
        self._ended(reason)
        self._transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over, by whichever side."""
        self._ended("the server closed the connection" if reason.check(ConnectionDone) else _words(reason))
        self.when_lost()

    def _ended(self, reason: str) -> None:
        self.lost = self.lost or reason
        exchange, self._exchange = self._exchange, None
        handshake, self._handshake = self._handshake, None
        if exchange is not None:
            exchange.done.errback(ConnectionBroken(reason))
        if handshake is not None:
            handshake.errback(ConnectionBroken(f"TLS: {reason}"))


def _words(reason: Failure) -> str:
    return f"{type(reason.value).__name__}: {reason.value}"
