"""Users of a file that `htpasswd -B -C 12` writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    PasswordConnector,
    RefreshConnector,
)
from dextwist.connectors.password_hash import PasswordChecker
from dextwist.connectors.registry import ConnectorContext, ConnectorType
from dextwist.model.claims import Claims


@attrs.frozen(kw_only=True)
class HtpasswdConnector(PasswordConnector, RefreshConnector):
    """Logs in whoever is in the file, and refreshes whoever still is."""

    file: Path
    passwords: PasswordChecker
    prompt: str = "User"

    async def login(self, scopes: ConnectorScopes, username: str, password: str) -> Identity | None:
        matched = await self.passwords.check(self._users().get(username), password)
        return Identity(claims=Claims(user_id=username, username=username)) if matched else None

    async def refresh(self, scopes: ConnectorScopes, identity: Identity) -> Identity:
        if identity.claims.user_id not in self._users():
            raise IdentityGone("not in the file any more")
        return identity

    def _users(self) -> dict[str, bytes]:
        try:
            lines = self.file.read_text().splitlines()
        except (OSError, ValueError) as failure:
            raise ConnectorError(f"{self.file} cannot be read") from failure
        pairs = (line.partition(":") for line in lines)
        return {name: password_hash.encode() for name, _, password_hash in pairs if password_hash}


async def _open(connector_id: str, config: Mapping[str, Any], context: ConnectorContext) -> HtpasswdConnector:
    if not isinstance(config.get("file"), str):
        raise ConnectorError("file must be the path of an htpasswd file")
    return HtpasswdConnector(file=Path(config["file"]), passwords=context.password_checker)


HTPASSWD = ConnectorType(name="htpasswd", open=_open, config_keys=frozenset({"file"}))
