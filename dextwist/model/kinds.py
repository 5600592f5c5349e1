"""Every kind there is, for what treats them all alike: schemas, garbage collection, adoption."""

from __future__ import annotations

from typing import Any

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.auth_session import AUTH_SESSIONS
from dextwist.model.client import CLIENTS
from dextwist.model.connector import CONNECTORS
from dextwist.model.device import DEVICE_REQUESTS, DEVICE_TOKENS
from dextwist.model.keys import KEYS
from dextwist.model.kind import Kind
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.revoked_token import REVOKED_TOKENS
from dextwist.model.used_assertion import USED_ASSERTIONS
from dextwist.model.user_identity import USER_IDENTITIES

ALL_KINDS: tuple[Kind[Any], ...] = (
    CLIENTS,
    AUTH_REQUESTS,
    AUTH_CODES,
    REFRESH_TOKENS,
    OFFLINE_SESSIONS,
    USER_IDENTITIES,
    AUTH_SESSIONS,
    PASSWORDS,
    CONNECTORS,
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    KEYS,
    REVOKED_TOKENS,
    USED_ASSERTIONS,
)
