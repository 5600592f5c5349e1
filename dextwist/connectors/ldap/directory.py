"""What a directory is asked: who somebody is, whether a password is theirs, which groups they have."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeVar

import attrs
from twisted.logger import Logger

from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.ldap import answers
from dextwist.connectors.ldap.answers import BindResult, Entry
from dextwist.connectors.ldap.config import GroupMatcher, GroupSearch, UserSearch
from dextwist.connectors.ldap.connection import LdapConnection, LdapRefusal
from dextwist.connectors.ldap.filters import (
    Comparison,
    Extensible,
    Filter,
    Not,
    Present,
    all_of,
    any_of,
    filter_text,
)
from dextwist.connectors.ldap.pieces import with_all_values
from dextwist.connectors.ldap.pool import DirectoryPool
from dextwist.connectors.ldap.values import comparable_dn, plain_text
from dextwist.connectors.ldap.wire import Page, Search

T = TypeVar("T")

#: values that are looked for with one search.
_AT_ONCE = 50
_MOST_PAGES = 1000
MOST_GROUPS = 10_000
MOST_LEVELS = 32


@attrs.define(kw_only=True, eq=False)
class Directory:
    """People and groups. Raises ConnectionBroken, LdapRefusal, ConnectorError and Overloaded throughout."""

    log: ClassVar[Logger] = Logger()

    pool: DirectoryPool
    users: UserSearch
    groups: GroupSearch | None
    #: entries that are asked for at once; Active Directory gives no more than 1000.
    page_size: int = 500
    _referral_told: bool = attrs.field(default=False, init=False)

    async def person(self, username: str) -> Entry | None:
        """The entry of that user name; None where there is none."""
        search = Search(
            base=self.users.base_dn,
            scope=self.users.scope,
            condition=self._is_named(username),
            attributes=self.user_attributes(),
            size_limit=2,
        )
        self.log.debug("ldap search", base=search.base, filter=filter_text(search.condition))

        async def look(connection: LdapConnection) -> Sequence[Entry]:
            found = await connection.search(search, time_limit=self.pool.limits.operation)
            self._tell_referral(found.referred)
            if found.cut_off and len(found.entries) < 2:
                raise ConnectorError("the directory's size limit cut the search for a user off")
            return [await self._whole(connection, entry) for entry in found.entries]

        entries = await self.pool.ask(look)
        if len(entries) > 1:
            raise ConnectorError(
                f"ambiguous user name {username!r}: the userSearch of this connector finds several entries"
            )
        return entries[0] if entries else None

    async def _whole(self, connection: LdapConnection, entry: Entry) -> Entry:
        async def ask(attribute: str) -> Entry | None:
            again = Search(
                base=entry.dn, scope="base", condition=Present("objectClass"), attributes=(attribute,)
            )
            found = await connection.search(again, time_limit=self.pool.limits.operation)
            return next(iter(found.entries), None)

        return await with_all_values(entry, ask)

    def _is_named(self, username: str) -> Filter:
        value = username.encode()
        named = any_of(attrs.evolve(match, value=value) for match in self.users.username)
        return all_of([self.users.condition, named])

    def user_attributes(self) -> tuple[str, ...]:
        """What is read about a person."""
        users, matchers = self.users, self.groups.matchers if self.groups else ()
        wanted = [
            users.id_attr,
            users.email_attr,
            *(match.attribute for match in users.username),
            *(matcher.user_attr for matcher in matchers),
            users.name_attr,
            users.preferred_username_attr,
            *users.extra_attrs,
        ]
        return tuple(dict.fromkeys(filter(None, wanted)))

    async def try_password(self, person: Entry | None, password: str) -> BindResult | None:
        """What the directory says to the password; None, after the same work, where there is nobody."""
        secret = password.encode()
        if person is not None:
            return await self.pool.try_password(person.dn, secret)
        # A name that nobody has, and nothing that was typed.
        nobody = f"cn={secrets.token_hex(16)},{self.users.base_dn}".encode()
        await self.pool.try_password(nobody, secrets.token_hex(len(secret)).encode()[: len(secret)])
        return None

    # -- groups

    async def groups_of(self, person: Entry) -> tuple[str, ...]:
        """The names of all groups of the person, each once, those that are nearest first."""
        groups = self.groups
        if groups is None:
            return ()

        async def look(connection: LdapConnection) -> tuple[str, ...]:
            names: dict[str, None] = {}
            for matcher in groups.matchers:
                for group in await self._matching(connection, groups, matcher, person):
                    names[_group_name(group, groups.name_attr)] = None
            return tuple(names)

        return await self.pool.ask(look)

    async def _matching(
        self, connection: LdapConnection, groups: GroupSearch, matcher: GroupMatcher, person: Entry
    ) -> list[Entry]:
        """The groups of one matcher; where it climbs, all above them too, level by level."""
        direct = [attrs.evolve(matcher.group, value=value) for value in person.values(matcher.user_attr)]
        level = await self._search_groups(connection, groups, direct)
        if matcher.parent is None:
            return level
        found: dict[tuple[str, ...], Entry] = {}
        for _ in range(MOST_LEVELS):
            fresh = {comparable_dn(group.dn): group for group in level}
            fresh = {name: group for name, group in fresh.items() if name not in found}
            if not fresh:
                return list(found.values())
            found |= fresh
            _check_count(len(found))
            above = [attrs.evolve(matcher.parent, value=group.dn) for group in fresh.values()]
            level = await self._search_groups(connection, groups, above)
        raise ConnectorError(f"groups within groups, more than {MOST_LEVELS} levels deep")

    async def _search_groups(
        self, connection: LdapConnection, groups: GroupSearch, matches: Sequence[Comparison | Extensible]
    ) -> list[Entry]:
        """The groups for which one of these holds."""
        found: list[Entry] = []
        for some in _chunks(matches):
            search = Search(
                base=groups.base_dn,
                scope=groups.scope,
                condition=all_of([groups.condition, any_of(some)]),
                attributes=(groups.name_attr,),
            )
            found += await self._all_of(connection, search)
            _check_count(len(found))
        return found

    async def _all_of(self, connection: LdapConnection, search: Search) -> list[Entry]:
        """All that a search finds, though the server's size limit be smaller."""
        entries, cut_off = await self._pages(connection, search)
        while cut_off:
            # There are more. A server without entryDN (RFC 5020) finds none of them, which is no answer.
            known = any_of(Comparison("entryDN", "=", entry.dn) for entry in entries)
            rest = attrs.evolve(search, condition=all_of([search.condition, Not(known)]))
            more, cut_off = await self._pages(connection, rest) if entries else ([], False)
            if not more:
                raise ConnectorError("the directory's size limit cut the search for groups off")
            entries += more
            _check_count(len(entries))
        return entries

    async def _pages(self, connection: LdapConnection, search: Search) -> tuple[list[Entry], bool]:
        """What a search finds, and whether the server broke off; nothing where its base does not exist."""
        entries: list[Entry] = []
        page = Page(size=self.page_size)
        for _ in range(_MOST_PAGES):
            try:
                found = await connection.search(search, time_limit=self.pool.limits.operation, page=page)
            except LdapRefusal as refusal:
                if refusal.result.code == answers.NO_SUCH_OBJECT:
                    self.log.debug("ldap search: {base} does not exist", base=search.base)
                    return entries, False
                raise
            self._tell_referral(found.referred)
            entries += found.entries
            _check_count(len(entries))
            if found.cut_off or not found.cookie:
                return entries, found.cut_off
            page = Page(size=self.page_size, cookie=found.cookie)
        raise ConnectorError("the directory does not come to the end of its pages")

    def _tell_referral(self, referred: bool) -> None:
        if referred and not self._referral_told:
            self._referral_told = True
            self.log.info("the directory refers to other servers, which are not asked")


def _group_name(group: Entry, name_attr: str) -> str:
    values = group.values(name_attr)
    name = plain_text(values[0]) if values else None
    if name is None:
        raise ConnectorError(f"group {group.dn.decode('utf-8', 'replace')!r} has no usable {name_attr}")
    return name


def _check_count(count: int) -> None:
    if count > MOST_GROUPS:
        raise ConnectorError(f"more than {MOST_GROUPS} groups")


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
