"""The table of a kind, and what the operations of a storage do to its rows.

A row holds the key as text, the document, when it expires, how often it was written, and a column for
each field that a listing can be narrowed by. The texts of the statements never vary with the values,
so that drivers keep them prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import attrs

from dextwist.model.kind import Key, Kind
from dextwist.storage.changes import changed_key, outcome
from dextwist.storage.codec import decode, encode, expiry, key_text
from dextwist.storage.interface import AlreadyExists, Change, Changed, Create, NotFound, Page
from dextwist.storage.recent import RecentValues

T = TypeVar("T", bound=attrs.AttrsInstance)


class Cursor(Protocol):
    """The part of a DB-API cursor (PEP 249) that is used here."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""

    @property
    def description(self) -> Any:
        """The columns of the last result, their names first."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any:
        """Run a statement."""

    def fetchone(self) -> Any:
        """The next row of the result, None after the last."""

    def fetchall(self) -> list[Any]:
        """The rest of the result."""


@attrs.frozen(kw_only=True)
class Dialect:
    """The words in which databases differ."""

    #: what stands for a parameter.
    mark: str
    #: the type of a column that is a key or is searched: compared byte by byte.
    key_type: str
    #: an insertion of `columns` and `marks` into `table` that does nothing where the key is taken.
    insert_new: str
    #: how to say that no index shall be looked up for `column`.
    unindexed: str


@attrs.frozen(kw_only=True)
class Table(Generic[T]):
    """The rows of one kind. Each operation runs inside a transaction of the caller's."""

    kind: Kind[T]
    dialect: Dialect
    _recent: RecentValues[T] = attrs.field(init=False)

    @_recent.default
    def _nothing_yet(self) -> RecentValues[T]:
        return RecentValues(self.kind)

    @property
    def name(self) -> str:
        """The table's name."""
        return f"dextwist_{self.kind.name}"

    def statements_to_create(self) -> Iterable[str]:
        """What makes the table and its indexes."""
        words, name = self.dialect, self.name
        yield (
            f'create table {name} ("key" {words.key_type} not null primary key, document text not null, '
            "expires_at bigint, version integer not null"
            + "".join(f", {column} {words.key_type} not null" for column in self.kind.narrowed_by)
            + ")"
        )
        if self.kind.expires_at is not None:
            yield f"create index {name}_expires_at on {name} (expires_at)"
        for column in self.kind.narrowed_by:
            yield f'create index {name}_{column} on {name} ({column}, "key")'

    def get(self, cursor: Cursor, key: Key) -> T:
        """The value under the key; NotFound."""
        document = self._document(cursor, key_text(self.kind.normal_key(key)))
        if document is None:
            raise NotFound
        return self._decoded(document)

    def page(
        self, cursor: Cursor, after: Key | None, limit: int, narrowed_by: Mapping[str, str] | None
    ) -> Page[T]:
        """At most `limit` values after the key `after`, in the order of the keys' texts."""
        words = self.dialect
        conditions: list[str] = []
        parameters: list[str] = []
        # The kind names the most telling field first; that column's index finds the rows, and a
        # database without statistics must not take another's.
        for column in self.kind.narrowed_by:
            if narrowed_by and column in narrowed_by:
                found_by = words.unindexed.format(column=column) if conditions else column
                conditions.append(f"{found_by} = {words.mark}")
                parameters.append(narrowed_by[column])
        if after is not None:
            conditions.append(f'"key" > {words.mark}')
            parameters.append(key_text(self.kind.normal_key(after)))
        where = f"where {' and '.join(conditions)} " if conditions else ""
        cursor.execute(
            f'select document from {self.name} {where}order by "key" limit {words.mark}',
            (*parameters, limit + 1),
        )
        documents = [document for (document,) in cursor.fetchall()]
        values = tuple(self._decoded(document) for document in documents[:limit])
        return Page(values, after=self.kind.key_of(values[-1]) if len(documents) > limit else None)

    def write(self, cursor: Cursor, change: Change) -> Changed:
        """Make one change; what it did. Raises as Storage.write does."""
        key = key_text(changed_key(change))
        # An insertion notices by itself that the key is taken.
        document = None if isinstance(change, Create) else self._document(cursor, key)
        changed = outcome(change, None if document is None else self._decoded(document))
        if document is None:
            if changed.after is not None:
                self.insert(cursor, changed.after)
        elif changed.after is None:
            cursor.execute(self._delete, (key,))
        else:
            self._replace(cursor, key, document, changed)
        return changed

    def insert(self, cursor: Cursor, value: T) -> None:
        """Add the row of a value; AlreadyExists."""
        key = key_text(self.kind.key_of(value))
        cursor.execute(self._insert, (key, self._encoded(value), 1, *self._columns_of(value)))
        if cursor.rowcount == 0:
            raise AlreadyExists

    def collect(self, cursor: Cursor, now: int, limit: int) -> int:
        """Remove at most `limit` rows that expired before `now` (milliseconds); how many it were."""
        cursor.execute(self._collect, (now, limit))
        return cursor.rowcount

    def _document(self, cursor: Cursor, key: str) -> str | None:
        cursor.execute(self._select, (key,))
        row = cursor.fetchone()
        return None if row is None else row[0]

    def _replace(self, cursor: Cursor, key: str, document: str, changed: Changed) -> None:
        new, columns = self._encoded(changed.after, over=document), self._columns_of(changed.after)
        if columns == self._columns_of(changed.before):
            # Setting a column, even to what it is, costs a visit to its index.
            cursor.execute(self._update_document, (new, key))
        else:
            cursor.execute(self._update, (new, *columns, key))

    def _decoded(self, document: str) -> T:
        value = self._recent.get(document)
        if value is None:
            value = decode(self.kind, document)
            self._recent.keep(document, value)
        return value

    def _encoded(self, value: T, *, over: str | None = None) -> str:
        document = encode(self.kind, value, over=over)
        self._recent.keep(document, value)
        return document

    def _columns_of(self, value: T) -> tuple[Any, ...]:
        return (expiry(self.kind, value), *self.kind.narrowing(value).values())

    @property
    def _columns(self) -> tuple[str, ...]:
        return ("expires_at", *self.kind.narrowed_by)

    @cached_property
    def _select(self) -> str:
        return f'select document from {self.name} where "key" = {self.dialect.mark}'

    @cached_property
    def _insert(self) -> str:
        columns = ('"key"', "document", "version", *self._columns)
        marks = ", ".join(self.dialect.mark for _ in columns)
        return self.dialect.insert_new.format(table=self.name, columns=", ".join(columns), marks=marks)

    @cached_property
    def _update(self) -> str:
        mark = self.dialect.mark
        columns = "".join(f", {column} = {mark}" for column in self._columns)
        return (
            f'update {self.name} set document = {mark}, version = version + 1{columns} where "key" = {mark}'
        )

    @cached_property
    def _update_document(self) -> str:
        mark = self.dialect.mark
        return f'update {self.name} set document = {mark}, version = version + 1 where "key" = {mark}'

    @cached_property
    def _delete(self) -> str:
        return f'delete from {self.name} where "key" = {self.dialect.mark}'

    @cached_property
    def _collect(self) -> str:
        mark = self.dialect.mark
        return (
            f'delete from {self.name} where "key" in (select "key" from {self.name} '
            f"where expires_at < {mark} order by expires_at limit {mark})"
        )
