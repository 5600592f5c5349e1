"""Going on with a login once somebody has logged in: facts in, the next step done."""

from __future__ import annotations

import attrs

from dextwist.login.consent import consent_needed
from dextwist.login.next_step import Consent, LoginFacts, Refuse, Respond, next_step
from dextwist.login.responding import AuthorizationResponse, Responder, ShownCode
from dextwist.model.auth_request import AuthRequest
from dextwist.oauth.packed import packed_subject


@attrs.frozen(kw_only=True)
class LoginProceeder:
    """Takes the step that `next_step` decides."""

    responder: Responder
    skip_approval: bool

    async def proceed(
        self, request: AuthRequest, *, approved: bool
    ) -> AuthorizationResponse | ShownCode | None:
        """What goes to the client; None where the person must be asked for consent first.

        `approved`: the browser proved that consent was given. Raises RefusedWithPage, OAuthError,
        StorageError, SigningError.
        """
        step = next_step(
            LoginFacts(
                prompt=request.prompt,
                connector_id=request.connector_id,
                logged_in=request.logged_in,
                subject=packed_subject(request.claims.user_id, request.connector_id),
                hinted_subject=request.hinted_subject,
                consented=approved or not consent_needed(request, skip=self.skip_approval),
            )
        )
        match step:
            case Consent():
                return None
            case Respond():
                return await self.responder.respond(request)
            case Refuse(error):
                return await self.responder.refuse(request, error)
        raise AssertionError(f"{step} after the login")
