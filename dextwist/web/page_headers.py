"""The headers that every page carries, and the addresses in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from dextwist.web.http import Headers

#: What a browser could do for a page, and no page of ours needs.
_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

#: What a host may look like in a policy (CSP level 3 §2.3.1); an IPv6 address may not.
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")


def page_headers(
    *,
    https: bool,
    images: Iterable[str] = (),
    scripts: Iterable[str] = (),
    form_targets: Iterable[str] = (),
    webauthn: bool = False,
) -> Headers:
    """The headers of a page, but for its type.

    `images`, `scripts` and `form_targets` are the sources allowed besides our own.
    `webauthn` lets the page's script ask the browser for a security key and our server for the rest.
    """
    policy = {
        "default-src": ("'none'",),
        "style-src": ("'self'",),
        "img-src": ("'self'", *images),
        "font-src": ("'self'",),
        "script-src": ("'self'", *scripts),
        "form-action": ("'self'", *form_targets),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
        **({"connect-src": ("'self'",)} if webauthn else {}),
    }
    headers = [
        ("Content-Security-Policy", "; ".join(f"{name} {' '.join(of)}" for name, of in policy.items())),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        (
            "Permissions-Policy",
            ", ".join(f"{feature}={_allowed(feature, webauthn)}" for feature in _FEATURES),
        ),
    ]
    if https:
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return tuple(headers)


def _allowed(feature: str, webauthn: bool) -> str:
    return "(self)" if webauthn and feature.startswith("publickey-credentials-") else "()"


def overriding(headers: Headers, configured: Mapping[str, str]) -> Headers:
    """The headers with the configured ones in place of those of the same name; blank ones do not count."""
    wanted = {name.lower(): (name, value) for name, value in configured.items() if value.strip()}
    return tuple(field for field in headers if field[0].lower() not in wanted) + tuple(wanted.values())


def policy_source(uri: str) -> str:
    """The source expression that covers an address: its origin (CSP level 3 §2.3.1).

    Only the scheme where the host cannot be written in a policy, as an IPv6 address cannot, and where
    there is none, as in an app's own `com.example.app:/callback`. Empty for what has no scheme.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not _SCHEME.fullmatch(parts.scheme):
        return ""
    if not _HOST.fullmatch(host):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
