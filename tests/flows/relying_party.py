"""A client of the daemon: it sends browsers, redeems codes and reads tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import CALLBACK, Running


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified: its signature is another test's business."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@attrs.frozen(kw_only=True)
class RelyingParty:
    """The client `app`, unless told otherwise."""

    running: Running
    client_id: str = "app"
    secret: str = "app-secret"
    redirect_uri: str = CALLBACK

    def authorize_url(self, path: str = "/auth", /, **params: str | None) -> str:
        """An authorization request; a parameter that is None is left out."""
        asked: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid profile email groups offline_access",
            "state": "the state",
            **params,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{self.running.issuer}{path}?{query}"

    async def log_in(self, browser: Browser | None = None, /, **params: str | None) -> AtClient:
        """Log in through the mock connector, as far as the client."""
        url = self.authorize_url("/auth/mock", **params)
        end = await (browser or Browser()).visit(url)
        assert isinstance(end, AtClient), f"{end.status} {end.text[:300]}"
        return end

    async def post(self, path: str, params: Mapping[str, str], *, basic: bool = True) -> tuple[Page, Any]:
        """Send a form as this client; the answer and its JSON."""
        headers = {}
        if basic:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        page = await Browser().request("POST", self.running.issuer + path, data=params, headers=headers)
        return page, json.loads(page.body)

    async def redeem(self, code: str, **more: str) -> tuple[int, dict[str, Any]]:
        """Redeem a code: status and answer."""
        params = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        page, answer = await self.post("/token", {**params, **more})
        return page.status, answer

    async def refresh(self, refresh_token: str, **more: str) -> tuple[int, dict[str, Any]]:
        """Redeem a refresh token: status and answer."""
        params = {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}
        page, answer = await self.post("/token", params)
        return page.status, answer

    async def tokens(self, **params: str | None) -> dict[str, Any]:
        """Log in and redeem the code."""
        status, answer = await self.redeem((await self.log_in(**params)).params["code"])
        assert status == 200, answer
        return answer
