"""The Microsoft identity platform; Graph says who the user is and in which groups (`type: microsoft`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginRefused,
    LoginStart,
    RefreshConnector,
    keeping,
)
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.connectors.settings import TRUST_KEYS, Settings, read_text
from dextwist.connectors.upstream.answer import UpstreamAnswer
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.oauth2 import OAuth2Client, required_text
from dextwist.connectors.upstream.proof import LoginProof
from dextwist.connectors.upstream.times import from_rfc3339, to_rfc3339
from dextwist.connectors.upstream.tokens import UpstreamTokens
from dextwist.model.claims import Claims

#: Tenants that stand for the accounts of many: their groups cannot be asked for.
_OF_MANY = ("common", "consumers", "organizations")
_USER = ("id", "displayName", "userPrincipalName", "mailNickname", "onPremisesSamAccountName")
_PREFERRED = ("name", "email", "mailNickname", "onPremisesSamAccountName")
#: Ids that Graph resolves in one request.
_CHUNK = 1000
#: Beyond these a list is not read, and nobody is let in by half of it.
_MAX_PAGES = 200
#: Answers of Graph by which a person's access has ended.
_NO_ACCESS = (401, 403, 404)


@attrs.frozen(eq=False)
class GraphRefused(ConnectorError):
    """Graph says no."""

    status: int = 0


@attrs.frozen(kw_only=True)
class Graph:
    """Asks Microsoft Graph, as one person."""

    http: UpstreamClient
    url: str

    async def user(self, authorization: str, fields: Sequence[str]) -> Mapping[str, Any]:
        """What is known of the person; the id is not empty. Raises GraphRefused, ConnectorError."""
        # Graph's own examples write this query so, and not percent-encoded.
        url = f"{self.url}/v1.0/me?$select={','.join(fields)}"
        answer = await self.http.request(
            "GET", url, operation="userinfo", headers={"Authorization": authorization}
        )
        user = _good(answer).json_object()
        required_text(user, "id")
        return user

    async def group_ids(self, authorization: str, *, only_security: bool) -> list[str]:
        """The ids of all groups of the person, those of groups of groups too."""
        body = {"securityEnabledOnly": only_security}
        ids = await self._listed("/v1.0/me/getMemberGroups", authorization, body)
        if not all(isinstance(each, str) and each for each in ids):
            raise ConnectorError("Graph's list of groups has an item that is no id")
        return ids

    async def names(self, authorization: str, ids: Sequence[str]) -> list[str]:
        """The names of these groups."""
        found: list[Any] = []
        for start in range(0, len(ids), _CHUNK):
            body = {"ids": ids[start : start + _CHUNK], "types": ["group"]}
            found += await self._listed("/v1.0/directoryObjects/getByIds", authorization, body)
        if not all(isinstance(each, dict) for each in found):
            raise ConnectorError("Graph's list of groups has an item that is no group")
        return [name for each in found if (name := _text(each, "displayName"))]

    async def _listed(self, path: str, authorization: str, body: Mapping[str, Any]) -> list[Any]:
        """The whole of a list that comes in pages."""
        items: list[Any] = []
        url = self.url + path
        for _ in range(_MAX_PAGES):
            answer = await self.http.request(
                "POST", url, operation="groups", headers={"Authorization": authorization}, json=body
            )
            page = _good(answer).json_object()
            value, url = page.get("value") or [], page.get("@odata.nextLink") or ""
            if not isinstance(value, list) or not isinstance(url, str):
                raise answer.error("is no page of a list")
            items += value
            if not url:
                return items
            if _origin(url) != _origin(self.url):
                # The access token is for Graph alone.
                raise answer.error("names a next page at another host")
        raise ConnectorError(f"{path}: the list does not end")


@attrs.frozen(kw_only=True)
class MicrosoftConnector(CallbackConnector, RefreshConnector):
    """Logs in at one tenant, or at those of many."""

    client: OAuth2Client
    graph: Graph
    tenant: str
    #: the platform's endpoints for the tenant: `.../oauth2/v2.0`.
    endpoints: str
    scopes: tuple[str, ...]
    #: what else the authorization request says: `prompt`, `domain_hint`.
    hints: Mapping[str, str]
    groups: tuple[str, ...] = ()
    only_required_groups: bool = False
    only_security_groups: bool = False
    groups_by_name: bool = True
    email_field: str = "userPrincipalName"
    email_to_lowercase: bool = False
    preferred_username_field: str = ""

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """Where the login goes on. Raises ConnectorError."""
        proof = LoginProof()
        asked = [*self.scopes]
        if self._needs_groups(scopes):
            asked.append("directory.read.all")
        if scopes.offline_access:
            asked.append("offline_access")
        hint = {"login_hint": scopes.login_hint} if scopes.login_hint else {}
        url = self.client.authorization_url(
            f"{self.endpoints}/authorize",
            callback_url,
            state,
            scopes=tuple(dict.fromkeys(asked)),
            more={**proof.challenge, **self.hints, **hint},
        )
        return LoginStart(url=url, connector_data=proof.connector_data)

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The person whom Graph knows. Raises LoginRefused, LoginCancelled, ConnectorError."""
        tokens = await self.client.exchange(
            self._token_url, request.query, code_verifier=LoginProof.of(connector_data).code_verifier
        )
        user = await self.graph.user(tokens.authorization, self._fields)
        claims = self._claims(user, await self._groups(scopes, tokens, user["id"]))
        kept = packed(tokens) if scopes.offline_access else b""
        return Identity(claims=claims, connector_data=kept, upstream_claims=user)

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person as Graph knows them now; the access token of the login serves while it lives.

        Raises IdentityGone, LoginRefused, ConnectorError; RefreshInterrupted around one of them.
        """
        kept = unpacked(identity.connector_data)
        tokens = await self.client.current(self._token_url, kept)
        renewed = packed(tokens) if tokens is not kept else b""
        with keeping(renewed):
            try:
                user = await self.graph.user(tokens.authorization, self._fields)
            except GraphRefused as refused:
                if refused.status in _NO_ACCESS:
                    raise IdentityGone(str(refused)) from None
                raise
        if user["id"] != identity.claims.user_id:
            raise IdentityGone("the tokens are another user's")
        with keeping(renewed):
            claims = self._claims(user, await self._groups(scopes, tokens, user["id"]))
        return Identity(claims=claims, connector_data=packed(tokens), upstream_claims=user)

    @property
    def _token_url(self) -> str:
        return f"{self.endpoints}/token"

    @property
    def _fields(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*_USER, self.email_field)))

    def _needs_groups(self, scopes: ConnectorScopes) -> bool:
        return (bool(self.groups) or scopes.groups) and self.tenant not in _OF_MANY

    async def _groups(self, scopes: ConnectorScopes, tokens: UpstreamTokens, user_id: str) -> tuple[str, ...]:
        """The groups, where they are needed. Raises LoginRefused where none of them is required."""
        if not self._needs_groups(scopes):
            return ()
        authorization = tokens.authorization
        groups = await self.graph.group_ids(authorization, only_security=self.only_security_groups)
        if self.groups_by_name:
            groups = await self.graph.names(authorization, groups)
        if not self.groups:
            return tuple(groups)
        required = [group for group in groups if group in self.groups]
        if not required:
            raise LoginRefused(user_id, self.groups)
        return tuple(required if self.only_required_groups else groups)

    def _claims(self, user: Mapping[str, Any], groups: tuple[str, ...]) -> Claims:
        email = _text(user, self.email_field)
        if self.email_to_lowercase:
            email = email.lower()
        match self.preferred_username_field:
            case "":
                preferred_username = ""
            case "email":
                preferred_username = email
            case "name":
                preferred_username = _text(user, "displayName")
            case field:
                preferred_username = _text(user, field)
        return Claims(
            user_id=user["id"],
            username=_text(user, "displayName"),
            preferred_username=preferred_username,
            email=email,
            email_verified=bool(email),
            groups=groups,
        )


def packed(tokens: UpstreamTokens) -> bytes:
    """The tokens as connector data."""
    kept = {
        "accessToken": tokens.access_token,
        "refreshToken": tokens.refresh_token,
        "expiry": to_rfc3339(tokens.expires_at),
    }
    return json.dumps(kept).encode("ascii")


def unpacked(connector_data: bytes) -> UpstreamTokens:
    """The tokens of connector data. Raises ConnectorError where it is none."""
    try:
        kept = json.loads(connector_data)
        return UpstreamTokens(
            access_token=_text(kept, "accessToken"),
            refresh_token=_text(kept, "refreshToken"),
            expires_at=from_rfc3339(kept.get("expiry") or to_rfc3339(None)),
        )
    except (ValueError, TypeError, AttributeError):
        raise ConnectorError("no tokens of the login are kept") from None


def _good(answer: UpstreamAnswer) -> UpstreamAnswer:
    """The answer, if it is one. Raises GraphRefused."""
    if answer.status != 200:
        refused = answer.error("is not 200", excerpt=True)
        raise GraphRefused(refused.reason, status=answer.status)
    return answer


def _text(members: Mapping[str, Any], name: str) -> str:
    """A member; empty where there is none. Raises ConnectorError for one that is no text."""
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConnectorError(f"Graph's {name} is no text")
    return value


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.netloc.rpartition("@")[2].partition(":")[0].lower(), port


def _assertion(path: str) -> str:
    """The client assertion as it stands in its file now."""
    return read_text(path).strip()


async def _open(
    connector_id: str, config: Mapping[str, Any], context: ConnectorContext
) -> MicrosoftConnector:
    settings = Settings(config)
    tenant, groups = settings.text("tenant", "common"), settings.texts("groups")
    email_field = settings.choice("emailField", ("userPrincipalName", "mail"), "userPrincipalName")
    if tenant in _OF_MANY:
        if groups:
            raise settings.wrong("groups", f"cannot be asked for at the tenant {tenant}")
        if email_field == "mail":
            # Administrators of other tenants write into it what they like.
            raise settings.wrong("emailField", f"cannot be believed at the tenant {tenant}")
    if not groups and settings.flag("useGroupsAsWhitelist"):
        raise settings.wrong("useGroupsAsWhitelist", "has no effect without groups")
    http = context.upstream_client(connector_id, settings.trust())
    assertion = settings.text("clientAssertion")
    api_url = settings.url("apiURL", "https://login.microsoftonline.com").rstrip("/")
    hints = {"prompt": settings.text("promptType"), "domain_hint": settings.text("domainHint")}
    return MicrosoftConnector(
        client=OAuth2Client(
            http=http,
            client_id=settings.required("clientID"),
            client_secret=settings.secret("clientSecret", required=not assertion),
            redirect_uri=settings.required("redirectURI"),
            client_assertion=partial(_assertion, assertion) if assertion else None,
        ),
        graph=Graph(http=http, url=settings.url("graphURL", "https://graph.microsoft.com").rstrip("/")),
        tenant=tenant,
        endpoints=f"{api_url}/{quote(tenant, safe='')}/oauth2/v2.0",
        scopes=settings.texts("scopes", ("user.read",)),
        hints={name: value for name, value in hints.items() if value},
        groups=groups,
        only_required_groups=settings.flag("useGroupsAsWhitelist"),
        only_security_groups=settings.flag("onlySecurityGroups"),
        groups_by_name=settings.choice("groupNameFormat", ("name", "id"), "name") == "name",
        email_field=email_field,
        email_to_lowercase=settings.flag("emailToLowercase"),
        preferred_username_field=settings.choice("preferredUsernameField", _PREFERRED),
    )


MICROSOFT = ConnectorType(
    name="microsoft",
    open=_open,
    config_keys=TRUST_KEYS
    | {
        "clientID",
        "clientSecret",
        "clientSecretFile",
        "clientAssertion",
        "redirectURI",
        "tenant",
        "scopes",
        "groups",
        "useGroupsAsWhitelist",
        "onlySecurityGroups",
        "groupNameFormat",
        "batchGroupLookups",
        "emailToLowercase",
        "emailField",
        "preferredUsernameField",
        "promptType",
        "domainHint",
        "apiURL",
        "graphURL",
    },
)
