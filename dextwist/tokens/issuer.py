"""Making tokens: one signing job for all that belong to one answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

import attrs
import orjson
from twisted.internet.interfaces import IReactorTime

from dextwist.model.client import CLIENTS, Client
from dextwist.model.ids import new_uuid
from dextwist.oauth.gate import check_peers
from dextwist.oauth.hashes import half_hash
from dextwist.oauth.scopes import peers_of
from dextwist.signing.interface import Signature, Signer
from dextwist.storage.interface import NotFound, Storage
from dextwist.tokens.claims import TokenSubject, token_claims

#: The `typ` of access tokens (RFC 9068 §2.1): an ID token never passes for one.
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
ID_TOKEN_TYPE = "JWT"  # noqa: S105 - a media type


@attrs.frozen(kw_only=True)
class IssuedTokens:
    """The tokens of one answer; either may be absent."""

    access_token: str = attrs.field(default="", repr=False)
    id_token: str = attrs.field(default="", repr=False)
    #: seconds
    expires_in: int = 0


async def existing_peers(storage: Storage, scopes: tuple[str, ...]) -> dict[str, Client]:
    """The clients that the cross-client scopes name, as far as they exist."""
    found: dict[str, Client] = {}
    for peer in peers_of(scopes):
        try:
            found[peer] = await storage.get(CLIENTS, peer)
        except NotFound:
            continue
    return found


@attrs.frozen(kw_only=True)
class TokenIssuer:
    """Issues access and ID tokens in the name of the issuer."""

    issuer: str
    signer: Signer
    storage: Storage
    clock: IReactorTime
    lifetime: timedelta
    new_token_id: Callable[[], str] = new_uuid

    async def check_peers(self, client_id: str, scopes: tuple[str, ...]) -> None:
        """Raise OAuthError (invalid_scope) where a cross-client scope's peer does not trust the client."""
        check_peers(client_id, scopes, await existing_peers(self.storage, scopes))

    async def issue(
        self,
        subject: TokenSubject,
        *,
        access_token: bool = True,
        id_token: bool = True,
        access_token_id: str = "",
        code: str = "",
    ) -> IssuedTokens:
        """The tokens about the subject.

        `access_token_id` is the `jti` where it had to be known before; `code` the authorization code that
        an ID token is issued with or for. Raises OAuthError (invalid_scope) where a peer no longer trusts
        the client, SigningError, StorageError.
        """
        await self.check_peers(subject.client_id, subject.scopes)
        issued_at = int(self.clock.seconds())
        expires_in = int(self.lifetime.total_seconds())

        def sign(signature: Signature) -> IssuedTokens:
            access, identity = "", ""
            content = token_claims(
                subject,
                issuer=self.issuer,
                token_id=access_token_id or self.new_token_id(),
                issued_at=issued_at,
                expires_at=issued_at + expires_in,
            )
            if access_token:
                # dex puts a hash of nothing in particular here; some programs expect the member.
                at_hash = half_hash(signature.algorithm, secrets.token_urlsafe(16))
                access = signature.sign(orjson.dumps({**content, "at_hash": at_hash}), ACCESS_TOKEN_TYPE)
            if id_token:
                content["jti"] = self.new_token_id()
                if access:
                    content["at_hash"] = half_hash(signature.algorithm, access)
                if code:
                    content["c_hash"] = half_hash(signature.algorithm, code)
                identity = signature.sign(orjson.dumps(content), ID_TOKEN_TYPE)
            return IssuedTokens(access_token=access, id_token=identity, expires_in=expires_in)

        return await self.signer.with_signature(sign)
