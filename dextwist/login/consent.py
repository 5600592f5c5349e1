"""Consent: whether it is needed, and what is asked."""

from __future__ import annotations

import attrs

from dextwist.model.auth_request import AuthRequest
from dextwist.model.client import CLIENTS
from dextwist.oauth.scopes import peers_of
from dextwist.storage.interface import NotFound, Storage


@attrs.frozen(kw_only=True)
class ConsentQuestion:
    """What the consent page says."""

    username: str
    client_name: str
    scopes: tuple[str, ...]
    #: the names of other clients that would get these tokens too.
    audiences: tuple[str, ...]


def consent_needed(request: AuthRequest, *, skip: bool) -> bool:
    """Whether the person must be asked. What was asked for by name is asked even where it is skipped."""
    return request.force_approval_prompt or not skip


@attrs.frozen(kw_only=True)
class ConsentAsker:
    """Puts the question into words."""

    storage: Storage

    async def question(self, request: AuthRequest) -> ConsentQuestion:
        """The question for a login. Raises StorageError."""
        names = [await self._name(peer) for peer in peers_of(request.scopes) if peer != request.client_id]
        return ConsentQuestion(
            username=request.claims.username or request.claims.email,
            client_name=await self._name(request.client_id),
            scopes=request.scopes,
            audiences=tuple(names),
        )

    async def _name(self, client_id: str) -> str:
        try:
            client = await self.storage.get(CLIENTS, client_id)
        except NotFound:
            return client_id
        return client.name or client.id
