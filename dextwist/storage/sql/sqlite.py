"""The sqlite3 engine: one file, one writer with group commit, readers that never wait for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Any, ClassVar, TypeVar

import attrs
from twisted.enterprise.adbapi import Connection, ConnectionPool
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from dextwist.model.kind import Key, Kind
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.times import to_milliseconds, utc_now
from dextwist.storage.interface import Change, Changed, Page, StorageError, StorageUnavailable
from dextwist.storage.sql.group_commit import GroupCommit
from dextwist.storage.sql.schema import Schema
from dextwist.storage.sql.sqlite_file import DatabaseFile, is_busy, patiently
from dextwist.storage.sql.table import Cursor, Dialect, Table

T = TypeVar("T", bound=attrs.AttrsInstance)
R = TypeVar("R")

SQLITE = Dialect(
    mark="?",
    key_type="text",
    insert_new="insert into {table} ({columns}) values ({marks}) on conflict do nothing",
    unindexed="+{column}",
)
#: Seconds that SQLite itself waits for a lock. Writers go on waiting by `patiently`; readers wait
#: for nobody but a neighbour that repairs the log after a crash.
_BUSY_TIMEOUT = 0.02
_WAITING = f"pragma busy_timeout = {_BUSY_TIMEOUT * 1000:.0f}"
_NOT_WAITING = "pragma busy_timeout = 0"
#: Rows that one transaction of the collector removes: a millisecond or two, then others have their turn.
_COLLECTED_AT_ONCE = 50


@attrs.frozen(kw_only=True)
class _Connections:
    """What is open between start and stop."""

    #: the one connection that writes, and the thread in which it waits.
    writer: ConnectionPool
    commits: GroupCommit
    #: threads for listings; None in memory, where there is one connection and the writer reads too.
    readers: ConnectionPool | None
    #: for single rows, in the reactor's thread: ten times faster than a thread's round trip.
    direct: sqlite3.Connection | None


@attrs.define(kw_only=True, eq=False)
class SqliteStorage:
    """Keeps everything in an SQLite database; a write is answered when it is on the disk."""

    log: ClassVar[Logger] = Logger()

    #: a path, a `file:` URI, or `:memory:`.
    file: str
    reactor: IReactorFromThreads
    clock: IReactorTime
    #: seconds that a transaction waits for another process's lock. A write may first wait for the
    #: transaction before its own, and all in all shall be answered within five seconds.
    patience: float = 2.0
    #: the same at the start, when a neighbour may be adopting a large database.
    start_patience: float = 30.0
    _database: DatabaseFile = attrs.field(init=False)
    _schema: Schema = attrs.field(init=False)
    _connections: _Connections | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._database = DatabaseFile.parse(self.file)
        self._schema = Schema.of(ALL_KINDS, SQLITE)

    async def start(self) -> None:
        """Open the database, make our tables or adopt dex's; StorageError, with everything as it was."""
        if self._database.mode == "ro":
            # Opening it would leave an empty log beside it.
            raise StorageUnavailable(f"the database {self._database} is read-only")
        self._database.make_private()
        writer = self._pool(self._database.uri(), threads=1)
        given_up = Event()
        try:
            connection, adopted = await writer.runWithConnection(self._prepare, given_up)
        except CancelledError:
            # The thread cannot be cancelled, but it may be waiting for a lock.
            given_up.set()
            writer.close()
            raise
        except (sqlite3.Error, StorageError) as error:
            writer.close()
            if isinstance(error, sqlite3.Error):
                raise self._database.problem(error) from error
            raise StorageError(f"the database {self._database} {error}") from error
        readers = direct = None
        if self._database.path is not None:
            uri = self._database.uri(mode="ro")
            readers = self._pool(uri, threads=2)
            direct = sqlite3.connect(uri, **_settings())
        commits = GroupCommit(
            connection=connection,
            clock=self.clock,
            begin_at_once=_begin_at_once,
            begin=self._begin,
            in_thread=lambda work: deferToThreadPool(self.reactor, writer.threadpool, work, connection),
        )
        self._connections = _Connections(writer=writer, commits=commits, readers=readers, direct=direct)
        if adopted is not None:
            self.log.info("adopted dex's data in {file}: {counts}", file=str(self._database), counts=adopted)

    async def stop(self) -> None:
        """Finish the writes that wait and close."""
        connections, self._connections = self._connections, None
        if connections is None:
            return
        await connections.commits.finish()
        await connections.writer.runWithConnection(_checkpoint)
        if connections.direct is not None:
            connections.direct.close()
        if connections.readers is not None:
            connections.readers.close()
        connections.writer.close()

    async def get(self, kind: Kind[T], key: Key) -> T:
        """The value under the key; NotFound."""
        table = self._table(kind)
        direct = self._opened().direct
        if direct is None:
            return await self._commit(lambda cursor: table.get(cursor, key))
        try:
            return table.get(direct.cursor(), key)
        except sqlite3.Error as error:
            raise self._database.problem(error) from error

    async def page(
        self,
        kind: Kind[T],
        *,
        after: Key | None = None,
        limit: int = 100,
        narrowed_by: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """At most `limit` values after the key `after`, in the order of the keys' texts."""

        def listing(cursor: Cursor) -> Page[T]:
            return self._table(kind).page(cursor, after, limit, narrowed_by)

        readers = self._opened().readers
        if readers is None:
            return await self._commit(listing)
        try:
            found: Page[T] = await readers.runWithConnection(lambda connection: listing(connection.cursor()))
        except sqlite3.Error as error:
            raise self._database.problem(error) from error
        return found

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        """Make the changes, all or none."""
        return await self._commit(
            lambda cursor: tuple(self._table(change.kind).write(cursor, change) for change in changes)
        )

    async def collect_garbage(self, now: datetime) -> Mapping[str, int]:
        """Remove what expired before `now`, a few rows a transaction; how many, by kind name."""
        before = to_milliseconds(now)
        return {
            kind.name: await self._collect(self._table(kind), before)
            for kind in ALL_KINDS
            if kind.expires_at is not None
        }

    async def check(self) -> None:
        """Write one small row, as durably as any; StorageUnavailable where that fails."""
        now = to_milliseconds(utc_now(self.clock))
        await self._commit(lambda cursor: self._schema.answer(cursor, now))

    def _table(self, kind: Kind[T]) -> Table[T]:
        return self._schema.tables[kind]

    def _opened(self) -> _Connections:
        if self._connections is None:
            raise StorageUnavailable(f"the database {self._database} is not open")
        return self._connections

    async def _commit(self, job: Callable[[Cursor], R]) -> R:
        try:
            return await self._opened().commits.run(job)
        except sqlite3.Error as error:
            raise self._database.problem(error) from error

    async def _collect(self, table: Table[Any], before: int) -> int:
        total = 0
        while True:
            removed: int = await self._commit(
                lambda cursor: table.collect(cursor, before, _COLLECTED_AT_ONCE)
            )
            total += removed
            if removed < _COLLECTED_AT_ONCE:
                return total

    def _pool(self, uri: str, *, threads: int) -> ConnectionPool:
        return ConnectionPool(
            "sqlite3",
            uri,
            cp_min=threads,
            cp_max=threads,
            cp_reactor=self.reactor,
            # adbapi closes the connections from the reactor's thread.
            check_same_thread=False,
            **_settings(),
        )

    def _prepare(self, connection: Connection, given_up: Event) -> tuple[Connection, dict[str, int] | None]:
        """In the writer's thread: look, then make our tables. Its connection; how many rows were adopted."""

        def waiting(statement: str) -> sqlite3.Cursor:
            cursor: sqlite3.Cursor
            cursor = patiently(lambda: connection.execute(statement), self.start_patience, given_up)
            return cursor

        connection.execute("pragma synchronous = full")
        # Until this transaction knows whose database it is, nothing in it is changed.
        waiting("begin exclusive")
        existing = connection.execute("select name from sqlite_master where type in ('table', 'view')")
        # SQLite's own tables, of statistics and the like, say nothing.
        names = {name for (name,) in existing if not name.startswith("sqlite_")}
        adopted = self._schema.prepare(connection.cursor, names, to_milliseconds(utc_now(self.clock)))
        connection.execute("commit")
        journal = waiting("pragma journal_mode = wal")
        if self._database.path is not None and journal.fetchone() != ("wal",):
            raise StorageError("cannot be written ahead: it must be on a local disk")
        connection.execute(_NOT_WAITING)
        return connection, adopted

    def _begin(self, connection: Connection) -> None:
        """In the writer's thread: wait for the lock."""
        connection.execute(_WAITING)
        try:
            patiently(lambda: connection.execute("begin immediate"), self.patience)
        finally:
            connection.execute(_NOT_WAITING)


def _begin_at_once(connection: Connection) -> bool:
    """Open a transaction; False where another process is writing."""
    try:
        connection.execute("begin immediate")
    except sqlite3.OperationalError as error:
        if is_busy(error):
            return False
        raise
    return True


def _settings() -> dict[str, Any]:
    return {"uri": True, "isolation_level": None, "cached_statements": 512, "timeout": _BUSY_TIMEOUT}


def _checkpoint(connection: Connection) -> None:
    """Move what the log holds into the database file, as far as nobody is in the way."""
    with suppress(sqlite3.Error):
        connection.execute("pragma wal_checkpoint(passive)")
