"""The cookie that ties a login to its browser."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.oauth.issuer import Issuer
from dextwist.web.http import Request


@attrs.frozen(kw_only=True)
class LoginCookie:
    """Reads the cookie, and writes it when a login begins."""

    issuer: Issuer
    lifetime: timedelta
    name: str = "dex_login"

    def read(self, request: Request) -> str | None:
        """What the browser sent."""
        return request.cookies.get(self.name)

    def header(self, secret: str) -> tuple[str, str]:
        """The field that sets it, for as long as a login may take."""
        parts = [
            f"{self.name}={secret}",
            f"Path={self.issuer.path or '/'}",
            f"Max-Age={int(self.lifetime.total_seconds())}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        if self.issuer.is_https:
            parts.append("Secure")
        return ("Set-Cookie", "; ".join(parts))
