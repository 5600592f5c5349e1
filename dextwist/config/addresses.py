"""Where a listener listens."""

from __future__ import annotations

import ipaddress
import re

import attrs

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([0-9]{1,5})", re.ASCII)


@attrs.frozen(eq=False)
class InvalidAddress(ValueError):
    """A text that is no address to listen on; what is wrong with it."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(kw_only=True)
class ListenAddress:
    """A TCP address, or a Unix socket."""

    #: empty: all interfaces.
    host: str = ""
    port: int = 0
    unix_path: str = ""

    @property
    def endpoint(self) -> str:
        """The address as Twisted's `serverFromString` takes it."""
        if self.unix_path:
            return f"unix:{_escaped(self.unix_path)}"
        interface = f":interface={_escaped(self.host)}" if self.host else ""
        return f"tcp:{self.port}{interface}"

    def __str__(self) -> str:
        if self.unix_path:
            return f"unix:{self.unix_path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen_address(text: str) -> ListenAddress:
    """`host:port`, `:port` for all interfaces, `[::1]:port`, or `unix:/path`. Raises InvalidAddress."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/") or "\0" in path:
            raise InvalidAddress("the path of a Unix socket begins with /")
        return ListenAddress(unix_path=path)
    if "://" in text:
        raise InvalidAddress("this is a URL, and an address has no scheme")
    parts = _HOST_AND_PORT.fullmatch(text)
    if parts is None:
        several = text.count(":") > 1 and not text.startswith("[")
        raise InvalidAddress("an IPv6 address needs brackets" if several else "there is no port number")
    bracketed, host, port = parts[1], parts[2], int(parts[3])
    if port > 65535:
        raise InvalidAddress("port numbers end at 65535")
    if bracketed is not None:
        if not _is_ipv6(bracketed):
            raise InvalidAddress("there is no IPv6 address between the brackets")
        return ListenAddress(host=bracketed, port=port)
    if host and not _NAME.fullmatch(host):
        raise InvalidAddress("there is no host name or IP address before the port")
    return ListenAddress(host=host, port=port)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")
