"""What an upstream answered, and how much of it may be told to the log."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import attrs
from twisted.web.http_headers import Headers

from dextwist.connectors.interface import ConnectorError

#: Octets of an answer that may go into the text of an error.
EXCERPT = 1024
_HIDDEN = "[...]"
#: Members of a JSON object or a form that hold tokens, with their values.
_TOKENS = re.compile(r"""(\w*(?:token|secret|password|code)["']?\s*[:=]\s*["']?)[^"'&\s,}]+""", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class UpstreamAnswer:
    """An answer of any status."""

    status: int
    headers: Headers = attrs.field(factory=Headers, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    #: what was asked, for the text of an error: the method, and the URL without its query.
    asked: str = ""
    #: what was sent in confidence and must not be told, should the upstream throw it back.
    secrets: Collection[str] = attrs.field(default=(), repr=False)

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty where none is told."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """The last field of that name; empty for none."""
        return field(self.headers, name)

    def json(self) -> Any:
        """The body as JSON, numbers exact. Raises ConnectorError."""
        try:
            return json.loads(self.body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise self.error("is no JSON") from None

    def json_object(self) -> Mapping[str, Any]:
        """The body as a JSON object; `null` is an empty one. Raises ConnectorError."""
        content = self.json()
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise self.error("is no JSON object")
        return content

    def json_list(self) -> list[Any]:
        """The body as a JSON array; `null` is an empty one. Raises ConnectorError."""
        content = self.json()
        if content is None:
            return []
        if not isinstance(content, list):
            raise self.error("is no JSON array")
        return content

    def error(self, problem: str, *, excerpt: bool = False) -> ConnectorError:
        """The error that this answer is of no use, with what is wrong and, where wanted, its beginning."""
        said = f"the answer to {self.asked} (status {self.status}) {problem}"
        return ConnectorError(f"{said}: {self.excerpt()}" if excerpt and self.body else said)

    def excerpt(self) -> str:
        """The beginning of the body, with nothing in it that was sent in confidence and no tokens."""
        return excerpt(self.body.decode("utf-8", "replace"), self.secrets)


def field(headers: Headers, name: str) -> str:
    """The last field of that name; empty for none."""
    # As bytes: an upstream may send what is no UTF-8.
    values = headers.getRawHeaders(name.encode("ascii")) or [b""]
    return values[-1].decode("latin-1")


def excerpt(text: str, secrets: Collection[str] = ()) -> str:
    """The text in one line, at most 1 KiB of it, without these secrets and without tokens."""
    # Before it is cut: half a secret is one as well.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    text = _TOKENS.sub(rf"\g<1>{_HIDDEN}", text[:EXCERPT])
    return "".join(c if c.isprintable() else " " for c in text)[:EXCERPT]


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
