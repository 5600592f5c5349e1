"""What argocd, kubelogin, oauth2-proxy and kubectl have in common: all leave OAuth to golang.org/x/oauth2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import FlowCase
from tests.flows.relying_party import RelyingParty

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#: What its S256ChallengeOption sends.
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


@attrs.frozen(kw_only=True)
class Program(RelyingParty):
    """A client with the habits of x/oauth2 0.36: parameters in order, credentials by trial."""

    scope: str = ""
    #: whether it tries the header first, as it does unless it has been told better.
    tries_header: bool = True
    #: where the credentials were, request by request.
    credentials_in: list[str] = attrs.field(factory=list)

    def auth_code_url(self, state: str, **options: str) -> str:
        """Where it sends the browser."""
        params = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": state,
            **options,
        }
        return f"{self.running.issuer}/auth?{urlencode(sorted(params.items()))}"

    async def post(self, path: str, params: Mapping[str, str], *, basic: bool = True) -> tuple[Page, Any]:
        """Send a form with the credentials in the header; where that fails, once more with them in it."""
        if basic and self.tries_header:
            self.credentials_in.append("header")
            page, answer = await super().post(path, dict(sorted(params.items())))
            if page.status == 200:
                return page, answer
        self.credentials_in.append("form")
        own = {"client_id": self.client_id} | ({"client_secret": self.secret} if self.secret else {})
        return await super().post(path, dict(sorted({**params, **own}.items())), basic=False)


class ProgramCase(FlowCase):
    """The person at the program."""

    async def answered(self, program: Program, url: str) -> Mapping[str, str]:
        """Log in there as Kilgore Trout and consent where that is asked; what the redirect URI gets."""
        browser = Browser()
        page = await browser.visit(url)
        assert isinstance(page, Page), page
        end = await browser.visit(page.link("/auth/mock"))
        if isinstance(end, Page):
            end = await browser.submit(end, end.form("approval", "approve"))
        assert isinstance(end, AtClient), end
        self.assertEqual(program.redirect_uri, end.url.partition("?")[0])
        return end.params
