"""The schema and its ledger: make it, find it, adopt dex's data into it, or refuse a stranger's database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from dextwist.model.kind import Kind
from dextwist.storage.interface import StorageError
from dextwist.storage.sql.adoption import adopt, is_dex
from dextwist.storage.sql.table import Cursor, Dialect, Table

#: The schema that this version makes and understands.
VERSION = 1


@attrs.frozen(kw_only=True)
class Schema:
    """Our tables in a database."""

    dialect: Dialect
    tables: Mapping[Kind[Any], Table[Any]]

    @classmethod
    def of(cls, kinds: Collection[Kind[Any]], dialect: Dialect) -> Schema:
        """The schema for these kinds."""
        return cls(dialect=dialect, tables={kind: Table(kind=kind, dialect=dialect) for kind in kinds})

    def prepare(
        self, new_cursor: Callable[[], Cursor], existing: Collection[str], now: int
    ) -> dict[str, int] | None:
        """See to it that our tables are there; how many rows of each kind were adopted from dex, if any were.

        `existing` are the tables of the database. Runs in one transaction that shuts out every other writer.
        Raises StorageError for a database that must not be touched.
        """
        cursor = new_cursor()
        if "dextwist_schema" in existing:
            self._check_version(cursor)
            self._create_tables(cursor, existing)
            self.answer(cursor, now)
            return None
        if not existing:
            self._create(cursor, now, "created")
            return None
        if not is_dex(existing):
            raise StorageError("holds tables of another program")
        self._create(cursor, now, "adopted from dex")
        return adopt(new_cursor, existing, self.tables)

    def answer(self, cursor: Cursor, now: int) -> None:
        """Write a little: the readiness question."""
        cursor.execute(f"update dextwist_check set asked_at = {self.dialect.mark}", (now,))

    def _check_version(self, cursor: Cursor) -> None:
        cursor.execute("select max(version) from dextwist_schema")
        (version,) = cursor.fetchone()
        if version != VERSION:
            raise StorageError(f"has schema version {version}; this server knows version {VERSION}")

    def _create(self, cursor: Cursor, now: int, description: str) -> None:
        mark = self.dialect.mark
        cursor.execute(
            "create table dextwist_schema (version integer not null primary key, applied_at bigint not null, "
            "description text not null)"
        )
        cursor.execute(
            f"insert into dextwist_schema values ({mark}, {mark}, {mark})", (VERSION, now, description)
        )
        cursor.execute("create table dextwist_check (asked_at bigint not null)")
        cursor.execute(f"insert into dextwist_check values ({mark})", (now,))
        self._create_tables(cursor, ())

    def _create_tables(self, cursor: Cursor, existing: Collection[str]) -> None:
        """Make the tables that are missing: a kind that is new needs no new version of what was there."""
        for table in self.tables.values():
            if table.name not in existing:
                for statement in table.statements_to_create():
                    cursor.execute(statement)
