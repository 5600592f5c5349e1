"""What tests of the `oidc` connector share."""

from __future__ import annotations

from typing import Any

from dextwist.connectors.interface import ConnectorError, ConnectorScopes
from dextwist.model.claims import Claims
from tests.connectors.federated import PLAIN, FederatedTestCase
from tests.upstreams.oidc_provider import FakeProvider, new_key

#: Made once: an RSA key takes a while.
KEY = new_key()
OTHER_KEY = new_key()
PERSON = {"sub": "subvalue", "name": "namevalue", "email": "emailvalue", "email_verified": True}
KNOWN = Claims(user_id="subvalue", username="namevalue", email="emailvalue", email_verified=True)


class OIDCTestCase(FederatedTestCase):
    kind = "oidc"
    upstream: FakeProvider

    def setUp(self) -> None:
        super().setUp()
        self.upstream = FakeProvider(clock=self.clock, keys=[KEY])

    def config(self) -> dict[str, Any]:
        return {**super().config(), "issuer": self.upstream.url}

    def refused(self, scopes: ConnectorScopes = PLAIN, **config: Any) -> str:
        """Why nobody is logged in with these settings."""
        return str(self.fails(self.log_in(self.opened(**config), scopes), ConnectorError))
