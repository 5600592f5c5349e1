"""The issuer: the one source of every address that we print or send anybody to."""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs


@attrs.frozen
class Issuer:
    """An issuer identifier (OpenID Connect Discovery §3), kept as it was configured."""

    url: str

    @property
    def is_https(self) -> bool:
        """Whether cookies can be `Secure`."""
        return self.url.lower().startswith("https:")

    @property
    def path(self) -> str:
        """Its path without a trailing slash: `/dex`, or empty."""
        return urlsplit(self.url).path.rstrip("/")

    def path_of(self, endpoint: str) -> str:
        """The path of an endpoint: `/dex/auth` for `/auth`; the home page is at the bare path."""
        return self.path + endpoint if endpoint != "/" else self.path or "/"

    def url_of(self, endpoint: str) -> str:
        """The whole address of an endpoint."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{self.path_of(endpoint)}"
