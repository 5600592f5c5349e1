"""The HTTP client of a connector: every call bounded in time and size, counted, and guarded by a breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import attrs
import orjson
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError as TCPTimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.web.http_headers import Headers

import dextwist
from dextwist.connectors.interface import ConnectorError
from dextwist.connectors.upstream.answer import UpstreamAnswer, excerpt, field
from dextwist.connectors.upstream.breaker import Breaker
from dextwist.connectors.upstream.metrics import UpstreamMetrics
from dextwist.connectors.upstream.wire import NETWORK_FAILURES, Incoming, Outgoing, TooLarge

#: Seconds that a call may take from beginning to end.
TIME_LIMIT = 10.0
MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
#: Fields of a form that are told in confidence.
_CONFIDENTIAL = frozenset(
    {
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "password",
        "refresh_token",
        "subject_token",
        "token",
    }
)


@attrs.define(kw_only=True, eq=False)
class UpstreamClient:
    """Asks the upstream of one connector.

    Whatever keeps an answer from coming is a ConnectorError, with `timed_out` or `unreachable` set. An
    answer of any status is an answer; `get_json` is for those who want a good one.
    """

    connector_id: str
    #: puts a request on the network; `wire.Wire.send`, or in tests `wire.answer_of` with an agent.
    send: Callable[[Outgoing], Awaitable[Incoming]] = attrs.field(repr=False)
    clock: IReactorTime
    metrics: UpstreamMetrics
    #: seconds that a call may take.
    time_limit: float = TIME_LIMIT
    _breakers: dict[tuple[str, str, int], Breaker] = attrs.field(init=False, factory=dict)

    async def request(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Any = None,
        secrets: Collection[str] = (),
    ) -> UpstreamAnswer:
        """The answer, of whatever status.

        `operation` is what metrics call it: `token`, `userinfo`, `groups`. `params` go behind the URL's own
        query; `data` is sent as a form, `json` as JSON. Redirects of a GET are followed, three at most,
        never from https to http, and not to another host where `Authorization` or `Cookie` is sent. What is
        sent in `Authorization` and in the confidential fields of a form is kept out of the texts of errors;
        `secrets` names what else there is, such as a password within `json`. Raises ConnectorError.
        """
        fields = {"Accept": "application/json", **(headers or {}), "User-Agent": _USER_AGENT}
        body = None
        if data is not None:
            body = urlencode(data).encode("ascii")
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        elif json is not None:
            body = orjson.dumps(json)
            fields["Content-Type"] = "application/json"
        outgoing = Outgoing(
            method=method,
            url=with_params(url, params or {}),
            headers=Headers({name: [value] for name, value in fields.items()}),
            body=body,
        )
        return await self._measured(outgoing, operation, _told_in_confidence(fields, data or {}, secrets))

    async def get_json(
        self,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> UpstreamAnswer:
        """The answer to a GET if its status is 200, for `json_object()` or `json_list()`.

        Raises ConnectorError, with the status and the beginning of the body where that is another.
        """
        answer = await self.request("GET", url, operation=operation, headers=headers, params=params)
        if answer.status != 200:
            raise answer.error("is not 200", excerpt=True)
        return answer

    async def _measured(self, outgoing: Outgoing, operation: str, secrets: Collection[str]) -> UpstreamAnswer:
        began, result, asked = self.clock.seconds(), "cancelled", _asked(outgoing)
        try:
            call = Deferred.fromCoroutine(self._guarded(outgoing))
            incoming = await call.addTimeout(self.time_limit, self.clock)
            result = f"{incoming.status // 100}xx"
        except (defer.TimeoutError, TCPTimeoutError):
            result = "timeout"
            raise ConnectorError(f"{asked}: no answer in time", timed_out=True) from None
        except TooLarge:
            result = "too_large"
            raise ConnectorError(f"{asked}: the answer is too large", unreachable=True) from None
        except NETWORK_FAILURES as error:
            result = "unreachable"
            raise ConnectorError(f"{asked}: {excerpt(_reason(error), secrets)}", unreachable=True) from None
        except ConnectorError:
            result = "refused"
            raise
        finally:
            self.metrics.upstream_answered(
                connector_id=self.connector_id,
                operation=operation,
                result=result,
                seconds=self.clock.seconds() - began,
            )
        return UpstreamAnswer(
            status=incoming.status,
            headers=incoming.headers,
            body=incoming.body,
            asked=asked,
            secrets=secrets,
        )

    async def _guarded(self, outgoing: Outgoing) -> Incoming:
        """What comes back, unless the upstream is left alone for now."""
        breaker = self._breakers.setdefault(_origin(outgoing.url), Breaker(clock=self.clock))
        if not breaker.enter():
            raise ConnectorError(
                f"{_asked(outgoing)}: not asked, it has failed too often just now", unreachable=True
            )
        deadline = self.clock.seconds() + self.time_limit
        try:
            incoming = await self._followed(outgoing)
        except (TooLarge, ConnectorError):
            breaker.answered()
            raise
        except NETWORK_FAILURES:
            breaker.failed()
            raise
        except defer.CancelledError:
            # By the time limit; or because nobody waits any more, which says nothing.
            if self.clock.seconds() >= deadline:
                breaker.failed()
            raise
        finally:
            breaker.leave()
        breaker.answered()
        return incoming

    async def _followed(self, outgoing: Outgoing) -> Incoming:
        for _ in range(MAX_REDIRECTS + 1):
            incoming = await self.send(outgoing)
            location = field(incoming.headers, "Location")
            if outgoing.method != "GET" or incoming.status not in _REDIRECTS or not location:
                return incoming
            outgoing = _redirected(outgoing, location)
        raise ConnectorError(f"{_asked(outgoing)}: more than {MAX_REDIRECTS} redirects")


_USER_AGENT = f"dextwist/{dextwist.__version__}"


def checked_url(url: str) -> SplitResult:
    """The parts of a URL that may be asked for. Raises ConnectorError for one that is no such URL."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise ConnectorError(f"{excerpt(url)!r} is no http or https URL")
    return parts


def with_params(url: str, params: Mapping[str, str]) -> str:
    """The URL with these parameters, by their names, behind its own query (O1)."""
    base, _, query = url.partition("#")[0].partition("?")
    joined = "&".join(filter(None, [query, urlencode(sorted(params.items()))]))
    return f"{base}?{joined}" if joined else base


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ConnectorError."""
    parts = checked_url(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _asked(outgoing: Outgoing) -> str:
    """What was asked, for the text of an error: queries hold codes."""
    return f"{outgoing.method} {excerpt(outgoing.url.partition('?')[0])}"


def _redirected(outgoing: Outgoing, location: str) -> Outgoing:
    try:
        url = urljoin(outgoing.url, location).partition("#")[0]
    except ValueError:
        raise ConnectorError(f"{_asked(outgoing)}: redirects to no URL") from None
    before, after = _origin(outgoing.url), _origin(url)
    with_credentials = any(outgoing.headers.hasHeader(name) for name in ("Authorization", "Cookie"))
    if before != after and (with_credentials or before[0] == "https" != after[0]):
        raise ConnectorError(f"{_asked(outgoing)}: redirects to a place that may not be asked")
    return attrs.evolve(outgoing, url=url)


def _told_in_confidence(
    headers: Mapping[str, str], data: Mapping[str, str], secrets: Collection[str]
) -> Collection[str]:
    told = {value for name, value in data.items() if name in _CONFIDENTIAL}
    told.update(
        value.partition(" ")[2] or value for name, value in headers.items() if name.lower() == "authorization"
    )
    return frozenset(told.union(secrets))


def _reason(error: Exception) -> str:
    """What went wrong, in the words of whatever is at the bottom of it."""
    reasons = getattr(error, "reasons", None) or ()
    inner = [_reason(failure.value) for failure in reasons if failure.value is not error]
    if inner:
        return ", ".join(dict.fromkeys(inner))
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
