"""The head of a request: read by a grammar of what is allowed, so that nobody can read it differently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import attrs

from dextwist.web.front.limits import Limits
from dextwist.web.front.refusal import Refused

_NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
#: A head without the empty line at its end (RFC 9112 §3, §5). Folded lines, bare CR or LF, space before a
#: colon and control characters have no place in it; one empty line before it has (§2.2).
_HEAD = re.compile(
    rf"(?:\r\n)?+({_NAME}{{1,32}}+) ([!\"$-~]++) HTTP/([0-9])\.([0-9])"
    rf"((?:\r\n{_NAME}++:[\t -~\x80-\xff]*+)*+)"
)
_FIELD = re.compile(r"\r\n([^:]++):[\t ]*+([^\r]*+)")
#: What cannot become a head, whatever follows.
_BROKEN = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://[^/?]++(.*)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*+")
_LENGTH = re.compile("[0-9]{1,19}")

_MALFORMED = "The request is malformed."


@attrs.frozen
class Head:
    """What a request begins with."""

    method: str
    #: path and query.
    target: str
    #: names in lower case, the values of repeated fields in order.
    headers: Mapping[str, Sequence[str]]
    #: the declared length of the body; None: it comes in chunks.
    length: int | None
    keep_alive: bool
    #: whether the client waits for a word before it sends the body.
    expects_continue: bool
    #: HTTP/1.0, where connections end unless both sides say otherwise.
    is_old: bool


def read_head(raw: bytes, limits: Limits) -> Head:
    """The head that these bytes are, without the empty line. Raises Refused."""
    match = _HEAD.fullmatch(raw.decode("latin-1"))
    if match is None:
        raise Refused(400, _MALFORMED)
    method, target, major, minor, fields = match.groups()
    if major != "1" or minor not in "01":
        raise Refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    pairs = _FIELD.findall(fields)
    if len(pairs) > limits.max_header_count:
        raise Refused(431, "The request has too many header fields.", "maxHeaderCount")
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        headers.setdefault(name.lower(), []).append(value.rstrip("\t "))
    is_old = minor == "0"
    hosts = headers.get("host", ())
    if len(hosts) != 1 and (hosts or not is_old):
        raise Refused(400, "The request needs one Host field.")  # RFC 9112 §3.2
    if hosts and not _HOST.fullmatch(hosts[0]):
        raise Refused(400, "The Host field is malformed.")
    return Head(
        method,
        target if target.startswith("/") else _origin_form(target),
        headers,
        _length(headers, is_old, limits),
        _keep_alive(headers, is_old),
        "expect" in headers and _expects_continue(headers["expect"], is_old),
        is_old,
    )


def check_unfinished(raw: bytes, start: int) -> None:
    """Raise Refused where the beginning of a head is broken already, after `start`."""
    if _BROKEN.search(raw, start):
        raise Refused(400, _MALFORMED)


def _origin_form(target: str) -> str:
    """Path and query of an absolute target; its host decides nothing, as that of the Host field does not."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise Refused(400, "The target of the request is malformed.")
    rest = absolute[1]
    return rest if rest.startswith("/") else f"/{rest}"


def _length(headers: Mapping[str, Sequence[str]], is_old: bool, limits: Limits) -> int | None:
    """How the body is framed (RFC 9112 §6): one way only, or not at all."""
    lengths, codings = headers.get("content-length", ()), headers.get("transfer-encoding", ())
    if codings:
        if lengths or is_old or len(codings) > 1:
            raise Refused(400, "The length of the body is ambiguous.")
        if codings[0].lower() != "chunked":
            raise Refused(501, "The only transfer coding here is chunked.")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise Refused(400, "The length of the body is ambiguous.")
    length = int(lengths[0])
    if length > limits.max_body:
        raise Refused(413, "The body of the request is too large.", "maxBody")
    return length


def _keep_alive(headers: Mapping[str, Sequence[str]], is_old: bool) -> bool:
    """Whether the client wants to go on with the connection (RFC 9112 §9.3)."""
    lines = headers.get("connection")
    if lines is None:
        return not is_old
    options = [option.strip().lower() for line in lines for option in line.split(",")]
    return "close" not in options and (not is_old or "keep-alive" in options)


def _expects_continue(expectations: Sequence[str], is_old: bool) -> bool:
    if is_old:
        return False  # to be ignored (RFC 9110 §10.1.1)
    if [each.lower() for each in expectations] != ["100-continue"]:
        raise Refused(417, "This expectation cannot be met.")
    return True
