"""Any service with an authorization code flow and a JSON document about the user (`type: oauth`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import attrs

from dextwist.connectors.interface import (
    CallbackConnector,
    CallbackRequest,
    ConnectorError,
    ConnectorScopes,
    Identity,
    LoginStart,
)
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.connectors.settings import TRUST_KEYS, Settings
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.oauth2 import OAuth2Client
from dextwist.connectors.upstream.proof import S256, LoginProof
from dextwist.jose.base64url import decoded
from dextwist.model.claims import Claims

#: A float tells all whole numbers apart up to here.
_EXACT = 2.0**53


@attrs.frozen(kw_only=True)
class UserDocument:
    """Which members of the user endpoint's document say what."""

    user_id: str
    username: str
    preferred_username: str
    email: str
    email_verified: str
    groups: str
    #: that a missing `email_verified` counts as true.
    trust_unverified: bool = False
    #: that numeric ids are written as dex does.
    ids_as_floats: bool = False

    def claims(self, document: Mapping[str, Any]) -> Claims:
        """The person without their groups. Raises ConnectorError where there is no usable user id."""
        verified = document.get(self.email_verified)
        return Claims(
            user_id=self._user_id(document.get(self.user_id)),
            username=_text(document.get(self.username)),
            preferred_username=_text(document.get(self.preferred_username)),
            email=_text(document.get(self.email)),
            email_verified=verified is True or (verified is None and self.trust_unverified),
        )

    def groups_in(self, document: Mapping[str, Any]) -> frozenset[str]:
        """The names of a list of texts or of objects with a `name`; what else is in it is passed over."""
        listed = document.get(self.groups)
        names = [
            _text(each.get("name") if isinstance(each, dict) else each)
            for each in (listed if isinstance(listed, list) else ())
        ]
        return frozenset(filter(None, names))

    def _user_id(self, value: object) -> str:
        match value:
            case bool() | 0:
                pass  # zero is what services say where there is nobody
            case str() if value:
                return value
            case int() if self.ids_as_floats and abs(value) < sys.float_info.max:
                return _as_float(value)
            case int():
                return str(value)
            case float() if value.is_integer() and abs(value) <= _EXACT:
                return _as_float(value) if self.ids_as_floats else str(int(value))
        raise ConnectorError(f"the user document has no usable {self.user_id}: a text or a whole number")


@attrs.frozen(kw_only=True)
class OAuthConnector(CallbackConnector):
    """Asks a user endpoint who came back. There is no refresh."""

    http: UpstreamClient
    client: OAuth2Client
    authorization_url: str
    token_url: str
    user_info_url: str
    scopes: tuple[str, ...]
    document: UserDocument
    #: of the proof key by which logins are bound; empty: by none.
    code_challenge_method: str = ""
    groups_from_access_token: bool = True

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """Where the login goes on. Raises ConnectorError."""
        proof = LoginProof.new(self.code_challenge_method)
        url = self.client.authorization_url(
            self.authorization_url, callback_url, state, scopes=self.scopes, more=proof.challenge
        )
        return LoginStart(url=url, connector_data=proof.connector_data)

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The person of the user document. Raises LoginCancelled, ConnectorError."""
        tokens = await self.client.exchange(
            self.token_url, request.query, code_verifier=LoginProof.of(connector_data).code_verifier
        )
        answer = await self.http.get_json(
            self.user_info_url, operation="userinfo", headers={"Authorization": tokens.authorization}
        )
        document = answer.json_object()
        claims = self.document.claims(document)
        if scopes.groups:
            groups = self.document.groups_in(document)
            if self.groups_from_access_token:
                # Believed without a signature: it came straight from the token endpoint.
                groups |= self.document.groups_in(_payload(tokens.access_token))
            claims = attrs.evolve(claims, groups=tuple(sorted(groups)))
        return Identity(claims=claims, upstream_claims=document)


def _payload(token: str) -> Mapping[str, Any]:
    """The claims of a JWT, unverified; empty for whatever is none."""
    parts = token.split(".")
    if len(parts) < 2:
        return {}
    try:
        payload = json.loads(decoded(parts[1].rstrip("=").encode("ascii")))
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_float(number: float) -> str:
    """The number as Go prints a float: its shortest digits, from seven places on with an exponent."""
    forms = (f"{number:.{places}e}" for places in range(17))
    shortest = next(form for form in forms if float(form) == float(number))
    return shortest if int(shortest.partition("e")[2]) >= 6 else str(int(number))


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> OAuthConnector:
    settings = Settings(config)
    names = settings.section("claimMapping")
    method = settings.choice("pkceChallenge", (S256,))
    http = context.upstream_client(connector_id, settings.trust())
    return OAuthConnector(
        http=http,
        client=OAuth2Client(
            http=http,
            client_id=settings.required("clientID"),
            client_secret=settings.secret("clientSecret", required=not method),
            redirect_uri=settings.required("redirectURI"),
        ),
        authorization_url=settings.url("authorizationURL"),
        token_url=settings.url("tokenURL"),
        user_info_url=settings.url("userInfoURL"),
        scopes=settings.texts("scopes"),
        document=UserDocument(
            user_id=settings.text("userIDKey", "id"),
            username=names.text("userNameKey", "user_name"),
            preferred_username=names.text("preferredUsernameKey", "preferred_username"),
            email=names.text("emailKey", "email"),
            email_verified=names.text("emailVerifiedKey", "email_verified"),
            groups=names.text("groupsKey", "groups"),
            trust_unverified=settings.flag("insecureSkipEmailVerified"),
            ids_as_floats=settings.flag("numericIDsAsFloats"),
        ),
        code_challenge_method=method,
        groups_from_access_token=settings.flag("groupsFromAccessToken", True),
    )


OAUTH = ConnectorType(
    name="oauth",
    open=_open,
    config_keys=TRUST_KEYS
    | {
        "clientID",
        "clientSecret",
        "clientSecretFile",
        "redirectURI",
        "authorizationURL",
        "tokenURL",
        "userInfoURL",
        "scopes",
        "pkceChallenge",
        "userIDKey",
        "claimMapping.userNameKey",
        "claimMapping.preferredUsernameKey",
        "claimMapping.emailKey",
        "claimMapping.emailVerifiedKey",
        "claimMapping.groupsKey",
        "insecureSkipEmailVerified",
        "groupsFromAccessToken",
        "numericIDsAsFloats",
    },
)
