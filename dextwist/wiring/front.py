"""The public listener: every endpoint group with what it needs."""

from __future__ import annotations

from typing import Any

from twisted.web.server import Site

from dextwist.config.configuration import Configuration
from dextwist.config.limits import Limits as LimitsConfig
from dextwist.connectors.opened import OpenedConnectors
from dextwist.grants.device_authorization import DeviceAuthorizer
from dextwist.grants.token_endpoint import TokenEndpoint
from dextwist.login.beginning import LoginBeginner
from dextwist.login.checking import RequestChecker
from dextwist.login.consent import ConsentAsker
from dextwist.login.device import DeviceLogins
from dextwist.login.finishing import LoginFinisher
from dextwist.login.loading import LoginLoader
from dextwist.login.pending import PendingLogins
from dextwist.login.proceeding import LoginProceeder
from dextwist.login.responding import Responder
from dextwist.login.throttle import Throttle
from dextwist.oauth.gate import ProofKeyPolicy
from dextwist.oauth.grant_types import DEVICE_CODE, IMPLICIT
from dextwist.oauth.issuer import Issuer
from dextwist.signing.client_assertions import usable_methods
from dextwist.signing.interface import Signer
from dextwist.storage.interface import Storage
from dextwist.telemetry.health import Health
from dextwist.telemetry.logins import LoginAudit
from dextwist.telemetry.metrics import Metrics
from dextwist.tokens.introspection import TokenIntrospector
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.revocation import TokenRevoker
from dextwist.tokens.verifier import TokenVerifier
from dextwist.web.answering import Answering
from dextwist.web.approval import ApprovalGroup
from dextwist.web.assets import Assets, open_frontend
from dextwist.web.authorize import AuthorizeGroup
from dextwist.web.callback import CallbackGroup
from dextwist.web.client_address import ClientAddresses
from dextwist.web.cors import CrossOrigin
from dextwist.web.device import DeviceGroup
from dextwist.web.discovery import Abilities, DiscoveryGroup
from dextwist.web.errors import JSONGuard, PageGuard
from dextwist.web.front.factory import FrontFactory
from dextwist.web.front.limits import Limits
from dextwist.web.front.other_paths import OtherPaths
from dextwist.web.front.table import RouteTable
from dextwist.web.home import HomeGroup
from dextwist.web.introspection import IntrospectionGroup
from dextwist.web.login_cookie import LoginCookie
from dextwist.web.pages import Pages
from dextwist.web.revocation import RevocationGroup
from dextwist.web.site import SiteMap
from dextwist.web.token import TokenGroup
from dextwist.web.userinfo import UserinfoGroup
from dextwist.wiring.grants import refresh_policy_of


class _QuietSite(Site):
    noisy = False

    def log(self, request: object) -> None:
        """There is no access log: writing one costs a quarter of the server's time."""


def front_of(
    config: Configuration,
    *,
    issuer: Issuer,
    storage: Storage,
    signer: Signer,
    connectors: OpenedConnectors,
    tokens: TokenIssuer,
    verifier: TokenVerifier,
    endpoint: TokenEndpoint,
    health: Health,
    metrics: Metrics,
    reactor: Any,
) -> FrontFactory:
    """The public listener: every endpoint group, its routes in the front's table and its app behind it."""
    oauth2, expiry, web = config.oauth2, config.expiry, config.web
    frontend = open_frontend(config.frontend.dir or None, config.frontend.theme)
    headers = dict(web.headers.fields)
    pages = Pages(
        frontend=frontend,
        issuer_path=issuer.path,
        issuer_name=config.frontend.issuer,
        logo_url=config.frontend.logo_url,
        extra=config.frontend.extra,
        https=issuer.is_https,
        headers=headers,
    )
    answering = Answering(
        clock=reactor,
        metrics=metrics,
        headers=headers,
        cross_origin=CrossOrigin(origins=web.allowed_origins, allowed_headers=web.allowed_headers),
        client_addresses=ClientAddresses(
            header=web.client_remote_ip.header.lower(), trusted=web.client_remote_ip.trusted_proxies
        ),
        max_fields=web.limits.max_fields,
    )
    pending = PendingLogins(clock=reactor, limit=web.limits.max_pending_logins, lifetime=expiry.auth_requests)
    responder = Responder(
        storage=storage,
        issuer=tokens,
        clock=reactor,
        code_lifetime=expiry.auth_codes,
        pending=pending,
    )
    page_guard, json_guard = PageGuard(pages=pages, responder=responder), JSONGuard()
    cookie = LoginCookie(issuer=issuer, lifetime=expiry.auth_requests)
    loader = LoginLoader(storage=storage, clock=reactor)
    finisher = LoginFinisher(
        storage=storage, connectors=connectors, clock=reactor, audit=LoginAudit(metrics=metrics)
    )
    proof_keys = ProofKeyPolicy(
        methods=oauth2.pkce.code_challenge_methods_supported,
        required_for_all=oauth2.pkce.enforce,
        required_for_public_clients=oauth2.pkce.required_for_public_clients,
    )
    device_logins = DeviceLogins(storage=storage, clock=reactor)
    authorize = AuthorizeGroup(
        answering=answering,
        guard=page_guard,
        pages=pages,
        issuer=issuer,
        cookie=cookie,
        connectors=connectors,
        checker=RequestChecker(
            storage=storage,
            connectors=connectors,
            verifier=verifier,
            issuer_path=issuer.path,
            response_types=oauth2.served_response_types,
            proof_keys=proof_keys,
            device_logins=device_logins,
        ),
        beginner=LoginBeginner(
            storage=storage,
            connectors=connectors,
            clock=reactor,
            callback_url=issuer.url_of("/callback"),
            lifetime=expiry.auth_requests,
            pending=pending,
            metrics=metrics,
        ),
        loader=loader,
        finisher=finisher,
        proceeder=LoginProceeder(responder=responder, skip_approval=oauth2.skip_approval_screen),
        always_choose=oauth2.always_show_login_screen,
    )
    callback = CallbackGroup(
        answering=answering,
        guard=page_guard,
        cookie=cookie,
        loader=loader,
        finisher=finisher,
        to_dispatcher=authorize.to_dispatcher,
    )
    approval = ApprovalGroup(
        answering=answering,
        guard=page_guard,
        pages=pages,
        cookie=cookie,
        loader=loader,
        asker=ConsentAsker(storage=storage),
        responder=responder,
        to_dispatcher=authorize.to_dispatcher,
    )
    device = DeviceGroup(
        answering=answering,
        page_guard=page_guard,
        json_guard=json_guard,
        pages=pages,
        issuer=issuer,
        cookie=cookie,
        authorizer=DeviceAuthorizer(
            storage=storage,
            authenticator=endpoint.authenticator,
            issuer=issuer,
            clock=reactor,
            lifetime=expiry.device_requests,
            proof_keys=proof_keys,
        ),
        logins=device_logins,
        throttle=Throttle(
            clock=reactor,
            limit=oauth2.device_flow.max_wrong_user_codes,
            period=oauth2.device_flow.wrong_user_codes_within,
        ),
        metrics=metrics,
    )
    discovery = DiscoveryGroup(
        answering=answering,
        guard=json_guard,
        issuer=issuer,
        abilities=Abilities(
            grant_types=_advertised_grants(config, endpoint),
            response_types=oauth2.served_response_types,
            code_challenge_methods=oauth2.pkce.code_challenge_methods_supported,
            assertion_methods=usable_methods(config.static_clients),
        ),
        signer=signer,
    )
    home = HomeGroup(
        answering=answering,
        guard=page_guard,
        pages=pages,
        issuer=issuer,
        health=health,
        robots=frontend.robots,
        static=Assets(frontend.static),
        theme=Assets(frontend.theme),
    )
    token = TokenGroup(answering=answering, guard=json_guard, endpoint=endpoint)
    userinfo = UserinfoGroup(answering=answering, guard=json_guard, verifier=verifier)
    introspection = IntrospectionGroup(
        answering=answering,
        guard=json_guard,
        authenticator=endpoint.authenticator,
        introspector=TokenIntrospector(
            issuer=issuer.url,
            storage=storage,
            verifier=verifier,
            clock=reactor,
            policy=refresh_policy_of(config),
        ),
        allow_anonymous=oauth2.introspection.allow_anonymous,
    )
    revocation = RevocationGroup(
        answering=answering,
        guard=json_guard,
        authenticator=endpoint.authenticator,
        revoker=TokenRevoker(storage=storage, verifier=verifier, clock=reactor, lifetime=expiry.id_tokens),
    )
    home_resource, discovery_resource = home.app.resource(), discovery.app.resource()
    device_flow = DEVICE_CODE in endpoint.grants
    site_map = SiteMap(
        answering=answering,
        prefix=tuple(segment.encode() for segment in issuer.path.split("/")[1:]),
        groups={
            b"": home_resource,
            b".well-known": discovery_resource,
            b"approval": approval.app.resource(),
            b"auth": authorize.app.resource(),
            b"callback": callback.app.resource(),
            **({b"device": device.app.resource()} if device_flow else {}),
            b"healthz": home_resource,
            b"keys": discovery_resource,
            b"robots.txt": home_resource,
            b"static": home_resource,
            b"theme": home_resource,
            b"token": token.app.resource(),
            b"token/introspect": introspection.app.resource(),
            b"token/revoke": revocation.app.resource(),
            b"userinfo": userinfo.app.resource(),
        },
    )
    routes = (
        token.route,
        introspection.route,
        revocation.route,
        userinfo.route,
        discovery.metadata_route,
        discovery.keys_route,
        authorize.route,
        authorize.enter_route,
        authorize.password_route,
        callback.route,
        callback.connector_route,
        approval.route,
        *(device.routes if device_flow else ()),
        home.home_route,
        home.health_route,
        home.robots_route,
    )
    return FrontFactory(
        clock=reactor,
        answering=answering,
        metrics=metrics,
        limits=_limits(web.limits),
        table=RouteTable.of(issuer.path, routes),
        other_paths=OtherPaths(_QuietSite(site_map, reactor=reactor, parsePOSTFormSubmission=False)),
    )


def _limits(config: LimitsConfig) -> Limits:
    return Limits(
        max_request_head=config.max_request_head,
        max_header_count=config.max_header_count,
        max_body=config.max_body,
        header_timeout=config.header_timeout.total_seconds(),
        body_timeout=config.body_timeout.total_seconds(),
        idle_timeout=config.idle_timeout.total_seconds(),
        write_timeout=config.write_timeout.total_seconds(),
        max_connections=config.max_connections,
        max_connections_per_address=config.max_connections_per_address,
    )


def _advertised_grants(config: Configuration, endpoint: TokenEndpoint) -> tuple[str, ...]:
    """What discovery says: the token endpoint's grants, and `implicit`, which has no token endpoint."""
    served = config.grant_types
    return tuple(grant for grant in served if grant in endpoint.grants or grant == IMPLICIT)
