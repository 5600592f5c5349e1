"""Just enough HTTP/1.1 for a simulated client, so that the load generator costs little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import attrs
from twisted.internet import defer
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


@attrs.frozen(eq=False)
class WrongAnswer(Exception):
    """An answer that is not what it must be, or none. The words are what such answers are counted by."""

    what: str

    def __str__(self) -> str:
        return self.what


@attrs.frozen(kw_only=True)
class Answer:
    """An answer, whole."""

    status: int
    #: names in lower case.
    headers: Sequence[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a field; empty where there is none."""
        return next((value for each, value in self.headers if each == name), "")


def parse_answer(data: bytes) -> Answer | None:
    """The answer that has arrived (RFC 9112 §6.3); None while bytes are missing.

    Raises WrongAnswer for what is no answer, does not say how long it is, or is followed by more.
    """
    head, end_of_head, rest = data.partition(b"\r\n\r\n")
    if not end_of_head:
        return None
    first, *fields = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 ") or not first[9:12].isdecimal():
        raise WrongAnswer("no HTTP answer")
    pairs = (field.partition(":") for field in fields)
    answer = Answer(
        status=int(first[9:12]), headers=[(name.lower(), value.strip()) for name, _, value in pairs]
    )
    body = _body(answer, rest)
    return None if body is None else attrs.evolve(answer, body=body)


def _body(answer: Answer, rest: bytes) -> bytes | None:
    if answer.header("transfer-encoding").lower() == "chunked":
        return _chunked(rest)
    length = answer.header("content-length")
    if answer.status in (204, 304):
        length = "0"
    if not length.isdecimal():
        raise WrongAnswer("an answer without its length")
    if len(rest) > int(length):
        raise WrongAnswer("more than one answer")
    return rest if len(rest) == int(length) else None


def _chunked(rest: bytes) -> bytes | None:
    """The content of chunks (RFC 9112 §7.1), which must have no trailer."""
    chunks: list[bytes] = []
    while True:
        line, end_of_line, rest = rest.partition(b"\r\n")
        if not end_of_line:
            return None
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            raise WrongAnswer("a chunk without its length") from None
        if len(rest) < size + 2:
            return None
        if rest[size : size + 2] != b"\r\n":
            raise WrongAnswer("a chunk of another length")
        chunks.append(rest[:size])
        rest = rest[size + 2 :]
        if size == 0:
            if rest:
                raise WrongAnswer("more than one answer")
            return b"".join(chunks)


class Connection(Protocol):
    """One connection, on which one request at a time is under way."""

    transport: Any

    def __init__(self) -> None:
        self.is_open = True
        self._arrived = b""
        self._waiting: defer.Deferred[Answer] | None = None

    def connectionMade(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def send(self, request: bytes) -> defer.Deferred[Answer]:
        """Send a request; its answer. Fails with WrongAnswer."""
        answered: defer.Deferred[Answer] = defer.Deferred()
        self._waiting = answered
        self.transport.write(request)
        return answered

    def dataReceived(self, data: bytes) -> None:
        self._arrived += data
        try:
            answer = parse_answer(self._arrived)
        except WrongAnswer:
            self._fail(Failure())
            return
        if answer is None:
            return
        self._arrived = b""
        if self._waiting is None or answer.header("connection").lower() == "close":
            self.abort()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._fail(Failure(WrongAnswer("the connection was closed")))

    def abort(self) -> None:
        """Close it at once; it is never used again."""
        self.is_open = False
        self.transport.abortConnection()

    def _fail(self, failure: Failure) -> None:
        if self.is_open:
            self.abort()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(failure)


@attrs.define(kw_only=True)
class HTTPClient:
    """A client of one server: a connection that is kept, and cookies."""

    reactor: Any
    host: str
    port: int
    #: seconds that an answer may take.
    patience: float = 10.0
    cookies: dict[str, str] = attrs.field(factory=dict)
    _connection: Connection | None = attrs.field(default=None, init=False)

    async def request(
        self,
        method: str,
        target: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Sequence[str] = (),
    ) -> Answer:
        """The answer to a request; redirects are not followed. Raises WrongAnswer where none comes."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}", *headers]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        body = ""
        if form is not None:
            body = urlencode(form)
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        answer = await self._answer("\r\n".join((*lines, "", body)).encode("ascii"))
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return answer

    async def _answer(self, request: bytes) -> Answer:
        connection = await self._connected()
        try:
            return await connection.send(request).addTimeout(self.patience, self.reactor)
        except defer.TimeoutError:
            connection.abort()
            raise WrongAnswer(f"no answer within {self.patience:g} s") from None

    async def _connected(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            endpoint = TCP4ClientEndpoint(self.reactor, self.host, self.port)
            try:
                self._connection = await connectProtocol(endpoint, Connection())
            except ConnectError:
                raise WrongAnswer("no connection") from None
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.abort()

    def _keep(self, cookie: str) -> None:
        """Keep a cookie, or forget it where it ends at once; there is one server, so it is always sent."""
        pair, *attributes = (part.strip() for part in cookie.split(";"))
        name, _, value = pair.partition("=")
        if "max-age=0" in (each.lower() for each in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
