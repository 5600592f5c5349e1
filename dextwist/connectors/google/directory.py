"""The groups that an address is in, as the Directory API of the Admin SDK tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import attrs
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger

from dextwist.connectors.google.service_account import AdminToken
from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.answer import UpstreamAnswer
from dextwist.connectors.upstream.client import UpstreamClient

DIRECTORY_URL = "https://admin.googleapis.com"
#: The key for the domains that have no administrator of their own.
ANY_DOMAIN = "*"
#: How many groups a page has; Google gives no more.
_PAGE = "200"
_MAX_PAGES = 50
#: Beyond these a membership is not read, and nobody is let in by half of it.
MAX_GROUPS = 5000
MAX_DEPTH = 20
#: Look-ups that one login has under way at once.
_AT_ONCE = 5


@attrs.frozen(kw_only=True)
class GroupDirectory:
    """Looks groups up in the name of the administrator of the address's domain."""

    log: ClassVar[Logger] = Logger()

    client: UpstreamClient
    #: by domain in lower case; ANY_DOMAIN for all others.
    admins: Mapping[str, AdminToken]
    url: str = DIRECTORY_URL
    #: also the groups that groups are in.
    transitive: bool = False

    async def groups_of(self, email: str) -> tuple[str, ...]:
        """The addresses of all groups, the direct ones first. Raises ConnectorError."""
        admin = self._admin_of(email)
        if admin is None:
            raise ConnectorError(f"domainToAdminEmail has no administrator for the domain of {email!r}")
        seen: dict[str, None] = {}
        found = await self._direct(email, admin)
        for _ in range(MAX_DEPTH):
            level = [group for group in dict.fromkeys(found) if group not in seen]
            seen |= dict.fromkeys(level)
            if len(seen) > MAX_GROUPS:
                raise ConnectorError(f"{email!r} is in more than {MAX_GROUPS} groups")
            if not level or not self.transitive:
                return tuple(seen)
            found = await self._groups_of_groups(level)
        raise ConnectorError(f"the groups of {email!r} are nested more than {MAX_DEPTH} deep")

    async def _groups_of_groups(self, groups: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(groups), _AT_ONCE):
            lookups = [
                Deferred.fromCoroutine(self._of_group(group)) for group in groups[start : start + _AT_ONCE]
            ]
            try:
                for direct in await gatherResults(lookups, consumeErrors=True):
                    found += direct
            except FirstError as first:
                first.subFailure.raiseException()
        return found

    async def _of_group(self, group: str) -> list[str]:
        admin = self._admin_of(group)
        if admin is None:
            self.log.info(
                "the groups of {group} are not looked up: its domain has no administrator", group=group
            )
            return []
        return await self._direct(group, admin)

    async def _direct(self, member: str, admin: AdminToken) -> list[str]:
        """The groups that this address itself is in, all pages."""
        groups: list[str] = []
        page = ""
        for _ in range(_MAX_PAGES):
            answer = await self._page(member, admin, page)
            content = answer.json_object()
            listed, page = content.get("groups") or [], content.get("nextPageToken") or ""
            if not isinstance(listed, list) or not isinstance(page, str):
                raise answer.error("is no list of groups")
            groups += [_address(group, answer) for group in listed]
            if not page:
                return groups
        raise ConnectorError(f"the list of the groups of {member!r} does not end")

    async def _page(self, member: str, admin: AdminToken, page: str) -> UpstreamAnswer:
        answer = await self.client.request(
            "GET",
            f"{self.url}/admin/directory/v1/groups",
            operation="groups",
            headers={"Authorization": await admin.authorization()},
            params={"userKey": member, "maxResults": _PAGE, **({"pageToken": page} if page else {})},
        )
        if answer.status == 401:
            admin.forget()
        if answer.status != 200:
            raise answer.error("is not 200", excerpt=True)
        return answer

    def _admin_of(self, address: str) -> AdminToken | None:
        """The administrator of what follows the last `@`."""
        _, _, domain = address.rpartition("@")
        return self.admins.get(domain.lower() if "@" in address else "") or self.admins.get(ANY_DOMAIN)


def _address(group: object, answer: UpstreamAnswer) -> str:
    address = group.get("email") if isinstance(group, dict) else None
    if not isinstance(address, str) or not address:
        raise answer.error("has a group without an address")
    return address
