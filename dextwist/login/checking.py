"""Whether an authorization request is good: checked in full before anything is shown or stored."""

from __future__ import annotations

import attrs

from dextwist.connectors.interface import Connectors
from dextwist.login.device import DeviceLogins
from dextwist.login.refusals import RefusedAtClient, RefusedWithPage, ResponseTarget
from dextwist.model.client import CLIENTS, Client
from dextwist.oauth.authorization_request import AuthorizationRequest
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import (
    ProofKeyPolicy,
    check_authorization_scopes,
    check_challenge,
    may_use_connector,
)
from dextwist.oauth.grant_types import DEVICE_CODE, grant_type_of
from dextwist.oauth.prompt import parse_max_age, parse_prompt
from dextwist.oauth.redirect_uris import OUT_OF_BAND, allowed_redirect_uri
from dextwist.oauth.response_types import (
    CODE,
    ID_TOKEN,
    TOKEN,
    ResponseMode,
    parse_response_types,
    response_mode,
)
from dextwist.oauth.scopes import parse_scopes
from dextwist.signing.interface import InvalidToken
from dextwist.storage.interface import NotFound, Storage
from dextwist.tokens.issuer import existing_peers
from dextwist.tokens.verifier import TokenVerifier


@attrs.frozen(kw_only=True)
class CheckedRequest:
    """A good authorization request, in values that need no further reading."""

    client: Client
    target: ResponseTarget
    response_types: tuple[str, ...]
    #: the grant type that the request counts as for connectors.
    grant_type: str
    scopes: tuple[str, ...]
    nonce: str
    #: the mode that was asked for, or empty.
    response_mode: str
    code_challenge: str
    code_challenge_method: str
    prompt: str
    force_approval_prompt: bool
    #: seconds; -1: not asked for.
    max_age: int
    #: the `sub` of the hint, or empty.
    hinted_subject: str
    login_hint: str
    #: of the device that somebody signs in, or empty.
    user_code: str


@attrs.frozen(kw_only=True)
class RequestChecker:
    """Checks authorization requests, in the order in which dex does."""

    storage: Storage
    connectors: Connectors
    verifier: TokenVerifier
    issuer_path: str
    response_types: tuple[str, ...]
    proof_keys: ProofKeyPolicy
    device_logins: DeviceLogins

    async def check(self, request: AuthorizationRequest, cookie: str | None) -> CheckedRequest:
        """The request, if it is good. `cookie` is the browser's, since a device's login belongs to one.

        Raises RefusedWithPage while client and redirect target are in doubt, RefusedAtClient after that,
        and StorageError.
        """
        client = await self._client(request.client_id)
        redirect_uri = allowed_redirect_uri(client, request.redirect_uri, self.issuer_path)
        if redirect_uri is None:
            raise RefusedWithPage(
                400,
                "The application asked to send you to an address that is not registered for it.",
            )
        grant_type = grant_type_of(request.response_type.split(), redirect_uri)
        if grant_type == DEVICE_CODE:
            await self.device_logins.check(
                request.state, cookie, client_id=client.id, scopes=parse_scopes(request.scope)
            )
        target = ResponseTarget(
            redirect_uri=redirect_uri, mode=_mode_for_errors(request), state=request.state
        )
        try:
            return await self._checked(request, client, target, grant_type)
        except OAuthError as error:
            if redirect_uri == OUT_OF_BAND:
                # Nobody listens at that address: the person is who can be told.
                raise RefusedWithPage(400, f"The application's request is not valid ({error}).") from None
            raise RefusedAtClient(error, target) from None

    async def _client(self, client_id: str) -> Client:
        try:
            return await self.storage.get(CLIENTS, client_id)
        except NotFound:
            raise RefusedWithPage(
                400, "The application that sent you here is not known to this server."
            ) from None

    async def _checked(
        self, request: AuthorizationRequest, client: Client, target: ResponseTarget, grant_type: str
    ) -> CheckedRequest:
        if request.connector_id:
            await self._check_connector(client, request.connector_id)
        if request.request:
            raise OAuthError("request_not_supported", "request objects are not supported")
        if request.request_uri:
            raise OAuthError("request_uri_not_supported", "request objects are not supported")
        challenge, method = request.code_challenge, request.code_challenge_method
        for_device = grant_type == DEVICE_CODE
        client_gets_code = not for_device and CODE in request.response_type.split()
        check_challenge(client, challenge, method, self.proof_keys, client_gets_code=client_gets_code)
        scopes = parse_scopes(request.scope)
        check_authorization_scopes(client, scopes, await existing_peers(self.storage, scopes))
        # The code of a device's login goes to no client, so it does not matter what clients may ask for.
        enabled = (CODE,) if for_device else self.response_types
        words = parse_response_types(request.response_type, enabled)
        mode = response_mode(request.response_mode, request.response_type)
        if ID_TOKEN in words and not request.nonce:
            raise OAuthError("invalid_request", "nonce is required where an ID token comes back at once")
        if TOKEN in words and target.redirect_uri == OUT_OF_BAND:
            raise OAuthError("invalid_request", "tokens are not shown on a page")
        prompt = parse_prompt(request.prompt)
        max_age = parse_max_age(request.max_age)
        return CheckedRequest(
            client=client,
            target=attrs.evolve(target, mode=mode),
            response_types=words,
            grant_type=grant_type,
            scopes=scopes,
            nonce=request.nonce,
            response_mode=request.response_mode,
            code_challenge=challenge,
            code_challenge_method=(method or "plain") if challenge else "",
            prompt=prompt,
            force_approval_prompt=(
                # Who was talked into typing a stranger's code must see which client gets their tokens.
                for_device or request.approval_prompt == "force" or "consent" in prompt.split()
            ),
            max_age=max_age,
            hinted_subject=await self._hinted_subject(request.id_token_hint),
            login_hint=request.login_hint,
            user_code=request.state if for_device else "",
        )

    async def _check_connector(self, client: Client, connector_id: str) -> None:
        if connector_id not in {record.id for record in await self.connectors.records()}:
            raise OAuthError("invalid_request", "connector_id names no connector")
        if not may_use_connector(client, connector_id):
            raise OAuthError("invalid_request", "connector_id names a connector that is not for this client")

    async def _hinted_subject(self, hint: str) -> str:
        if not hint:
            return ""
        try:
            verified = await self.verifier.id_token_hint(hint)
        except InvalidToken:
            raise OAuthError("invalid_request", "id_token_hint is no ID token of this issuer") from None
        return str(verified.claims.get("sub", ""))


def _mode_for_errors(request: AuthorizationRequest) -> ResponseMode:
    """How an error travels while the request's own wish may be part of what is wrong."""
    for asked in (request.response_mode, ""):
        try:
            return response_mode(asked, request.response_type)
        except OAuthError:
            continue
    return ResponseMode.QUERY
