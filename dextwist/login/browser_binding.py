"""A login belongs to the browser that began it (RFC 9700 §4.7): a secret in its cookie, a digest stored."""

from __future__ import annotations

import hashlib
import hmac
import re

from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_request import AuthRequest

_SECRET = re.compile(r"[a-z][a-z2-7]{50}")


def usable_secret(cookie: str | None) -> str | None:
    """The secret of a browser that has one already, so that its logins can run side by side."""
    return cookie if cookie is not None and _SECRET.fullmatch(cookie) else None


def browser_digest(secret: str) -> bytes:
    """What is stored of the secret."""
    return hashlib.sha256(secret.encode()).digest()


def check_browser(request: AuthRequest, cookie: str | None) -> None:
    """Raise RefusedWithPage unless this browser began the login."""
    secret = usable_secret(cookie)
    if secret is None or not hmac.compare_digest(browser_digest(secret), request.browser_digest):
        raise RefusedWithPage(
            400,
            "This sign-in was begun in another browser, or too long ago.",
        )
