"""Google accounts, with limits to Workspace domains and to groups (`type: google`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from twisted.logger import Logger

from dextwist.connectors.google.directory import ANY_DOMAIN, DIRECTORY_URL, GroupDirectory
from dextwist.connectors.google.service_account import (
    AdminToken,
    KeyFileAccount,
    MachineAccount,
    ServiceAccount,
)
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
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.id_token import IDTokenRules, check_at_hash, check_nonce
from dextwist.connectors.upstream.oauth2 import OAuth2Client, required_text
from dextwist.connectors.upstream.proof import LoginProof
from dextwist.connectors.upstream.provider import Provider
from dextwist.connectors.upstream.tokens import UpstreamTokens
from dextwist.model.claims import Claims

_log = Logger()

_ISSUER = "https://accounts.google.com"
_METADATA_HOST = "169.254.169.254"
#: Where `gcloud` keeps what programs on the machine may use.
_WELL_KNOWN = ".config/gcloud/application_default_credentials.json"
_LOCAL_PART = "emailLocalPart"


@attrs.frozen(kw_only=True)
class GoogleConnector(CallbackConnector, RefreshConnector):
    """Logs in at Google, and asks the Directory API for groups."""

    client: OAuth2Client
    provider: Provider
    scopes: tuple[str, ...]
    #: None: groups cannot be asked for.
    directory: GroupDirectory | None
    hosted_domains: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    prompt: str = "consent"
    preferred_username_field: str = ""

    async def login_url(self, scopes: ConnectorScopes, callback_url: str, state: str) -> LoginStart:
        """Where the login goes on. Raises ConnectorError."""
        proof = LoginProof()
        more = {**proof.challenge, "nonce": proof.nonce}
        if scopes.login_hint:
            more["login_hint"] = scopes.login_hint
        if self.hosted_domains:
            # A hint to the person; what counts is the claim.
            more["hd"] = self.hosted_domains[0] if len(self.hosted_domains) == 1 else "*"
        if scopes.offline_access:
            more |= {"access_type": "offline", "prompt": self.prompt}
        document = await self.provider.document()
        url = self.client.authorization_url(
            document.authorization_endpoint, callback_url, state, scopes=self.scopes, more=more
        )
        return LoginStart(url=url, connector_data=proof.connector_data)

    async def handle_callback(
        self, scopes: ConnectorScopes, connector_data: bytes, request: CallbackRequest
    ) -> Identity:
        """The person of the ID token. Raises LoginRefused, LoginCancelled, ConnectorError."""
        proof = LoginProof.of(connector_data)
        tokens = await self.client.exchange(
            await self._token_url(), request.query, code_verifier=proof.code_verifier
        )
        said = await self._verified(tokens)
        check_nonce(said, proof.nonce)
        claims = await self._claims(scopes, said, Claims())
        # Where Google gives none this time, the one of an earlier login stays.
        kept = tokens.refresh_token.encode() if scopes.offline_access else b""
        return Identity(claims=claims, connector_data=kept, upstream_claims=said)

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The person as Google knows them now.

        Raises IdentityGone, LoginRefused, ConnectorError; RefreshInterrupted around one of them.
        """
        kept = identity.connector_data.decode("utf-8", "replace")
        tokens = await self.client.refreshed(await self._token_url(), kept)
        data = tokens.refresh_token.encode()
        renewed = data if data != identity.connector_data else b""
        with keeping(renewed):
            said = await self._verified(tokens)
        if said["sub"] != identity.claims.user_id:
            raise IdentityGone("the tokens are another user's")
        with keeping(renewed):
            claims = await self._claims(scopes, said, identity.claims)
        return Identity(claims=claims, connector_data=data, upstream_claims=said)

    async def close(self) -> None:
        """End what is under way."""
        self.provider.close()

    async def _token_url(self) -> str:
        return (await self.provider.document()).token_endpoint

    async def _verified(self, tokens: UpstreamTokens) -> Mapping[str, Any]:
        """The claims of the ID token, which is Google's and for us. Raises ConnectorError."""
        id_token = tokens.text("id_token")
        if not id_token:
            raise ConnectorError("the token answer has no id_token")
        token = await self.provider.verified(id_token)
        issuers = (await self.provider.document()).issuers
        rules = IDTokenRules(issuers=issuers, client_id=self.client.client_id)
        rules.check(token.claims, self.client.http.clock.seconds())
        check_at_hash(token.claims, token.header["alg"], tokens.access_token)
        required_text(token.claims, "sub")
        return token.claims

    async def _claims(self, scopes: ConnectorScopes, said: Mapping[str, Any], before: Claims) -> Claims:
        """The person, if the limits let them in. Raises LoginRefused, ConnectorError."""
        email = _text(said, "email")
        self._check_domain(said)
        match self.preferred_username_field:
            case "":
                preferred_username = ""
            case "email":
                preferred_username = email or before.preferred_username
            case _:
                preferred_username = email.rpartition("@")[0] or before.preferred_username
        return Claims(
            user_id=said["sub"],
            # Google leaves it out of refreshes at times.
            username=_text(said, "name") or before.username,
            preferred_username=preferred_username,
            email=email,
            email_verified=said.get("email_verified") is True,
            groups=await self._groups(scopes, said),
        )

    def _check_domain(self, said: Mapping[str, Any]) -> None:
        domain = said.get("hd")
        if self.hosted_domains and not (isinstance(domain, str) and domain.lower() in self.hosted_domains):
            raise LoginRefused(said["sub"], message="Your account is of a domain that may not sign in here.")

    async def _groups(self, scopes: ConnectorScopes, said: Mapping[str, Any]) -> tuple[str, ...]:
        """The groups, where they are needed. Raises LoginRefused where none of them is required."""
        if self.directory is None or not (self.groups or scopes.groups):
            return ()
        email = required_text(said, "email")
        if said.get("email_verified") is not True:
            # Groups are looked up by the address: it must be the person's own.
            raise ConnectorError("groups cannot be looked up: Google has not verified the e-mail address")
        groups = await self.directory.groups_of(email)
        if not self.groups:
            return groups
        required = tuple(group for group in groups if group in self.groups)
        if not required:
            raise LoginRefused(said["sub"], self.groups)
        return required


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


async def _directory(
    connector_id: str, settings: Settings, http: UpstreamClient, context: ConnectorContext
) -> GroupDirectory | None:
    """The directory, where administrators are named. Raises ConnectorError."""
    admins, admin = settings.texts_by_name("domainToAdminEmail"), settings.text("adminEmail")
    path = settings.text("serviceAccountFilePath")
    if admin:
        _log.warn(
            'connector {connector_id}: adminEmail is an old name of the entry "*" in domainToAdminEmail',
            connector_id=connector_id,
        )
        admins[ANY_DOMAIN] = admin
    if not admins:
        needing = {"serviceAccountFilePath": path, "groups": settings.texts("groups")}
        for key in filter(needing.get, needing):
            raise settings.wrong(key, "needs domainToAdminEmail: in whose name groups are looked up")
        return None
    account = await _account(path, http, context.environ)
    token_url = settings.url("tokenURL", account.token_url)
    return GroupDirectory(
        client=http,
        admins={
            domain.lower(): AdminToken(
                client=http, clock=context.clock, account=account, admin=email, token_url=token_url
            )
            for domain, email in admins.items()
        },
        url=settings.url("directoryURL", DIRECTORY_URL).rstrip("/"),
        transitive=settings.flag("fetchTransitiveGroupMembership"),
    )


async def _account(path: str, http: UpstreamClient, environ: Mapping[str, str]) -> ServiceAccount:
    """The service account: of this key file, of one where Google's programs look for it, or the machine's."""
    well_known = Path(environ.get("HOME", "/")) / _WELL_KNOWN
    path = path or environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if not path and well_known.is_file():
        path = str(well_known)
    if path:
        return KeyFileAccount.of(read_text(path), path)
    host = environ.get("GCE_METADATA_HOST") or _METADATA_HOST
    return await MachineAccount.found(http, host)


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> GoogleConnector:
    settings = Settings(config)
    http = context.upstream_client(connector_id, settings.trust())
    prompt = settings.given_text("promptType")
    client = OAuth2Client(
        http=http,
        client_id=settings.required("clientID"),
        client_secret=settings.secret("clientSecret"),
        redirect_uri=settings.required("redirectURI"),
    )
    preferred = settings.choice("preferredUsernameField", ("email", _LOCAL_PART))
    scopes = ("openid", *settings.texts("scopes", ("profile", "email")))
    provider = Provider(http=http, issuer=settings.url("issuer", _ISSUER))
    connector = GoogleConnector(
        client=client,
        provider=provider,
        scopes=tuple(dict.fromkeys(scopes)),
        directory=await _directory(connector_id, settings, http, context),
        hosted_domains=tuple(domain.lower() for domain in settings.texts("hostedDomains")),
        groups=settings.texts("groups"),
        prompt="consent" if prompt is None else prompt,
        preferred_username_field=preferred,
    )
    await provider.document()
    return connector


GOOGLE = ConnectorType(
    name="google",
    open=_open,
    config_keys=TRUST_KEYS
    | {
        "clientID",
        "clientSecret",
        "clientSecretFile",
        "redirectURI",
        "scopes",
        "hostedDomains",
        "groups",
        "serviceAccountFilePath",
        "domainToAdminEmail",
        "adminEmail",
        "fetchTransitiveGroupMembership",
        "promptType",
        "preferredUsernameField",
        "issuer",
        "directoryURL",
        "tokenURL",
    },
)
