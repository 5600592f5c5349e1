"""Adoption: every row that dex stored becomes a row of ours; dex's tables stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from dextwist.model.kind import Kind
from dextwist.storage.interface import StorageError
from dextwist.storage.sql.dex_columns import DexRow
from dextwist.storage.sql.dex_rows import DEX_TABLES, DexTable
from dextwist.storage.sql.table import Cursor, Table

#: What every dex since its first release has: its ledger and some tables with telling names.
_OLDEST = {"migrations", "client", "auth_request", "auth_code", "refresh_token", "password", "keys"}


def is_dex(existing: Collection[str]) -> bool:
    """Whether a database with these tables is dex's."""
    return set(existing) >= _OLDEST


def adopt(
    new_cursor: Callable[[], Cursor], existing: Collection[str], tables: Mapping[Kind[Any], Table[Any]]
) -> dict[str, int]:
    """Copy every row of dex's; how many, by kind name. Expired ones too: the collector takes them.

    Runs in the caller's transaction. Raises StorageError for a row that cannot be read, so that nothing is
    adopted: to leave one out could mean to lose a key or to unblock a person.
    """
    reading, writing = new_cursor(), new_cursor()
    counts = {}
    for dex_table in DEX_TABLES:
        if dex_table.name in existing:
            counts[dex_table.kind.name] = _copy(dex_table, reading, tables[dex_table.kind], writing)
    return counts


def _copy(dex_table: DexTable, reading: Cursor, table: Table[Any], writing: Cursor) -> int:
    reading.execute(f'select * from "{dex_table.name}"')
    names = [column[0] for column in reading.description]
    if not set(dex_table.key) <= set(names):
        # Sessions as dex kept them for a while had no id; dex itself drops those when it migrates.
        return 0
    count = 0
    while (columns := reading.fetchone()) is not None:
        row = dict(zip(names, columns, strict=True))
        try:
            table.insert(writing, table.kind.stored(dex_table.read(DexRow(row))))
        except (ValueError, TypeError, LookupError, AttributeError, StorageError):
            raise StorageError(f"cannot be adopted: {_name(dex_table, row)} cannot be read") from None
        count += 1
    return count


def _name(dex_table: DexTable, row: Mapping[str, Any]) -> str:
    """What a message calls a row."""
    key = ", ".join(str(row[column]) for column in dex_table.key)
    if dex_table.key_is_secret:
        key = f"{key[:6]}..."
    return f"the row {key} of dex's table {dex_table.name}"
