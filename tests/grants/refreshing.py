"""A stored refresh token and grants over it, for the tests of the refresh_token grant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.grants.interface import TokenRequest, TokenResponse
from dextwist.grants.refresh_token import ExaminedRefreshToken, RefreshTokenGrant
from dextwist.model.client import Client
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.packed import packed
from dextwist.oauth.parameters import Form
from dextwist.signing.interface import VerifiedToken
from dextwist.storage.interface import Create, NotFound, Update
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy
from tests.grants.fakes import (
    BEGAN,
    KILGORE,
    FakeUpstream,
    SteppedStorage,
    clock_at_the_beginning,
    new_issuer,
    opened,
)
from tests.signing.fakes import FakeSigner

APP, OTHER = Client(id="app", secret="s"), Client(id="other", secret="s")
SCOPES = ("openid", "email", "profile", "groups", "offline_access")
SESSION_KEY = (KILGORE.user_id, "mock")
#: What the client got at the login.
FIRST = packed("rid", "s0")
NO_WINDOW = RefreshPolicy(reuse_interval=timedelta(0))
REPLAYED = "refresh_replay"


class RefreshTestCase(SynchronousTestCase):
    """Each test has one token, `FIRST`, of the person Kilgore at the client APP."""

    policy = RefreshPolicy()
    recheck = RecheckPolicy()

    def setUp(self) -> None:
        self.clock = clock_at_the_beginning()
        self.storage = SteppedStorage()
        self.signer = FakeSigner()
        self.upstream = FakeUpstream()
        self.connector = opened(self.upstream)
        self.grant = self.new_grant()
        self.store()

    def new_grant(self, **how: Any) -> RefreshTokenGrant:
        """A process of its own over the same storage."""
        issuer = new_issuer(self.storage, self.clock, self.signer)
        grant = RefreshTokenGrant(
            storage=self.storage,
            issuer=issuer,
            clock=self.clock,
            policy=self.policy,
            rechecks={"mock": self.recheck},
        )
        return attrs.evolve(grant, **how)

    def store(self, token_id: str = "rid", **how: Any) -> None:
        """A token with the secret `s0`, listed in the person's offline session."""
        token = RefreshToken(
            id=token_id,
            token="s0",
            client_id="app",
            connector_id="mock",
            scopes=SCOPES,
            created_at=BEGAN,
            last_used_at=BEGAN,
            rechecked_at=BEGAN,
            nonce="n",
            claims=KILGORE,
            auth_time=BEGAN - timedelta(seconds=7),
        )
        token = attrs.evolve(token, **how)
        ref = RefreshTokenRef(
            id=token_id, client_id=token.client_id, created_at=BEGAN, last_used_at=BEGAN, session_id="sid-1"
        )

        def listed(session: OfflineSession) -> OfflineSession:
            return attrs.evolve(session, refresh={**session.refresh, token_id: ref})

        empty = OfflineSession(user_id=KILGORE.user_id, connector_id="mock", connector_data=b"data-0")
        self.successResultOf(
            self.storage.write(
                Create(REFRESH_TOKENS, token), Update(OFFLINE_SESSIONS, SESSION_KEY, listed, default=empty)
            )
        )

    # -- what is stored

    def token(self, token_id: str = "rid") -> RefreshToken:
        token: RefreshToken = self.successResultOf(self.storage.get(REFRESH_TOKENS, token_id))
        return token

    def session(self) -> OfflineSession:
        session: OfflineSession = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, SESSION_KEY))
        return session

    def assert_ended(self, token_id: str = "rid") -> None:
        self.failureResultOf(self.storage.get(REFRESH_TOKENS, token_id), NotFound)
        self.assertNotIn(token_id, self.session().refresh)

    # -- what a client does

    def request(self, text: str, scope: str = "", client: Client = APP) -> TokenRequest:
        return TokenRequest(client=client, form=Form((("refresh_token", text), ("scope", scope))))

    def examined(self, text: str = FIRST, grant: RefreshTokenGrant | None = None) -> ExaminedRefreshToken:
        examined: ExaminedRefreshToken = self.successResultOf(
            (grant or self.grant).examine(self.request(text))
        )
        return examined

    def begun(
        self, examined: ExaminedRefreshToken | None = None, grant: RefreshTokenGrant | None = None
    ) -> Deferred[TokenResponse]:
        """A redemption under way."""
        redeeming = (grant or self.grant).redeem(examined or self.examined(), self.connector)
        return Deferred.fromCoroutine(redeeming)

    async def _refresh(self, request: TokenRequest, grant: RefreshTokenGrant) -> TokenResponse:
        return await grant.redeem(await grant.examine(request), self.connector)

    def refresh(
        self, text: str = FIRST, scope: str = "", client: Client = APP, grant: RefreshTokenGrant | None = None
    ) -> Deferred[TokenResponse]:
        return Deferred.fromCoroutine(self._refresh(self.request(text, scope, client), grant or self.grant))

    def refreshed(self, text: str = FIRST, scope: str = "") -> TokenResponse:
        response: TokenResponse = self.successResultOf(self.refresh(text, scope))
        return response

    def refused(
        self, text: str = FIRST, scope: str = "", client: Client = APP, error: str = "invalid_grant"
    ) -> OAuthError:
        refusal = self.failureResultOf(self.refresh(text, scope, client), OAuthError).value
        assert isinstance(refusal, OAuthError)
        self.assertEqual((refusal.error, refusal.status), (error, 400))
        return refusal

    def read(self, token: str) -> VerifiedToken:
        verified: VerifiedToken = self.successResultOf(self.signer.verify(token))
        return verified
