"""Which calls go through a proxy, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import attrs

from dextwist.connectors.interface import ConnectorError

_PORTS = {"http": 80, "https": 443}


@attrs.frozen(kw_only=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    #: whether it speaks TLS itself.
    tls: bool = False
    #: the value of `Proxy-Authorization`, or empty.
    authorization: str = attrs.field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Proxy:
        """The proxy of a URL, whose scheme may be missing. Raises ConnectorError."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme not in _PORTS or not host:
            raise ConnectorError("the proxy of the environment is no http or https URL")
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            tls=parts.scheme == "https",
            authorization=authorization,
        )


@attrs.frozen(kw_only=True)
class Proxies:
    """The proxies of the environment."""

    #: by the scheme of the URL that is asked for.
    by_scheme: Mapping[str, Proxy] = attrs.field(factory=dict)
    #: what is asked directly: hosts, domains, addresses, networks, with or without a port; `*` is all.
    exceptions: tuple[str, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Proxies:
        """What an environment says; names in upper case go before those in lower case."""
        by_scheme = {
            scheme: Proxy.of(url) for scheme in _PORTS if (url := _variable(environ, f"{scheme}_proxy"))
        }
        written = _variable(environ, "no_proxy").lower().split(",")
        return cls(by_scheme=by_scheme, exceptions=tuple(filter(None, map(str.strip, written))))

    def proxy_of(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy to ask through; None to ask directly, as this machine itself always is."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or self._is_direct(host.lower().rstrip("."), port):
            return None
        return proxy

    def _is_direct(self, host: str, port: int) -> bool:
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return True
        return any(_covers(exception, host, address, port) for exception in self.exceptions)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _covers(exception: str, host: str, address: Address | None, port: int) -> bool:
    if exception == "*":
        return True
    try:
        network = ipaddress.ip_network(exception, strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address in network
    name, _, only_port = exception.rpartition(":") if exception.count(":") == 1 else (exception, "", "")
    if only_port and only_port != str(port):
        return False
    name = name.removeprefix("*")
    # A name stands for itself and what is below it, one with a dot in front only for the latter.
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper()) or environ.get(name) or ""
