"""Asking a browser for a Kerberos ticket (RFC 4559), once in a while and not again and again."""

from __future__ import annotations

import attrs

from dextwist.connectors.interface import Negotiation
from dextwist.oauth.issuer import Issuer
from dextwist.web.http import Request, Response

#: Seconds for which a browser that has none is not asked again.
_ASKED_FOR = 60


@attrs.frozen(kw_only=True)
class TicketPrompt:
    """Reads what the browser offers, and writes what it is told."""

    issuer: Issuer
    #: of the cookie that remembers the question.
    name: str = "dex_ticket_asked"

    def read(self, request: Request) -> Negotiation:
        """What the browser offers."""
        return Negotiation(
            authorization=request.header("authorization") or "", asked_before=self.name in request.cookies
        )

    def told(self, response: Response, negotiation: Negotiation, *, logged_in: bool) -> Response:
        """The answer, with what the connector has to say to the browser."""
        if not negotiation.challenge:
            return response
        response = response.adding(("WWW-Authenticate", negotiation.challenge))
        if logged_in:
            return response.adding(self._cookie(0)) if negotiation.asked_before else response
        # A browser without a ticket shows what comes with the question.
        response = attrs.evolve(response, status=401)
        return response.adding(self._cookie(_ASKED_FOR)) if negotiation.with_form else response

    def _cookie(self, seconds: int) -> tuple[str, str]:
        path, secure = self.issuer.path or "/", "; Secure" if self.issuer.is_https else ""
        lifetime = f"Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return ("Set-Cookie", f"{self.name}=1; Path={path}; {lifetime}")
