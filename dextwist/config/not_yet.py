"""What the configuration accepts but nothing does yet. Whoever builds it removes its row.

What only adds something is a warning. What cannot work without, or protects somebody, is a problem: a
second factor that is silently left out would be worse than no start.
"""

from __future__ import annotations

from dextwist.config.connector_types import TYPES
from dextwist.config.places import Findings
from dextwist.config.remarks import Remark

_POLICY = "policies are not built yet, and leaving one out could let somebody in"
_SECOND_FACTORS = "second factors are not built yet"

NOT_YET = (
    Remark("grpc.addr", "the gRPC API is not built yet: nothing listens there"),
    Remark("telemetry.enableProfiling", "profiling is not built yet"),
    Remark("sessions", "sessions are not built yet: every login asks anew"),
    Remark(
        "storage.type",
        "storage type {value} is not built yet",
        values=("redis", "postgres", "mysql", "etcd", "kubernetes"),
        refused=True,
    ),
    Remark("signer.type", "signer type {value} is not built yet", values=("vault",), refused=True),
    Remark("mfa.authenticators", _SECOND_FACTORS, refused=True),
    Remark("mfa.defaultMFAChain", _SECOND_FACTORS, refused=True),
    Remark("staticClients[*].mfaChain", _SECOND_FACTORS, refused=True),
    Remark("authPolicy", _POLICY, refused=True),
    Remark("tokenPolicy", _POLICY, refused=True),
    Remark("staticClients[*].authPolicy", _POLICY, refused=True),
    Remark("staticClients[*].tokenPolicy", _POLICY, refused=True),
    Remark("connectors[*].config.claimMappingExpressions", _POLICY, refused=True),
    Remark(
        "connectors[*].type",
        "connector type {value} is not built yet: this connector cannot be opened",
        values=sorted(
            TYPES - {"google", "ldap", "microsoft", "mockCallback", "mockPassword", "oauth", "oidc"}
        ),
    ),
)


def remark_on_flags(findings: Findings) -> None:
    """The environment variables that ask for what is not there."""
    if findings.features.ent_enabled:
        findings.refuse("DEX_ENT_ENABLED", "this storage engine of dex does not exist here; unset it")
    if findings.features.sessions_enabled:
        findings.warn("DEX_SESSIONS_ENABLED", "sessions are not built yet: every login asks anew")
