"""The scenarios: what a simulated client does again and again, and how its answers are checked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import attrs

from benchmarks.application import Application, require
from benchmarks.daemon import DISCOVERY_PATH, PASSWORD

Step = Callable[[Application], Coroutine[Any, Any, None]]


async def _nothing(_: Application) -> None:
    """No preparation."""


async def _code(application: Application) -> None:
    """A login through a connector that lets everybody in: five requests, two signatures."""
    await application.log_in(f"mock{application.number}")


async def _code_local(application: Application) -> None:
    """A login with the form of the password database: one request and one bcrypt hash more."""
    await application.log_in("local")


async def _refresh(application: Application) -> None:
    """The newest refresh token for its successor: two signatures, one write."""
    old = application.tokens
    await application.take_tokens("refresh_token", refresh_token=old.refresh_token)
    new = application.tokens
    require(new.refresh_token != old.refresh_token, "refresh_token: not rotated")
    require(new.subject == old.subject, "refresh_token: another subject")


async def _userinfo(application: Application) -> None:
    """Who the access token is about: one verification."""
    tokens = application.tokens
    bearer = f"Authorization: Bearer {tokens.access_token}"
    claims = await application.get(application.path("userinfo_endpoint"), "userinfo", bearer)
    require(claims.get("sub") == tokens.subject and claims.get("email"), "userinfo: claims are missing")


async def _introspect(application: Application) -> None:
    """Whether the access token is good: one verification, for an authenticated client."""
    tokens = application.tokens
    said = await application.post("introspection_endpoint", "introspect", token=tokens.access_token)
    require(said.get("active") is True and said.get("sub") == tokens.subject, "introspect: not active")


async def _client_credentials(application: Application) -> None:
    """An access token for the client itself: one signature."""
    said = await application.post("token_endpoint", "clientcredentials", grant_type="client_credentials")
    require(said.get("access_token") and said.get("expires_in"), "clientcredentials: no access_token")


async def _password(application: Application) -> None:
    """The password grant: one bcrypt hash, two signatures."""
    said = await application.post(
        "token_endpoint",
        "password",
        grant_type="password",
        scope="openid",
        username=application.username,
        password=PASSWORD,
    )
    require(said.get("access_token") and said.get("id_token"), "password: tokens are missing")
    application.checked_claims(said["id_token"], "password")


async def _discovery(application: Application) -> None:
    """The provider's metadata."""
    said = await application.get(DISCOVERY_PATH, "discovery")
    require(said.get("issuer") == application.metadata["issuer"], "discovery: another issuer")


async def _keys(application: Application) -> None:
    """The public keys."""
    said = await application.get(application.path("jwks_uri"), "keys")
    keys = said.get("keys")
    require(isinstance(keys, list) and keys and keys[0].get("kid"), "keys: none")


@attrs.frozen(kw_only=True)
class Scenario:
    """What is measured: `once` is one request, or the few that belong together."""

    name: str
    once: Step
    #: before anything is counted, and again after a wrong answer.
    prepare: Step = _nothing
    #: a grant that discovery must offer.
    grant_type: str = ""
    #: an endpoint that discovery must name.
    endpoint: str = "issuer"

    def is_offered(self, metadata: Mapping[str, Any]) -> bool:
        """Whether the daemon can do it, by its metadata."""
        grant_types = metadata.get("grant_types_supported", ())
        return self.endpoint in metadata and (not self.grant_type or self.grant_type in grant_types)


#: By name, in the order in which they are run.
SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for each in (
        Scenario(name="refresh", once=_refresh, prepare=_code, grant_type="refresh_token"),
        Scenario(name="code", once=_code),
        Scenario(name="code-local", once=_code_local),
        Scenario(name="clientcredentials", once=_client_credentials, grant_type="client_credentials"),
        Scenario(name="password", once=_password, grant_type="password"),
        Scenario(name="userinfo", once=_userinfo, prepare=_code),
        Scenario(name="introspect", once=_introspect, prepare=_code, endpoint="introspection_endpoint"),
        Scenario(name="discovery", once=_discovery),
        Scenario(name="keys", once=_keys),
    )
}
