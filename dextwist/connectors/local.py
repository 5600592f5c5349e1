"""The built-in password database: users of the storage or of the configuration file (type `local`)."""

# What a contract hands over is not always needed.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dextwist.connectors.interface import (
    ConnectorScopes,
    Identity,
    IdentityGone,
    PasswordConnector,
    RefreshConnector,
)
from dextwist.connectors.password_hash import PasswordChecker
from dextwist.connectors.registry import LOCAL_TYPE, ConnectorContext, ConnectorType
from dextwist.model.claims import Claims
from dextwist.model.password import PASSWORDS, Password
from dextwist.storage.interface import NotFound, Storage


@attrs.frozen(kw_only=True)
class LocalConnector(PasswordConnector, RefreshConnector):
    """Logs in with an e-mail address. What the storage raises passes through."""

    storage: Storage
    passwords: PasswordChecker

    @property
    def prompt(self) -> str:
        """The user name is an e-mail address here."""
        return "Email Address"

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        """The user of that address; None alike for an unknown one and for a wrong password.

        Raises ConnectorError where the stored hash is none or has a cost out of range, and Overloaded.
        """
        # Browsers and telephones put blanks around an address.
        user = await self._user(username.strip())
        matched = await self.passwords.check(user.hash if user else None, password)
        return Identity(claims=_claims(user)) if user and matched else None

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        """The user as stored now, still under the address they logged in with. Raises IdentityGone."""
        known = identity.claims
        user = await self._user(known.email)
        if user is None:
            raise IdentityGone("there is no such local user any more")
        if user.user_id != known.user_id:
            raise IdentityGone("the address belongs to another local user now")
        return attrs.evolve(identity, claims=attrs.evolve(_claims(user), email=known.email))

    async def _user(self, email: str) -> Password | None:
        try:
            return await self.storage.get(PASSWORDS, email)
        except NotFound:
            return None


def _claims(user: Password) -> Claims:
    return Claims(
        user_id=user.user_id,
        username=user.name or user.username,
        preferred_username=user.preferred_username,
        email=user.email,
        email_verified=user.email_verified is not False,
        groups=user.groups,
    )


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> LocalConnector:
    return LocalConnector(storage=context.storage, passwords=context.password_checker)


LOCAL = ConnectorType(name=LOCAL_TYPE, open=_open)
