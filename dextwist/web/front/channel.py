"""One connection: requests in, answers out, one at a time and in order."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from dextwist.web.answering import Incoming
from dextwist.web.front.head import Head
from dextwist.web.front.reader import Awaited, RequestReader
from dextwist.web.front.refusal import Refused
from dextwist.web.front.wire import CONTINUE, answer_bytes
from dextwist.web.http import Response

if TYPE_CHECKING:
    from dextwist.web.front.factory import FrontFactory

#: Requests of one connection that are answered before other connections have their turn.
_IN_A_ROW = 8
#: How long, and how much, is still read after the last answer: closing a connection with unread input
#: resets it, and the reset can overtake the answer.
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 8 << 20


class State(enum.Enum):
    """What the connection is doing."""

    IDLE = enum.auto()
    READING_HEAD = enum.auto()
    READING_BODY = enum.auto()
    ANSWERING = enum.auto()
    #: the last answer is on its way, and what still comes in is thrown away.
    ENDING = enum.auto()
    CLOSED = enum.auto()


_READING = {
    Awaited.REQUEST: State.IDLE,
    Awaited.REST_OF_HEAD: State.READING_HEAD,
    Awaited.BODY: State.READING_BODY,
}


@implementer(IHalfCloseableProtocol, IPushProducer)
class FrontChannel(Protocol):
    """Reads a request, has it answered, and only then reads the next.

    Requests that are sent ahead wait unread: as soon as something waits, reading from the connection is
    paused, so that no more than one read's worth is ever kept.
    """

    transport: Any

    def __init__(self, front: FrontFactory, peer: str) -> None:
        self.peer = peer
        #: when what it is doing has taken too long; the factory looks.
        self.deadline = math.inf
        self._front = front
        self._reader = RequestReader(front.limits)
        self._state = State.CLOSED
        self._discarded = 0
        #: that the client sends nothing more, but may still listen.
        self._input_ended = False
        self._reading_paused = False
        #: that the client does not take what was sent to it.
        self._blocked = False
        #: sends at once what the socket takes; None once something had to wait its turn in the transport.
        self._send_some: Callable[[bytes], int | ConnectionLost] | None = None
        self._taking_requests = False
        self._next_turn: IDelayedCall | None = None

    # -- what the transport tells

    def connectionMade(self) -> None:
        if self._front.is_overrun:
            self.transport.abortConnection()
            return
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        if isinstance(self.transport, Connection):
            self._send_some = self.transport.writeSomeData
        self.transport.registerProducer(self, True)
        refused = self._front.admit(self)
        self._become(State.IDLE, self._front.limits.idle_timeout)
        if refused is not None:
            self._refuse(refused)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._become(State.CLOSED)
        self._drop_turn()
        self._front.forget(self)

    def dataReceived(self, data: bytes) -> None:
        if self._state is State.ENDING:
            self._discarded += len(data)
            if self._discarded > _LINGER_BYTES:
                self.transport.abortConnection()
            return
        self._reader.unread += data
        if self._is_busy:
            self._pause_reading()
        else:
            self._take_requests()

    def readConnectionLost(self) -> None:
        """The client has said all that it will; it may still want the answers to that."""
        self._input_ended = True
        if self._state is State.ENDING:
            self.transport.loseConnection()
        elif not self._is_busy:
            self._end()

    def writeConnectionLost(self) -> None:
        """All has been sent; the client needs a moment to read it."""
        self._blocked = False
        self.deadline = self._front.clock.seconds() + _LINGER_SECONDS

    def pauseProducing(self) -> None:
        """The client is slow to take what was sent: no more is read from it until then."""
        self._blocked = True
        self.deadline = self._front.clock.seconds() + self._front.limits.write_timeout
        self._pause_reading()

    def resumeProducing(self) -> None:
        self._blocked = False
        if self._state is State.IDLE:
            self._become(State.IDLE, self._front.limits.idle_timeout)
        self._go_on()

    def stopProducing(self) -> None:
        """The connection is lost, as `connectionLost` tells too."""

    # -- what the factory asks for

    @property
    def is_asked(self) -> bool:
        """Whether a request has come, in part at least, and is not answered."""
        return self._state in (State.READING_HEAD, State.READING_BODY, State.ANSWERING)

    def close_idle(self) -> None:
        """End a connection on which nothing is going on."""
        self._end()
        if not self._half_closes and not self._blocked:
            # Only TLS's goodbye was left to send, and clients that pool connections never answer it.
            self.deadline = self._front.clock.seconds() + _LINGER_SECONDS

    def cut_off(self) -> None:
        """End the connection at once, with a word about it if somebody waits for an answer."""
        if self.is_asked:
            self._refuse(Refused(503, "The server is stopping.", retry_after=1))
        else:
            self.transport.abortConnection()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._state is State.READING_HEAD:
            self._refuse(Refused(408, "The request did not come in time.", "headerTimeout"))
        elif self._state is State.READING_BODY:
            self._refuse(Refused(408, "The body did not come in time.", "bodyTimeout"))
        elif self._blocked:
            self._front.metrics.limit_hit(limit="writeTimeout")
            self.transport.abortConnection()
        elif self._state is State.IDLE:
            self._front.metrics.limit_hit(limit="idleTimeout")
            self.close_idle()
        else:
            self.transport.abortConnection()

    # -- reading

    @property
    def _is_busy(self) -> bool:
        """Whether what comes in has to wait."""
        return self._state is State.ANSWERING or self._blocked or self._next_turn is not None

    def _take_requests(self) -> None:
        """Answer what has come, request by request, as far as that goes without waiting."""
        self._taking_requests = True
        try:
            for _ in range(_IN_A_ROW):
                request = self._reader.next()
                if request is None:
                    self._wait_for_more()
                    return
                self._answer(*request)
                if self._state is not State.IDLE or self._blocked:
                    return
        except Refused as refused:
            self._refuse(refused)
            return
        finally:
            self._taking_requests = False
        self._pause_reading()
        self._next_turn = self._front.clock.callLater(0, self._take_turn)

    def _go_on(self) -> None:
        if not self._is_busy and self._state not in (State.ENDING, State.CLOSED):
            self._take_requests()

    def _take_turn(self) -> None:
        self._next_turn = None
        self._take_requests()

    def _drop_turn(self) -> None:
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None

    def _wait_for_more(self) -> None:
        if self._input_ended:
            self._end()
            return
        state, limits = _READING[self._reader.awaited], self._front.limits
        if state is not self._state:
            head = self._reader.head
            if state is State.READING_HEAD:
                self._become(state, limits.header_timeout)
            elif state is State.READING_BODY:
                self._become(state, limits.body_timeout)
                if head is not None and head.expects_continue and not self._reader.body_has_begun:
                    self._write(CONTINUE)
        if not self._blocked:
            self._resume_reading()

    def _pause_reading(self) -> None:
        if not self._reading_paused and not self._input_ended:
            self._reading_paused = True
            self.transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()

    # -- answering

    def _answer(self, head: Head, body: bytes) -> None:
        self._become(State.ANSWERING)
        answer = self._front.answer(
            Incoming(method=head.method, target=head.target, headers=head.headers, body=body, peer=self.peer)
        )
        if isinstance(answer, Deferred):
            answer.addCallback(self._answered)
        else:
            self._send(answer)

    def _answered(self, response: Response) -> None:
        if self._state is not State.ANSWERING:
            return  # the client has gone, or was told something else
        self._send(response)
        if not self._taking_requests:
            self._go_on()

    def _send(self, response: Response) -> None:
        head, now = self._reader.head, self._front.clock.seconds()
        assert head is not None
        keep_alive = head.keep_alive and not self._front.draining
        connection = "close"
        if keep_alive:
            connection = "keep-alive" if head.is_old else ""
        self._become(State.IDLE, self._front.limits.idle_timeout)
        to_head = head.method == "HEAD"
        date = self._front.dates.at(now)
        self._write(answer_bytes(response, date=date, connection=connection, to_head=to_head))
        if not keep_alive:
            self._end()

    def _write(self, data: bytes) -> None:
        """Send now what the socket takes, which is nearly always all: the transport would wait for a turn."""
        if self._send_some is not None:
            sent = self._send_some(data)
            if sent == len(data):
                return
            self._send_some = None
            # An error is met again by the transport, which knows what to do about it.
            data = data if isinstance(sent, ConnectionLost) else data[sent:]
        self.transport.write(data)

    def _refuse(self, refused: Refused) -> None:
        """Answer in an endpoint's place, once, and end the connection."""
        response = self._front.refusal(refused)
        date = self._front.dates.at(self._front.clock.seconds())
        to_head = self._reader.is_head
        self._write(answer_bytes(response, date=date, connection="close", to_head=to_head))
        self._end()

    # -- ending

    def _end(self) -> None:
        """Send what is to be sent and close; whatever comes in meanwhile is of no interest."""
        self._become(State.ENDING, self._front.limits.write_timeout)
        self._reader.unread = b""
        self._drop_turn()
        self.transport.unregisterProducer()
        self._resume_reading()
        if self._half_closes and not self._input_ended:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    @property
    def _half_closes(self) -> bool:
        """Whether our half can be closed alone. TLS says goodbye, and waits for the client to do so."""
        return ITCPTransport.providedBy(self.transport) and not ISSLTransport.providedBy(self.transport)

    def _become(self, state: State, seconds: float = math.inf) -> None:
        """Change what it does, for so long at most."""
        if state is State.IDLE:
            self._front.idle[self] = None
        elif self._state is State.IDLE:
            self._front.idle.pop(self, None)
        self._state = state
        self.deadline = math.inf if seconds is math.inf else self._front.clock.seconds() + seconds
