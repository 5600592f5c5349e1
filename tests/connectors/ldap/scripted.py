"""An LDAP server on a free loopback port that says what a test wants it to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from ldaptor.protocols import pureber, pureldap
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol

from tests.connectors.ldap.opening import ConnectorCase

_DECODER = pureldap.LDAPBERDecoderContext_TopLevel(
    inherit=pureldap.LDAPBERDecoderContext_LDAPMessage(
        fallback=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
        inherit=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
    )
)

#: What is answered to a request: operations, or bytes as they are.
Said = Sequence[Any] | bytes


def accepted(code: int = 0) -> Said:
    """The answer to a bind."""
    return [pureldap.LDAPBindResponse(resultCode=code)]


def found(*entries: tuple[bytes, Mapping[str, Sequence[bytes]]], code: int = 0) -> Said:
    """The answer to a search: entries by their DN."""
    return [
        *(
            pureldap.LDAPSearchResultEntry(dn, [(name.encode(), values) for name, values in content.items()])
            for dn, content in entries
        ),
        pureldap.LDAPSearchResultDone(resultCode=code),
    ]


@attrs.define(eq=False)
class ScriptedServer:
    """Accepts binds and finds nothing, unless `answers` says something for that kind of request."""

    answers: dict[type[Any], Callable[[Any], Said]] = attrs.field(factory=dict)
    #: what came in, in order.
    asked: list[Any] = attrs.field(factory=list)
    _listening: IListeningPort | None = None

    async def start(self) -> None:
        """Listen."""
        factory = Factory.forProtocol(lambda: _Talk(self))
        factory.noisy = False
        self._listening = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)

    async def stop(self) -> None:
        """Listen no more."""
        assert self._listening is not None
        await maybeDeferred(self._listening.stopListening)

    @property
    def host(self) -> str:
        """Where it listens."""
        assert self._listening is not None
        return f"127.0.0.1:{self._listening.getHost().port}"  # type: ignore[attr-defined]  # it is an IPv4Address

    def binds_and_searches(self) -> list[Any]:
        """What came in but goodbyes, which come at any time."""
        kinds = (pureldap.LDAPBindRequest, pureldap.LDAPSearchRequest)
        return [request for request in self.asked if isinstance(request, kinds)]

    def answer(self, request: Any) -> Said:
        """What is said to this request, which is remembered."""
        self.asked.append(request)
        script = self.answers.get(type(request))
        if script is not None:
            return script(request)
        if isinstance(request, pureldap.LDAPBindRequest):
            return accepted()
        return found() if isinstance(request, pureldap.LDAPSearchRequest) else ()


class _Talk(Protocol):
    """One connection."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        """Answer every whole message."""
        self._received += data
        while self._received:
            try:
                message, length = pureber.berDecodeObject(_DECODER, self._received)
            except pureber.BERExceptionInsufficientData:
                return
            self._received = self._received[length:]
            self._say(message.id, self._server.answer(message.value))

    def _say(self, message_id: int, said: Said) -> None:
        assert self.transport is not None
        if isinstance(said, bytes):
            self.transport.write(said)
            return
        for operation in said:
            self.transport.write(pureldap.LDAPMessage(operation, id=message_id).toWire())


class ScriptedCase(ConnectorCase):
    """Has servers that stop with the test."""

    timeout = 30

    async def serve(self, answers: Mapping[type[Any], Callable[[Any], Said]] | None = None) -> ScriptedServer:
        """A server that says this."""
        server = ScriptedServer(dict(answers or {}))
        await server.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(server.stop()))
        return server
