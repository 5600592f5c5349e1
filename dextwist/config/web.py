"""`web`: the listeners for browsers and clients, and what surrounds every answer."""

from __future__ import annotations

import attrs

from dextwist.config.addresses import ListenAddress
from dextwist.config.limits import Limits
from dextwist.config.places import Place
from dextwist.config.reading import key, list_of, part
from dextwist.config.tls import TLS
from dextwist.config.values import Network, listen_address, network, text, texts, unless_empty


def header_value(place: Place) -> str:
    """One line of text: YAML's block texts end in a line break that no header may have."""
    return " ".join(text(place).split())


@attrs.frozen(kw_only=True)
class ResponseHeaders:
    """Header fields of every answer."""

    content_security_policy: str = key("Content-Security-Policy", header_value, "")
    x_frame_options: str = key("X-Frame-Options", header_value, "")
    x_content_type_options: str = key("X-Content-Type-Options", header_value, "")
    x_xss_protection: str = key("X-XSS-Protection", header_value, "")
    strict_transport_security: str = key("Strict-Transport-Security", header_value, "")

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Those that have a value, as (name, value)."""
        every = (
            ("Content-Security-Policy", self.content_security_policy),
            ("X-Frame-Options", self.x_frame_options),
            ("X-Content-Type-Options", self.x_content_type_options),
            ("X-XSS-Protection", self.x_xss_protection),
            ("Strict-Transport-Security", self.strict_transport_security),
        )
        return tuple((name, value) for name, value in every if value)


@attrs.frozen(kw_only=True)
class ClientRemoteIP:
    """Where the client's address is read from, and from whom that is believed."""

    header: str = key("header", text, "")
    trusted_proxies: tuple[Network, ...] = key("trustedProxies", list_of(network), ())

    def check(self, place: Place) -> None:
        if self.header and not place.given("trustedProxies"):
            place.warn("header", "ignored, since no trustedProxies are set")


@attrs.frozen(kw_only=True)
class Web(TLS):
    """The listeners; at least one of the two is there."""

    http: ListenAddress | None = key("http", listen_address, None)
    https: ListenAddress | None = key("https", listen_address, None)
    #: origins that may read answers across origins, or `*`; empty: none.
    allowed_origins: tuple[str, ...] = key("allowedOrigins", texts, ())
    allowed_headers: tuple[str, ...] = key("allowedHeaders", unless_empty(texts), ("Authorization",))
    headers: ResponseHeaders = part("headers", ResponseHeaders)
    client_remote_ip: ClientRemoteIP = part("clientRemoteIP", ClientRemoteIP)
    limits: Limits = part("limits", Limits)

    def check(self, place: Place) -> None:
        if place.given("https"):
            if not place.given("tlsCert"):
                place.refuse("tlsCert", "no cert specified for HTTPS")
            if not place.given("tlsKey"):
                place.refuse("tlsKey", "no private key specified for HTTPS")
            self.check_files(place)
        elif not place.given("http"):
            place.refuse("", "must supply a HTTP/HTTPS  address to listen on")
        self.check_versions(place)
