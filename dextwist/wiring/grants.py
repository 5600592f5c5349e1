"""The grants of the token endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dextwist.config.configuration import Configuration
from dextwist.grants.asking import ConnectorAsker
from dextwist.grants.authorization_code import AuthorizationCodeGrant
from dextwist.grants.client_credentials import ClientCredentialsGrant
from dextwist.grants.device_code import DeviceCodeGrant
from dextwist.grants.interface import Grant
from dextwist.grants.login_tokens import LoginTokens
from dextwist.grants.password import PasswordGrant
from dextwist.grants.refresh_token import RefreshTokenGrant
from dextwist.grants.token_exchange import TokenExchangeGrant
from dextwist.storage.interface import Storage
from dextwist.telemetry.logins import LoginAudit
from dextwist.telemetry.metrics import Metrics
from dextwist.tokens.issuer import TokenIssuer
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy
from dextwist.tokens.refresh_tokens import RefreshTokenMaker


def grants_of(
    config: Configuration, storage: Storage, issuer: TokenIssuer, metrics: Metrics, reactor: Any
) -> dict[str, Grant[Any]]:
    """The grants that are built and switched on, by their type."""
    rechecks = {
        connector_id: RecheckPolicy(
            interval=chosen.recheck_after, keep_on_error=chosen.on_upstream_error == "keep"
        )
        for connector_id, chosen in config.refresh_policies.items()
    }
    max_per_client = config.expiry.refresh_tokens.max_per_client
    tokens = LoginTokens(
        issuer=issuer,
        refresh_tokens=RefreshTokenMaker(storage=storage, max_per_client=max_per_client),
        clock=reactor,
    )
    asker = ConnectorAsker(audit=LoginAudit(metrics=metrics))
    built: Sequence[Grant[Any]] = (
        AuthorizationCodeGrant(storage=storage, tokens=tokens, clock=reactor),
        RefreshTokenGrant(
            storage=storage,
            issuer=issuer,
            clock=reactor,
            policy=refresh_policy_of(config),
            rechecks=rechecks,
        ),
        DeviceCodeGrant(storage=storage, tokens=tokens, clock=reactor),
        ClientCredentialsGrant(storage=storage, issuer=issuer),
        PasswordGrant(
            storage=storage,
            tokens=tokens,
            asker=asker,
            connector_id=config.oauth2.password_connector,
        ),
        TokenExchangeGrant(issuer=issuer, asker=asker),
    )
    served = config.grant_types
    return {grant.grant_type: grant for grant in built if grant.grant_type in served}


def refresh_policy_of(config: Configuration) -> RefreshPolicy:
    """How long refresh tokens live, and whether they rotate."""
    limits = config.expiry.refresh_tokens
    return RefreshPolicy(
        rotate=not limits.disable_rotation,
        reuse_interval=limits.reuse_interval,
        valid_if_not_used_for=limits.valid_if_not_used_for,
        absolute_lifetime=limits.absolute_lifetime,
    )
