"""One login through one connector, told step by step to a person at a terminal. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import attrs
import orjson
from twisted.internet.interfaces import IReactorTime

from dextwist.connectors.interface import (
    CallbackRequest,
    ConnectorError,
    Connectors,
    ConnectorScopes,
    ConnectorUnavailable,
    Identity,
    LoginCancelled,
    LoginRefused,
    OpenedConnector,
    Overloaded,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.mapped import ClaimsMapping
from dextwist.model.claim_rules import ClaimRules
from dextwist.model.claims import Claims
from dextwist.model.ids import new_id
from dextwist.oauth.scopes import EMAIL, FEDERATED_ID, GROUPS, OPENID, PROFILE
from dextwist.tokens.claims import TokenSubject, token_claims

_SECRET_NAMES = re.compile("token|secret|passw|code|key|assertion", re.IGNORECASE)
_ALL_SCOPES = (OPENID, PROFILE, EMAIL, GROUPS, FEDERATED_ID)


class Terminal(Protocol):
    """Where a person reads and types."""

    def say(self, text: str) -> None:
        """Show lines."""

    def ask(self, label: str) -> str:
        """What the person types."""

    def ask_secret(self, label: str) -> str:
        """What the person types unseen."""


@attrs.frozen(kw_only=True)
class ConnectorTrial:
    """Tries connectors."""

    connectors: Connectors
    #: by connector id; the connectors themselves must be without.
    claim_rules: Mapping[str, ClaimRules]
    issuer: str
    callback_url: str
    clock: IReactorTime
    token_lifetime: timedelta
    terminal: Terminal
    #: sends the person to a URL, and gives what the browser brings back to the callback.
    visit: Callable[[str], Awaitable[CallbackRequest]]
    new_id: Callable[[], str] = new_id

    async def log_in(self, connector_id: str) -> bool:
        """Log in once; whether that worked."""
        say = self.terminal.say
        try:
            opened = await self.connectors.get(connector_id)
            say(_described(opened))
            identity = await self._identity(opened)
        except LoginCancelled as cancelled:
            say(f"Cancelled: {cancelled}")
        except LoginRefused as refused:
            say(f"Refused: {refused}. {refused.message}".rstrip())
        except (ConnectorUnavailable, ConnectorError, Overloaded) as failure:
            say(f"Failed: {failure}")
        else:
            if identity is not None:
                self._tell(connector_id, identity, opened.refresher is not None)
                return True
        return False

    async def _identity(self, opened: OpenedConnector) -> Identity | None:
        scopes = ConnectorScopes(offline_access=opened.refresher is not None, groups=True)
        if opened.callback is not None:
            state = self.new_id()
            start = await opened.callback.login_url(scopes, self.callback_url, state)
            brought = await self.visit(start.url)
            names = [f"{name} ({len(value)} characters)" for name, value in brought.query.items()]
            self.terminal.say(f"The browser came back with: {', '.join(names) or 'nothing'}")
            if brought.query.get("state") != state:
                raise ConnectorError("the browser came back from another login, or without its state")
            return await opened.callback.handle_callback(scopes, start.connector_data, brought)
        if opened.password is not None:
            username = self.terminal.ask(opened.password.prompt or "Username")
            identity = await opened.password.login(scopes, username, self.terminal.ask_secret("Password"))
            if identity is None:
                self.terminal.say("Rejected: the user name or the password is wrong")
            return identity
        raise ConnectorError("logins of this style need a browser and the server itself")

    def _tell(self, connector_id: str, identity: Identity, can_refresh: bool) -> None:
        if identity.upstream_claims:
            self._show("The upstream said", masked(identity.upstream_claims))
        self._show("The connector made of it", _shown(identity.claims))
        if identity.connector_data:
            self.terminal.say(f"For its refreshes it keeps {len(identity.connector_data)} bytes, not shown")
        if rules := self.claim_rules.get(connector_id):
            mapping = ClaimsMapping(connector_id=connector_id, rules=rules)
            identity = mapping.applied(identity, refreshable=can_refresh)
            self._show("The rules under claims made of that", _shown(identity.claims))
        subject = TokenSubject(
            client_id="CLIENT", scopes=_ALL_SCOPES, claims=identity.claims, connector_id=connector_id
        )
        now = int(self.clock.seconds())
        expires_at = now + int(self.token_lifetime.total_seconds())
        content = token_claims(
            subject, issuer=self.issuer, token_id=self.new_id(), issued_at=now, expires_at=expires_at
        )
        self._show("An ID token with all scopes would say", content)

    def _show(self, heading: str, content: Any) -> None:
        self.terminal.say(f"{heading}:\n{orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()}")


def masked(value: Any, name: str = "") -> Any:
    """A value of the upstream's, with nothing in it that lets somebody in."""
    if isinstance(value, Mapping):
        return {str(key): masked(inner, str(key)) for key, inner in value.items()}
    if _SECRET_NAMES.search(name) and value not in (None, "", True, False):
        return "(not shown)"
    if isinstance(value, list | tuple):
        return [masked(inner, name) for inner in value]
    return value if isinstance(value, str | int | float | None) else "(not shown)"


def _described(opened: OpenedConnector) -> str:
    abilities = [
        word
        for word, contract in (("refresh", RefreshConnector), ("token exchange", TokenIdentityConnector))
        if isinstance(opened.connector, contract)
    ]
    record = opened.record
    return f"Connector {record.id}, type {record.type}, can also: {', '.join(abilities) or 'nothing'}"


def _shown(claims: Claims) -> dict[str, Any]:
    shown = attrs.asdict(claims)
    del shown["unmapped"]
    return shown
