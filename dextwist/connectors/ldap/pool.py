"""Connections to a directory: a few that are bound as the service account, kept; and one for each password.

Whatever is asked is asked of the next server where one gives no answer. An answer is an answer, whatever
it says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar, TypeVar

import attrs
from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from dextwist.connectors.interface import Overloaded
from dextwist.connectors.ldap import answers
from dextwist.connectors.ldap.answers import BindResult
from dextwist.connectors.ldap.connection import ConnectionBroken, LdapConnection, LdapRefusal
from dextwist.connectors.ldap.filters import Present
from dextwist.connectors.ldap.hosts import Host, HostChoice
from dextwist.connectors.ldap.transport import Transport
from dextwist.connectors.ldap.wire import NO_ATTRIBUTES, Search

T = TypeVar("T")

#: A connection that was silent for so many seconds is asked whether it is still there.
_SILENT = 1.0
#: The root of every directory (RFC 4512 §5.1), readable by all: the cheapest question.
_ARE_YOU_THERE = Search(base="", condition=Present("objectClass"), attributes=NO_ATTRIBUTES, scope="base")


@attrs.frozen(kw_only=True)
class Account:
    """As whom one is at the directory; anonymous where both are empty."""

    name: bytes = b""
    password: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Limits:
    """Seconds and numbers that nothing exceeds."""

    #: connecting, TLS and the bind of the service account.
    connect: float = 10.0
    operation: float = 20.0
    #: connections of the service account, and as many of people whose password is being tried.
    connections: int = 8
    #: for which a connection is kept unused.
    idle: float = 60.0
    #: operations that may wait for a connection.
    queue: int = 100


@attrs.define(eq=False)
class _Idle:
    host: Host
    connection: LdapConnection
    ends: IDelayedCall


@attrs.define(kw_only=True, eq=False)
class DirectoryPool:
    """Asks a directory, over as few connections as will do."""

    log: ClassVar[Logger] = Logger()

    transport: Transport
    choice: HostChoice
    account: Account
    clock: IReactorTime
    limits: Limits = Limits()
    #: (host, what came of asking it, seconds): for the metrics.
    asked: Callable[[str, str, float], object] = lambda host, result, seconds: None
    _idle: list[_Idle] = attrs.field(factory=list, init=False)
    _closed: bool = attrs.field(default=False, init=False)
    _service_turns: DeferredSemaphore = attrs.field(init=False)
    _bind_turns: DeferredSemaphore = attrs.field(init=False)

    @_service_turns.default
    def _turns_of_service(self) -> DeferredSemaphore:
        return DeferredSemaphore(self.limits.connections)

    @_bind_turns.default
    def _turns_of_binds(self) -> DeferredSemaphore:
        return DeferredSemaphore(self.limits.connections)

    # -- what can be asked

    async def ask(self, question: Callable[[LdapConnection], Awaitable[T]]) -> T:
        """What the directory answers to the service account. The question may be put more than once.

        Raises ConnectionBroken where no server answers, LdapRefusal, and Overloaded.
        """
        return await self._in_turn(self._service_turns, lambda host: self._asked_of(host, question))

    async def try_password(self, dn: bytes, password: bytes) -> BindResult:
        """What the directory says to this password, over a connection that nothing else uses.

        Raises ConnectionBroken, LdapRefusal where no server would look, and Overloaded.
        """
        return await self._in_turn(self._bind_turns, lambda host: self._tried_at(host, dn, password))

    def close(self) -> None:
        """Let go of all connections that are kept; those in use end with what they are used for."""
        self._closed = True
        for idle in self._idle:
            idle.ends.cancel()
            idle.connection.close()
        self._idle.clear()

    # -- from one server to the next

    async def _in_turn(self, turns: DeferredSemaphore, work: Callable[[Host], Awaitable[T]]) -> T:
        if len(turns.waiting) >= self.limits.queue:
            raise Overloaded()
        await turns.acquire()
        try:
            return await self._at_one_of_the_hosts(work)
        finally:
            turns.release()

    async def _at_one_of_the_hosts(self, work: Callable[[Host], Awaitable[T]]) -> T:
        problem: ConnectionBroken | LdapRefusal | None = None
        for host in await self.choice.in_order():
            began = self.clock.seconds()
            try:
                answer = await work(host)
            except (ConnectionBroken, LdapRefusal) as error:
                if isinstance(error, LdapRefusal) and not error.server_is_unfit:
                    self._note(host, "refused", began)
                    raise
                self._note(host, "error", began)
                self.log.warn("directory server {host} failed: {reason}", host=str(host), reason=str(error))
                self.choice.failed(host)
                problem = error
            else:
                self._note(host, "ok", began)
                self.choice.worked(host)
                return answer
        assert problem is not None, "there is always a host"
        raise problem

    def _note(self, host: Host, result: str, began: float) -> None:
        self.asked(str(host), result, self.clock.seconds() - began)

    # -- the service account

    async def _asked_of(self, host: Host, question: Callable[[LdapConnection], Awaitable[T]]) -> T:
        kept = await self._kept(host)
        if kept is not None:
            try:
                return await self._with(host, kept, question)
            except ConnectionBroken as error:
                if error.timed_out:
                    raise
                # The server may have closed it at that moment; a new one shows whether there is more to it.
        return await self._with(host, await self._bound(host), question)

    async def _with(
        self, host: Host, connection: LdapConnection, question: Callable[[LdapConnection], Awaitable[T]]
    ) -> T:
        try:
            answer = await question(connection)
        except LdapRefusal as refusal:
            if refusal.server_is_unfit:
                connection.close()
            else:
                self._keep(host, connection)
            raise
        except BaseException:
            connection.abort()
            raise
        self._keep(host, connection)
        return answer

    async def _kept(self, host: Host) -> LdapConnection | None:
        """A kept connection to the host that works; those that do not are let go."""
        while True:
            idle = next((each for each in reversed(self._idle) if each.host == host), None)
            if idle is None:
                return None
            self._forget(idle)
            connection = idle.connection
            if self.clock.seconds() - connection.heard_at < _SILENT:
                return connection
            try:
                await connection.search(_ARE_YOU_THERE, time_limit=self.limits.connect)
            except ConnectionBroken as error:
                connection.abort()
                if error.timed_out:
                    raise
            except LdapRefusal:
                return connection  # also an answer
            else:
                return connection

    async def _bound(self, host: Host) -> LdapConnection:
        """A new connection of the service account."""

        async def bound() -> LdapConnection:
            connection = await self.transport.connect(host, time_limit=self.limits.connect)
            try:
                account, limit = self.account, self.limits.connect
                result = await connection.bind(account.name, account.password, time_limit=limit)
                if result.code != answers.SUCCESS:
                    raise LdapRefusal("bind of the service account", result)
            except BaseException:
                connection.abort()
                raise
            return connection

        return await self._within_connect_limit(bound())

    async def _within_connect_limit(self, connecting: Coroutine[Any, Any, LdapConnection]) -> LdapConnection:
        limit = self.limits.connect
        attempt = Deferred.fromCoroutine(connecting)
        try:
            return await attempt.addTimeout(limit, self.clock)
        except defer.TimeoutError:
            raise ConnectionBroken(f"no connection within {limit:g} s", timed_out=True) from None

    def _keep(self, host: Host, connection: LdapConnection) -> None:
        if self._closed or connection.lost:
            connection.close()
            return

        def ended() -> None:
            self._forget(idle)

        def too_long() -> None:
            self._forget(idle)
            connection.close()

        idle = _Idle(host, connection, self.clock.callLater(self.limits.idle, too_long))
        connection.when_lost = ended
        self._idle.append(idle)

    def _forget(self, idle: _Idle) -> None:
        idle.connection.when_lost = lambda: None
        if idle in self._idle:
            self._idle.remove(idle)
        if idle.ends.active():
            idle.ends.cancel()

    # -- people

    async def _tried_at(self, host: Host, dn: bytes, password: bytes) -> BindResult:
        connection = await self._within_connect_limit(
            self.transport.connect(host, time_limit=self.limits.connect)
        )
        try:
            result = await connection.bind(dn, password, time_limit=self.limits.operation)
        except BaseException:
            connection.abort()
            raise
        connection.close()
        refusal = LdapRefusal("bind", result)
        if refusal.server_is_unfit:
            raise refusal
        return result
