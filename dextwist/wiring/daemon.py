"""The whole daemon."""

from __future__ import annotations

import os
import random
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from twisted.web.server import Site

from dextwist.config.configuration import Configuration
from dextwist.config.signer import LocalSigner as LocalSignerConfig
from dextwist.config.storage import SQLite3
from dextwist.connectors.opened import OpenedConnectors
from dextwist.connectors.password_hash import HashThreads, PasswordChecker
from dextwist.connectors.registry import ConnectorContext
from dextwist.connectors.types import ConnectorTypes
from dextwist.connectors.upstream.clients import UpstreamClients
from dextwist.grants.client_authenticator import ClientAuthenticator
from dextwist.grants.token_endpoint import TokenEndpoint
from dextwist.model.client import CLIENTS
from dextwist.model.connector import CONNECTORS
from dextwist.model.password import PASSWORDS
from dextwist.oauth.issuer import Issuer
from dextwist.signing.client_assertions import ClientAssertions
from dextwist.signing.interface import Signer
from dextwist.signing.local import LocalSigner
from dextwist.signing.rotation import RotationPolicy
from dextwist.signing.threads import SigningThreads
from dextwist.storage.collector import Collector
from dextwist.storage.interface import Storage
from dextwist.storage.measured import MeasuredStorage
from dextwist.storage.memory import MemoryStorage
from dextwist.storage.sql.sqlite import SqliteStorage
from dextwist.storage.static import StaticOverlay
from dextwist.telemetry.health import Health
from dextwist.telemetry.metrics import Metrics, NoMetrics
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.verifier import TokenVerifier
from dextwist.web.front.factory import FrontFactory
from dextwist.wiring.front import front_of
from dextwist.wiring.grants import grants_of

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
            await self.connectors.open_all(
                continue_on_failure=continue_on_failure,
                configured=[record.id for record in self.config.static_connectors],
            )
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
    engine = storage or _engine(config, reactor)
    if telemetry is not None:
        engine = MeasuredStorage(storage=engine, metrics=telemetry, clock=reactor)
    overlaid = StaticOverlay(
        storage=engine,
        static={
            CLIENTS: config.static_clients,
            PASSWORDS: config.static_passwords,
            CONNECTORS: config.static_connectors,
        },
    )
    signer = _signer(config, overlaid, reactor)
    metrics.watch_signing_key(signer.key_age)
    health = Health(storage=overlaid, clock=reactor)
    hash_threads = HashThreads(reactor=reactor)
    context = ConnectorContext(
        clock=reactor,
        storage=overlaid,
        password_checker=PasswordChecker(run=hash_threads.run, at_once=hash_threads.count),
        upstream_client=UpstreamClients(reactor=reactor, metrics=metrics, environ=os.environ),
        reactor=reactor,
        metrics=metrics,
    )
    connectors = OpenedConnectors(
        storage=overlaid,
        clock=reactor,
        open_connector=partial(ConnectorTypes().open, context=context, claim_rules=config.claim_rules),
    )
    tokens = TokenIssuer(
        issuer=issuer.url,
        signer=signer,
        storage=overlaid,
        clock=reactor,
        lifetime=config.expiry.id_tokens,
    )
    verifier = TokenVerifier(issuer=issuer.url, signer=signer, storage=overlaid, clock=reactor)
    grants = grants_of(config, overlaid, tokens, metrics, reactor)
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
    front = front_of(
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


def _signer(config: Configuration, storage: Storage, reactor: Any) -> LocalSigner:
    assert isinstance(config.signer, LocalSignerConfig), "other signers are refused with the configuration"
    policy = RotationPolicy(
        rotation_period=config.signer.keys_rotation_period,
        algorithm=config.signer.algorithm,
        token_lifetime=config.expiry.id_tokens,
    )
    return LocalSigner(storage=storage, clock=reactor, policy=policy, threads=SigningThreads(reactor=reactor))


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
