"""Attributes of Active Directory that are too long for one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ldaptor.protocols import pureldap

from dextwist.connectors.interface import ConnectorError
from tests.connectors.ldap.opening import ALL_SCOPES
from tests.connectors.ldap.scripted import Said, ScriptedCase, found

_DN = b"CN=Jane Doe,DC=x"
_GROUPS = [f"CN=g{number},DC=x".encode() for number in range(3200)]

Attributes = Mapping[str, Sequence[bytes]]


def windows(request: Any) -> Attributes:
    """As Windows gives `memberOf`: 1500 values at a time."""
    (asked,) = [name.decode() for name in request.attributes if name.startswith(b"memberOf")]
    first = int(asked.partition("range=")[2].partition("-")[0] or 0)
    some = _GROUPS[first : first + 1500]
    last = "*" if first + len(some) == len(_GROUPS) else str(first + len(some) - 1)
    return {"memberOf": [], f"memberOf;range={first}-{last}": some}


def saying(name: str, count: int, request: Any) -> Attributes:
    """The first piece as Windows gives it, and this as the second."""
    if b"memberOf" in request.attributes:
        return windows(request)
    return {name: _GROUPS[:count]} if name else {}


class PiecesTests(ScriptedCase):
    """The rest is asked for, and has to come."""

    async def member_of(self, answer: Any) -> tuple[Any, list[Any]]:
        """What a login reads, and the searches that it takes."""

        def search(request: Any) -> Said:
            return found((_DN, {"uid": [b"jane"], "mail": [b"jane@x"], **answer(request)}))

        server = await self.serve({pureldap.LDAPSearchRequest: search})
        users = {"baseDN": "DC=x", "username": "uid", "extraAttrs": ["memberOf"]}
        connector = await self.connector({"host": server.host, "insecureNoSSL": True, "userSearch": users})
        identity = await connector.login(ALL_SCOPES, "jane", "password")
        assert identity is not None
        return identity.upstream_claims["memberOf"], [
            each for each in server.asked if isinstance(each, pureldap.LDAPSearchRequest)
        ]

    async def test_the_pieces_are_put_together(self) -> None:
        values, searches = await self.member_of(windows)
        self.assertEqual(values, [value.decode() for value in _GROUPS])
        self.assertEqual(
            [(each.baseObject, each.attributes) for each in searches[1:]],
            [(_DN, [b"memberOf;range=1500-*"]), (_DN, [b"memberOf;range=3000-*"])],
        )

    async def test_what_is_whole_is_not_asked_for_again(self) -> None:
        values, searches = await self.member_of(lambda request: {"memberOf": _GROUPS[:2]})
        self.assertEqual((len(values), len(searches)), (2, 1))

    async def test_a_rest_that_does_not_come_is_an_error(self) -> None:
        for name, count, words in (
            ("", 0, "no more than 1500 values of memberOf"),
            ("memberOf;range=0-1499", 1500, "1500 values as memberOf;range=0-1499 after 1500"),
            ("memberOf;range=1500-1501", 1, "1 values as memberOf;range=1500-1501"),
            ("memberOf;range=1500-*", 0, "0 values"),
        ):
            with self.assertRaises(ConnectorError) as raised:
                await self.member_of(partial(saying, name, count))
            self.assertIn(words, str(raised.exception))

    async def test_values_without_end_are_an_error(self) -> None:
        def endless(request: Any) -> Attributes:
            (asked,) = [name.decode() for name in request.attributes if name.startswith(b"memberOf")]
            first = int(asked.partition("range=")[2].partition("-")[0] or 0)
            return {f"memberOf;range={first}-{first + 999}": [b"x"] * 1000}

        with self.assertRaises(ConnectorError) as raised:
            await self.member_of(endless)
        self.assertIn("more than 10000 values of memberOf", str(raised.exception))
