"""Users and groups of a directory (type `ldap`), with a password or with a Kerberos ticket.

From the wire up: `wire` writes requests and `answers` reads what comes back, `connection` is one connection,
`hosts` and `pool` choose and keep connections, `directory` asks the questions, `connector` turns the answers
into an identity. Beside them: `config` reads the settings, `filters` and `values` what is in texts, and
`pieces` puts long attributes together.
"""
