"""Which redirect targets a client may use, and how a response is put into one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from dextwist.model.client import Client
from dextwist.oauth.grant_types import DEVICE_CALLBACK

#: A person copies the code from a page of ours instead of being sent on.
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"

#: A host name or IPv4 address, or an IPv6 address in brackets; then perhaps a port, and nothing else.
_AUTHORITY = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([a-z0-9.]+))(?::[0-9]*)?")


def allowed_redirect_uri(client: Client, uri: str, issuer_path: str) -> str | None:
    """The redirect target to use, or None where the client may not use this one.

    Registered targets match byte for byte (RFC 9700 §4.1.3). Only a public client without registered
    ones has freedom: the out-of-band URN, the device callback, and http on a loopback host at any port
    (RFC 8252 §7.3). dex's `/device/callback` of a public client means the one below the issuer.
    """
    device_callback = issuer_path + DEVICE_CALLBACK
    registered = uri in client.redirect_uris
    if not registered:
        if not client.public or client.redirect_uris:
            return None
        if uri not in (OUT_OF_BAND, DEVICE_CALLBACK, device_callback) and not is_loopback(uri):
            return None
    return device_callback if uri == DEVICE_CALLBACK and client.public else uri


def is_loopback(uri: str) -> bool:
    """Whether that is an http URL of this machine itself, without trickery in its authority."""
    if not uri.isascii() or any(c <= " " or c in "\\#\x7f" for c in uri):
        return False
    try:
        parts = urlsplit(uri)
        # urlsplit alone takes `http://[::1]evil.example/` for a URL of the host ::1.
        authority, _ = _AUTHORITY.fullmatch(parts.netloc), parts.port
        if parts.scheme != "http" or authority is None:
            return False
        in_brackets, bare = authority.groups()
        if in_brackets:
            return ipaddress.IPv6Address(in_brackets).is_loopback
        return bare == "localhost" or ipaddress.IPv4Address(bare).is_loopback
    except ValueError:
        return False


def with_query(uri: str, params: Sequence[tuple[str, str]]) -> str:
    """The URI with parameters in its query. Its own stay, unless they have one of these names."""
    base, _, fragment = uri.partition("#")
    target, _, query = base.partition("?")
    names = {name for name, _ in params}
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in names]
    return f"{target}?{urlencode(sorted([*kept, *params]))}" + (f"#{fragment}" if fragment else "")


def with_fragment(uri: str, params: Sequence[tuple[str, str]]) -> str:
    """The URI with parameters as its fragment, form-encoded once (RFC 6749 §4.2.2)."""
    return f"{uri.partition('#')[0]}#{urlencode(sorted(params))}"
