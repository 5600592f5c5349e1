"""SQL engines: one table a kind, whatever the database.

`table` is what the tables look like and what the storage's operations do to them, in the words of a
`Dialect`; `schema` makes the tables or refuses a database that is not ours; `adoption` and `dex_rows`
take over what dex stored. An engine adds connections and transactions: `sqlite` with its `sqlite_file`
and `group_commit`.
"""
