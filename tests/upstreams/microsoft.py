"""A fake tenant of the Microsoft identity platform, with the part of Graph that knows people and groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from tests.upstreams.oauth import FakeOAuth
from tests.upstreams.served import Answer, Call, main

ME = "/v1.0/me"
MEMBER_GROUPS = "/v1.0/me/getMemberGroups"
BY_IDS = "/v1.0/directoryObjects/getByIds"


def graph_error(status: int, code: str, message: str, **headers: str) -> Answer:
    """An error as Graph words it."""
    inner = {"date": "2026-11-24T18:00:00", "request-id": "0e0e0e0e", "client-request-id": "0e0e0e0e"}
    return Answer.json({"error": {"code": code, "message": message, "innerError": inner}}, status, **headers)


@attrs.define(kw_only=True, eq=False)
class FakeMicrosoft(FakeOAuth):
    """The endpoints of one tenant, and Graph beside them."""

    tenant: str = "acme"
    person: dict[str, Any] = attrs.field(
        factory=lambda: {
            "id": "S56767889",
            "displayName": "Jane Doe",
            "userPrincipalName": "jane.doe@example.com",
            "mailNickname": "janedoe",
            "onPremisesSamAccountName": "DOMAIN\\janedoe",
        }
    )
    #: id -> name of the groups that everybody is in.
    groups: dict[str, str] = attrs.field(factory=lambda: {"id-a": "Admins", "id-b": "Developers"})
    #: the ids of those that are security groups.
    security: set[str] = attrs.field(factory=lambda: {"id-b"})
    #: how many items a page has, and how many ids one request may name.
    page: int = 100
    limit: int = 1000

    def routes(self) -> Mapping[str, Callable[[Call], Answer]]:
        return {
            f"/{self.tenant}/oauth2/v2.0/authorize": self.authorize,
            f"/{self.tenant}/oauth2/v2.0/token": self.token,
            ME: self._known(lambda call: Answer.json(self.access_tokens[call.token])),
            MEMBER_GROUPS: self._known(self.member_groups),
            BY_IDS: self._known(self.by_ids),
        }

    def configuration(self) -> Sequence[str]:
        return (
            f"clientID: {self.client_id}",
            f"clientSecret: {self.client_secret}",
            f"tenant: {self.tenant}",
            f"apiURL: {self.url}",
            f"graphURL: {self.url}",
        )

    @property
    def token_calls(self) -> list[Call]:
        """What was sent to the token endpoint."""
        return self.calls_of(f"/{self.tenant}/oauth2/v2.0/token")

    def member_groups(self, call: Call) -> Answer:
        only_security = call.json["securityEnabledOnly"]
        return self._paged(call, [each for each in self.groups if not only_security or each in self.security])

    def by_ids(self, call: Call) -> Answer:
        ids = call.json["ids"]
        if len(ids) > self.limit:
            return graph_error(400, "Request_BadRequest", f"Too many ids: {len(ids)}.")
        items = [
            {"@odata.type": "#microsoft.graph.group", "id": each, "displayName": self.groups[each]}
            for each in ids
            if each in self.groups
        ]
        return self._paged(call, items)

    def _known(self, route: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            if call.token not in self.access_tokens:
                return graph_error(401, "InvalidAuthenticationToken", "Access token is empty.")
            return route(call)

        return answer

    def _paged(self, call: Call, items: list[Any]) -> Answer:
        start = int(call.query.get("$skiptoken", 0))
        end = start + self.page
        answer: dict[str, Any] = {"@odata.context": f"{self.url}/v1.0/$metadata", "value": items[start:end]}
        if end < len(items):
            answer["@odata.nextLink"] = f"{self.url}{call.path}?$skiptoken={end}"
        return Answer.json(answer)


if __name__ == "__main__":
    main(FakeMicrosoft(), __doc__)
