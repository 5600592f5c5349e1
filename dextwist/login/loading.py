"""Taking up a login where the browser left it."""

from __future__ import annotations

import attrs
from twisted.internet.interfaces import IReactorTime

from dextwist.login.browser_binding import check_browser
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AUTH_REQUESTS, AuthRequest
from dextwist.model.times import utc_now
from dextwist.oauth.steps import is_step_verifier
from dextwist.storage.interface import NotFound, Storage

GONE = "This sign-in has ended, or never was."


@attrs.frozen(kw_only=True)
class LoginLoader:
    """Finds logins under way, for the browser that began them."""

    storage: Storage
    clock: IReactorTime

    async def load(self, request_id: str, cookie: str | None) -> AuthRequest:
        """The login. Raises RefusedWithPage, StorageError."""
        if not request_id:
            raise RefusedWithPage(400, "The address is not complete.")
        try:
            request = await self.storage.get(AUTH_REQUESTS, request_id)
        except NotFound:
            raise RefusedWithPage(400, GONE) from None
        if request.expires_at <= utc_now(self.clock):
            raise RefusedWithPage(400, "This sign-in took too long.")
        check_browser(request, cookie)
        return request

    async def load_at_step(
        self, request_id: str, cookie: str | None, hmac: str, *labels: str
    ) -> tuple[AuthRequest, str]:
        """A login that has come to one of the steps, and to which. Raises as `load` does."""
        if not hmac:
            raise RefusedWithPage(401, "The address is not complete.")
        request = await self.load(request_id, cookie)
        for label in labels:
            if is_step_verifier(hmac, request.hmac_key, request.id, label):
                if not request.logged_in:
                    raise RefusedWithPage(400, GONE)
                return request, label
        raise RefusedWithPage(401, "The address is not right.")
