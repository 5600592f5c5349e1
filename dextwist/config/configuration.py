"""The whole configuration, and how it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from dextwist.config.clients import clients
from dextwist.config.connector_types import DEX_TYPES, ConnectorTypes
from dextwist.config.connectors import LOCAL, Connector, RefreshPolicy, connectors
from dextwist.config.document import read_document
from dextwist.config.errors import InvalidConfiguration
from dextwist.config.expiry import Expiry
from dextwist.config.features import Features
from dextwist.config.frontend import Frontend
from dextwist.config.grpc import GRPC
from dextwist.config.logger import LoggerSettings
from dextwist.config.mfa import MFA
from dextwist.config.not_yet import NOT_YET, remark_on_flags
from dextwist.config.oauth2 import OAuth2
from dextwist.config.passwords import passwords
from dextwist.config.places import Findings, Place
from dextwist.config.reading import key, part, section
from dextwist.config.remarks import remark
from dextwist.config.sessions import Sessions
from dextwist.config.signer import LocalSigner, Signer, signer
from dextwist.config.storage import Storage, storage
from dextwist.config.telemetry import Telemetry
from dextwist.config.values import boolean, text
from dextwist.config.weakenings import WEAKENINGS
from dextwist.config.web import Web
from dextwist.model.claim_rules import ClaimRules
from dextwist.model.client import Client
from dextwist.model.connector import ConnectorRecord
from dextwist.model.password import Password


def issuer(place: Place) -> str:
    """The URL that tokens name and every endpoint is under, as it is written (OpenID Connect Core §2)."""
    url = text(place)
    wanted = "a URL such as https://login.example.org/dex"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise place.wrong(wanted, "invalid issuer") from None
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise place.wrong(wanted, "invalid issuer")
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise place.wrong(wanted, "an issuer has no query, no fragment and no credentials")
    if url.endswith("/"):
        place.warn("", "the issuer ends in a slash, which becomes part of every token's iss")
    return url


def sessions(place: Place) -> Sessions:
    """Reads the section."""
    return section(place, Sessions)


@attrs.frozen(kw_only=True)
class Configuration:
    """All that the operator decided. A section that is absent has its defaults."""

    issuer: str = key("issuer", issuer, "", missing="no issuer specified in config file")
    storage: Storage = key(
        "storage", storage, Storage(), missing="no storage supplied in config file", takes_null=True
    )
    web: Web = part("web", Web)
    telemetry: Telemetry = part("telemetry", Telemetry)
    grpc: GRPC = part("grpc", GRPC)
    oauth2: OAuth2 = part("oauth2", OAuth2)
    expiry: Expiry = part("expiry", Expiry)
    logger: LoggerSettings = part("logger", LoggerSettings)
    frontend: Frontend = part("frontend", Frontend)
    signer: Signer = key("signer", signer, LocalSigner(), takes_null=True)
    connectors: tuple[Connector, ...] = key("connectors", connectors, ())
    static_clients: tuple[Client, ...] = key("staticClients", clients, ())
    enable_password_db: bool = key("enablePasswordDB", boolean, False)
    static_passwords: tuple[Password, ...] = key("staticPasswords", passwords, ())
    #: None: the section is absent.
    sessions: Sessions | None = key("sessions", sessions, None)
    mfa: MFA = part("mfa", MFA)

    features: Features = Features()
    #: sentences for the start-up log.
    warnings: tuple[str, ...] = ()

    @property
    def static_connectors(self) -> tuple[ConnectorRecord, ...]:
        """The connectors of the file, and last the password database, if it is on."""
        local = (LOCAL,) if self.enable_password_db else ()
        return (*(each.record for each in self.connectors), *local)

    @property
    def refresh_policies(self) -> Mapping[str, RefreshPolicy]:
        """When which connector is asked again, by its id; any other has `RefreshPolicy()`."""
        return {each.record.id: each.refresh_policy for each in self.connectors}

    @property
    def claim_rules(self) -> Mapping[str, ClaimRules]:
        """What is made of the claims of which connector, by its id; any other's stay as they are."""
        return {each.record.id: each.claim_rules for each in self.connectors if each.claim_rules}

    @property
    def grant_types(self) -> tuple[str, ...]:
        """The grants that are served, sorted."""
        return self.oauth2.grant_types(self.features)

    def check(self, place: Place) -> None:
        """What only shows between sections."""
        if place.given("staticPasswords") and self.static_passwords and not self.enable_password_db:
            place.refuse("staticPasswords", "cannot specify static passwords without enabling password db")
        connector_ids = [each.id for each in self.static_connectors]
        wanted = self.oauth2.password_connector
        if wanted and wanted not in connector_ids:
            place.refuse("oauth2.passwordConnector", f'there is no connector "{wanted}"')
        if connector_ids.count(LOCAL.id) > 1:
            place.refuse("connectors", 'the id "local" belongs to the password db')
        for index, client in enumerate(self.static_clients):
            for each in client.mfa_chain or ():
                if each not in self.mfa.ids:
                    place.refuse(
                        f"staticClients[{index}].mfaChain",
                        f'staticClients: client "{client.id}" references unknown MFA authenticator "{each}"',
                    )
        if place.given("signer") and place.given("expiry.signingKeys"):
            place.warn("expiry.signingKeys", "ignored, since there is a signer section")


def load(
    path: str,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
    connector_types: ConnectorTypes = DEX_TYPES,
) -> Configuration:
    """The configuration that the file holds.

    `overrides` are values that come before the file's, by YAML path; `connector_types` knows the types
    that connectors may have. Files that the configuration names are looked at, nothing else is opened.
    Raises InvalidConfiguration with everything that is wrong.
    """
    document = read_document(path)
    findings = Findings(
        environ=environ,
        features=Features.of(environ),
        overrides=overrides or {},
        connector_types=connector_types,
        warnings=list(document.warnings),
    )
    remark_on_flags(findings)
    configuration = section(Place("", document.root, findings), Configuration)
    remark(findings, (*NOT_YET, *WEAKENINGS))
    if findings.problems:
        in_order = sorted(findings.problems, key=lambda problem: problem.line)
        raise InvalidConfiguration(tuple(in_order), path)
    if configuration.expiry.signing_keys is not None and "signer" not in findings.nodes:
        by_alias = LocalSigner(keys_rotation_period=configuration.expiry.signing_keys)
        configuration = attrs.evolve(configuration, signer=by_alias)
    return attrs.evolve(configuration, features=findings.features, warnings=tuple(findings.warnings))
