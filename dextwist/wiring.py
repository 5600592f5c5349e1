"""Configuration in, objects out: the only module that knows every concrete class, top to bottom."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from twisted.web.server import Site

from dextwist.config.configuration import Configuration
from dextwist.config.limits import Limits as LimitsConfig
from dextwist.config.signer import LocalSigner as LocalSignerConfig
from dextwist.config.storage import SQLite3
from dextwist.connectors.opened import OpenedConnectors
from dextwist.connectors.password_hash import HashThreads, PasswordChecker
from dextwist.connectors.registry import ConnectorContext, open_connector
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.authorization_code import AuthorizationCodeGrant
from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.grants.client_credentials import ClientCredentialsGrant
from dextwist.grants.device_authorization import DeviceAuthorizer
from dextwist.grants.device_code import DeviceCodeGrant
from dextwist.grants.interface import Grant
from dextwist.grants.password import PasswordGrant
from dextwist.grants.refresh_token import RefreshTokenGrant
from dextwist.grants.token_endpoint import TokenEndpoint
from dextwist.grants.token_exchange import TokenExchangeGrant
from dextwist.login.beginning import LoginBeginner
from dextwist.login.checking import RequestChecker
from dextwist.login.consent import ConsentAsker
from dextwist.login.device import DeviceLogins
from dextwist.login.finishing import LoginFinisher
from dextwist.login.loading import LoginLoader
from dextwist.login.proceeding import LoginProceeder
from dextwist.login.responding import Responder
from dextwist.login.throttle import Throttle
from dextwist.model.client import CLIENTS
from dextwist.model.connector import CONNECTORS
from dextwist.model.password import PASSWORDS
from dextwist.oauth.gate import ProofKeyPolicy
from dextwist.oauth.grant_types import DEVICE_CODE, IMPLICIT
from dextwist.oauth.issuer import Issuer
from dextwist.signing.client_assertions import ClientAssertions, usable_methods
from dextwist.signing.interface import Signer
from dextwist.signing.local import LocalSigner
from dextwist.signing.rotation import RotationPolicy
from dextwist.signing.threads import SigningThreads
from dextwist.storage.collector import Collector
from dextwist.storage.interface import Storage
from dextwist.storage.memory import MemoryStorage
from dextwist.storage.sql.sqlite import SqliteStorage
from dextwist.storage.static import StaticOverlay
from dextwist.telemetry.health import Health
from dextwist.telemetry.logins import LoginAudit
from dextwist.telemetry.metrics import Metrics, NoMetrics
from dextwist.tokens.introspection import TokenIntrospector
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy
from dextwist.tokens.refresh_tokens import RefreshTokenMaker
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

if TYPE_CHECKING:
    from dextwist.web.tls import ServerCertificate


@attrs.define(kw_only=True)
class Daemon:
    """Everything that runs."""

    config: Configuration
    front: FrontFactory
    telemetry_site: Site | None
    #: of the https listener, where there is one.
    certificate: ServerCertificate | None
    storage: Storage
    signer: Signer
    hash_threads: HashThreads
    connectors: OpenedConnectors
    collector: Collector
    health: Health
    #: what has started, to be stopped in the reverse order.
    _started: AsyncExitStack = attrs.field(factory=AsyncExitStack, init=False)

    async def start(self) -> None:
        """Open the storage, have keys, open connectors.

        Raises StorageError, SigningError, NoConnectors, ConnectorUnavailable or
        CertificateError, and then nothing runs.
        """
        continue_on_failure = self.config.features.continue_on_connector_failure
        async with AsyncExitStack() as started:
            await self.storage.start()
            started.push_async_callback(self.storage.stop)
            await self.signer.start()
            started.push_async_callback(self.signer.stop)
            self.hash_threads.start()
            started.callback(self.hash_threads.stop)
            started.push_async_callback(self.connectors.close)
            await self.connectors.open_all(continue_on_failure=continue_on_failure)
            await self.health.start()
            started.push_async_callback(self.health.stop)
            if self.certificate is not None:
                self.certificate.start()
                started.callback(self.certificate.stop)
            self.collector.startService()
            started.callback(self.collector.stopService)
            self._started = started.pop_all()

    async def stop(self) -> None:
        """End the background work and close the storage."""
        await self._started.aclose()


def build(config: Configuration, *, reactor: Any, storage: Storage | None = None) -> Daemon:
    """The daemon for a configuration. `storage` replaces the engine, for tests.

    Raises FrontendError where the pages cannot be used; opens nothing else.
    """
    issuer = Issuer(config.issuer)
    telemetry = _telemetry(config)
    metrics: Metrics = telemetry or NoMetrics()
    overlaid = StaticOverlay(
        storage=storage or _engine(config, reactor),
        static={
            CLIENTS: config.static_clients,
            PASSWORDS: config.static_passwords,
            CONNECTORS: config.static_connectors,
        },
    )
    signer = _signer(config, overlaid, reactor)
    health = Health(storage=overlaid, clock=reactor)
    hash_threads = HashThreads(reactor=reactor)
    context = ConnectorContext(
        clock=reactor,
        storage=overlaid,
        password_checker=PasswordChecker(run=hash_threads.run, at_once=hash_threads.count),
    )
    connectors = OpenedConnectors(
        storage=overlaid, clock=reactor, open_connector=partial(open_connector, context=context)
    )
    tokens = TokenIssuer(
        issuer=issuer.url,
        signer=signer,
        storage=overlaid,
        clock=reactor,
        lifetime=config.expiry.id_tokens,
    )
    verifier = TokenVerifier(issuer=issuer.url, signer=signer, storage=overlaid, clock=reactor)
    grants = _grants(config, overlaid, tokens, metrics, reactor)
    endpoint = TokenEndpoint(
        grants=grants,
        authenticator=ClientAuthenticator(
            storage=overlaid,
            clock=reactor,
            assertions=ClientAssertions(),
            audiences=(issuer.url, issuer.url_of("/token")),
        ),
        connectors=connectors,
        metrics=metrics,
    )
    front = _front(
        config,
        issuer=issuer,
        storage=overlaid,
        signer=signer,
        connectors=connectors,
        tokens=tokens,
        verifier=verifier,
        endpoint=endpoint,
        health=health,
        metrics=metrics,
        reactor=reactor,
    )
    return Daemon(
        config=config,
        front=front,
        telemetry_site=_telemetry_site(telemetry, health, reactor),
        certificate=_certificate(config, reactor),
        storage=overlaid,
        signer=signer,
        hash_threads=hash_threads,
        connectors=connectors,
        collector=Collector(storage=overlaid, clock=reactor, random=random.random),
        health=health,
    )


class _QuietSite(Site):
    noisy = False

    def log(self, request: object) -> None:
        """There is no access log: writing one costs a quarter of the server's time."""


def _certificate(config: Configuration, reactor: Any) -> ServerCertificate | None:
    web = config.web
    if web.https is None:
        return None
    from dextwist.web.tls import ServerCertificate

    return ServerCertificate(
        certificate=Path(web.tls_cert),
        key=Path(web.tls_key),
        clock=reactor,
        min_version=web.tls_min_version,
        max_version=web.tls_max_version,
    )


def _engine(config: Configuration, reactor: Any) -> Storage:
    engine = config.storage.config
    if isinstance(engine, SQLite3):
        return SqliteStorage(file=engine.file, reactor=reactor, clock=reactor)
    return MemoryStorage()


def _signer(config: Configuration, storage: Storage, reactor: Any) -> Signer:
    assert isinstance(config.signer, LocalSignerConfig), "other signers are refused with the configuration"
    policy = RotationPolicy(
        rotation_period=config.signer.keys_rotation_period,
        algorithm=config.signer.algorithm,
        token_lifetime=config.expiry.id_tokens,
    )
    return LocalSigner(storage=storage, clock=reactor, policy=policy, threads=SigningThreads(reactor=reactor))


def _grants(
    config: Configuration, storage: Storage, tokens: TokenIssuer, metrics: Metrics, reactor: Any
) -> dict[str, Grant[Any]]:
    """The grants that are built and switched on, by their type."""
    rechecks = {
        connector_id: RecheckPolicy(
            interval=chosen.recheck_after, keep_on_error=chosen.on_upstream_error == "keep"
        )
        for connector_id, chosen in config.refresh_policies.items()
    }
    max_per_client = config.expiry.refresh_tokens.max_per_client
    maker = RefreshTokenMaker(storage=storage, max_per_client=max_per_client)
    asker = ConnectorAsker(audit=LoginAudit(metrics=metrics))
    built: Sequence[Grant[Any]] = (
        AuthorizationCodeGrant(storage=storage, issuer=tokens, refresh_tokens=maker, clock=reactor),
        RefreshTokenGrant(
            storage=storage,
            issuer=tokens,
            clock=reactor,
            policy=_refresh_policy(config),
            rechecks=rechecks,
        ),
        DeviceCodeGrant(storage=storage, issuer=tokens, refresh_tokens=maker, clock=reactor),
        ClientCredentialsGrant(storage=storage, issuer=tokens),
        PasswordGrant(
            storage=storage,
            issuer=tokens,
            refresh_tokens=maker,
            asker=asker,
            clock=reactor,
            connector_id=config.oauth2.password_connector,
        ),
        TokenExchangeGrant(issuer=tokens, asker=asker),
    )
    served = config.grant_types
    return {grant.grant_type: grant for grant in built if grant.grant_type in served}


def _refresh_policy(config: Configuration) -> RefreshPolicy:
    limits = config.expiry.refresh_tokens
    return RefreshPolicy(
        rotate=not limits.disable_rotation,
        reuse_interval=limits.reuse_interval,
        valid_if_not_used_for=limits.valid_if_not_used_for,
        absolute_lifetime=limits.absolute_lifetime,
    )


def _front(
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
    responder = Responder(storage=storage, issuer=tokens, clock=reactor, code_lifetime=expiry.auth_codes)
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
            response_types=oauth2.response_types,
            proof_keys=proof_keys,
            device_logins=device_logins,
        ),
        beginner=LoginBeginner(
            storage=storage,
            connectors=connectors,
            clock=reactor,
            callback_url=issuer.url_of("/callback"),
            lifetime=expiry.auth_requests,
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
            response_types=oauth2.response_types,
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
            policy=_refresh_policy(config),
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


def _telemetry(config: Configuration) -> Any:
    """The metrics, where somebody reads them; their library is only imported then."""
    if config.telemetry.http is None:
        return None
    from dextwist.telemetry.prometheus import PrometheusMetrics

    return PrometheusMetrics()


def _telemetry_site(metrics: Any, health: Health, reactor: Any) -> Site | None:
    if metrics is None:
        return None
    from dextwist.telemetry.site import telemetry_site

    return telemetry_site(metrics=metrics, health=health, reactor=reactor)
