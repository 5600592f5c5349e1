"""What relying parties read before anything else: the provider's metadata and its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs
import orjson
from klein import Klein
from twisted.web.server import Request as TwistedRequest

from dextwist.oauth.grant_types import DEVICE_CODE
from dextwist.oauth.issuer import Issuer
from dextwist.signing.interface import PublishedKeys, Signer
from dextwist.web.answering import Answering
from dextwist.web.errors import JSONGuard
from dextwist.web.group import answer, group_app
from dextwist.web.http import Request, Response
from dextwist.web.route import Route


@attrs.frozen(kw_only=True)
class Abilities:
    """What is switched on, as far as discovery tells it."""

    grant_types: tuple[str, ...]
    response_types: tuple[str, ...]
    code_challenge_methods: tuple[str, ...]
    #: how clients may authenticate by assertion, and the algorithms for each way.
    assertion_methods: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class DiscoveryGroup:
    """Publishes metadata (OpenID Connect Discovery §3, RFC 8414) and keys (RFC 7517)."""

    app: ClassVar[Klein] = group_app()

    answering: Answering
    guard: JSONGuard
    issuer: Issuer
    abilities: Abilities
    signer: Signer
    metadata_route: Route = attrs.field(init=False)
    keys_route: Route = attrs.field(init=False)

    @metadata_route.default
    def _metadata_route(self) -> Route:
        return Route("/.well-known/openid-configuration", self.metadata, self.guard, cors=True)

    @keys_route.default
    def _keys_route(self) -> Route:
        return Route("/keys", self.keys, self.guard, cors=True)

    @app.route("/.well-known/openid-configuration")
    async def answer_metadata(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.metadata_route)

    @app.route("/keys")
    async def answer_keys(self, request: TwistedRequest) -> bytes:
        return await answer(self, request, self.keys_route)

    async def metadata(self, request: Request) -> Response:
        """The provider's metadata."""
        return _json(provider_metadata(self.issuer, self.abilities, await self.signer.algorithms()))

    async def keys(self, request: Request) -> Response:
        """The key set, and for how long it may be kept."""
        published: PublishedKeys = await self.signer.published_keys()
        cached = ("Cache-Control", f"max-age={published.max_age}, must-revalidate")
        return _json({"keys": [dict(key) for key in published.keys]}).adding(cached)


def provider_metadata(issuer: Issuer, abilities: Abilities, algorithms: Sequence[str]) -> dict[str, Any]:
    """The metadata document: only what is really on."""
    device = {"device_authorization_endpoint": issuer.url_of("/device/code")}
    return {
        "issuer": issuer.url,
        "authorization_endpoint": issuer.url_of("/auth"),
        "token_endpoint": issuer.url_of("/token"),
        "jwks_uri": issuer.url_of("/keys"),
        "userinfo_endpoint": issuer.url_of("/userinfo"),
        **(device if DEVICE_CODE in abilities.grant_types else {}),
        "introspection_endpoint": issuer.url_of("/token/introspect"),
        "revocation_endpoint": issuer.url_of("/token/revoke"),
        "grant_types_supported": list(abilities.grant_types),
        "response_types_supported": sorted(abilities.response_types),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(algorithms),
        "code_challenge_methods_supported": list(abilities.code_challenge_methods),
        "scopes_supported": ["openid", "email", "groups", "profile", "offline_access", "federated:id"],
        **_authentication("token_endpoint", abilities, public_clients=True),
        **_authentication("introspection_endpoint", abilities, public_clients=False),
        **_authentication("revocation_endpoint", abilities, public_clients=True),
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "iat",
            "exp",
            "email",
            "email_verified",
            "locale",
            "name",
            "preferred_username",
            "at_hash",
            "groups",
            "federated_claims",
        ],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _authentication(endpoint: str, abilities: Abilities, *, public_clients: bool) -> dict[str, list[str]]:
    """How clients authenticate at an endpoint (RFC 8414 §2)."""
    ways = ["client_secret_basic", "client_secret_post", *abilities.assertion_methods]
    members = {f"{endpoint}_auth_methods_supported": [*ways, "none"] if public_clients else ways}
    algorithms = [name for names in abilities.assertion_methods.values() for name in names]
    if algorithms:
        members[f"{endpoint}_auth_signing_alg_values_supported"] = algorithms
    return members


def _json(content: dict[str, Any]) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    return Response(200, (("Content-Type", "application/json"),), body)
