"""Requests: near good ones, and far from them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote_from_bytes

import attrs
from hypothesis import strategies as st

import dextwist
from dextwist.oauth.authorization_request import AuthorizationRequest
from dextwist.oauth.client_assertion import JWT_BEARER
from dextwist.oauth.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from tests.flows.fuzz.values import (
    CALLBACK,
    CHALLENGE,
    GIVENS,
    GOOD_HEADER,
    HOSTILE,
    SECRET,
    VALUES,
    VERIFIER,
    Assertion,
    Given,
    Known,
    Value,
    as_bytes,
)

# -- parameters


def parameter_names() -> list[str]:
    """What the product reads from queries and forms, by its own source."""
    names = {field.name for field in attrs.fields(AuthorizationRequest)}
    package = Path(dextwist.__file__).parent
    for room in ("web", "grants", "login", "oauth"):
        for path in (package / room).glob("**/*.py"):
            names.update(re.findall(r'\bget\(\s*"([A-Za-z_]+)"', path.read_text()))
    return sorted(names)


@attrs.frozen
class Param:
    """A parameter; a raw one is sent as it is, unencoded."""

    name: bytes
    value: Value
    raw: bool = False

    def sent(self, known: Known) -> bytes:
        value = as_bytes(self.value, known)
        if self.raw:
            return self.name + b"=" + value
        return (quote_from_bytes(self.name, safe="") + "=" + quote_from_bytes(value, safe="")).encode()


def joined(params: Iterable[Param], known: Known) -> bytes:
    """A query or a form."""
    return b"&".join(param.sent(known) for param in params)


_NAMES = parameter_names()
PARAMS = st.builds(
    Param,
    st.one_of(st.sampled_from(_NAMES).map(str.encode), st.sampled_from(HOSTILE)),
    VALUES,
    st.sampled_from([False] * 9 + [True]),
)


def _good(**values: Value | str) -> tuple[Param, ...]:
    return tuple(
        Param(name.encode(), value.encode() if isinstance(value, str) else value)
        for name, value in values.items()
    )


_LOGIN = _good(
    client_id="app",
    redirect_uri=CALLBACK,
    response_type="code",
    scope="openid offline_access",
    state="s",
    nonce="n",
)
_ASSERTED = _good(client_assertion_type=JWT_BEARER, client_assertion=Assertion({}, GOOD_HEADER))
#: Good requests, by the pattern of their route.
GOOD: Mapping[str, Sequence[tuple[Param, ...]]] = {
    "/auth": [_LOGIN, _good(req=Given("req"), hmac=Given("hmac"))],
    "/auth/{connector}": [
        _LOGIN,
        _LOGIN + _good(code_challenge=CHALLENGE, code_challenge_method="S256", prompt="consent"),
        _LOGIN + _good(prompt="none"),
        _LOGIN + _good(id_token_hint=Given("id_token"), max_age="10", response_mode="form_post"),
        _good(client_id="cli", redirect_uri="http://127.0.0.1:7/cb", response_type="code", scope="openid"),
    ],
    "/auth/{connector}/login": [_good(state=Given("state"), login="u", password="p", back="/dex/auth?a=b")],
    "/callback": [_good(state=Given("state")), _good(state=Given("state"), error="access_denied")],
    "/callback/{connector}": [_good(state=Given("state"))],
    "/approval": [_good(req=Given("req"), hmac=Given("hmac"), approval="approve")],
    "/token": [
        _good(grant_type=AUTHORIZATION_CODE, code=Given("code"), redirect_uri=CALLBACK),
        _good(
            grant_type=AUTHORIZATION_CODE, code=Given("code"), redirect_uri=CALLBACK, code_verifier=VERIFIER
        ),
        _good(grant_type=REFRESH_TOKEN, refresh_token=Given("refresh_token"), scope="openid"),
        _good(grant_type=DEVICE_CODE, device_code=Given("device_code"), client_id="cli"),
        _good(grant_type=PASSWORD, username="u", password="p", scope="openid offline_access"),
        _good(grant_type=CLIENT_CREDENTIALS, scope="openid profile"),
        _good(grant_type=CLIENT_CREDENTIALS, scope="openid") + _ASSERTED,
        _good(
            grant_type=TOKEN_EXCHANGE,
            connector_id="mock",
            subject_token=Given("id_token"),
            subject_token_type="urn:ietf:params:oauth:token-type:id_token",
        ),
    ],
    "/token/introspect": [
        _good(token=Given("access_token")),
        _good(token=Given("refresh_token")) + _ASSERTED,
    ],
    "/token/revoke": [_good(token=Given("access_token")), _good(token=Given("refresh_token"))],
    "/userinfo": [_good(access_token=Given("access_token"))],
    "/device": [_good(user_code=Given("user_code"))],
    "/device/code": [_good(client_id="cli", scope="openid offline_access")],
    "/device/auth/verify_code": [_good(user_code=Given("user_code"), hmac=Given("hmac"))],
    "/device/callback": [_good(state=Given("user_code"), code=Given("code"))],
}


@st.composite
def changed(draw: st.DrawFn, params: Sequence[Param], changes: Sequence[int]) -> tuple[Param, ...]:
    """The parameters with one of these numbers of changes."""
    result = list(params)
    for _ in range(draw(st.sampled_from(changes))):
        added = draw(PARAMS)
        at = draw(st.integers(0, len(result)))
        if at == len(result):
            result.append(draw(st.sampled_from([added, *result])))
        else:
            result[at] = attrs.evolve(added, name=draw(st.sampled_from([added.name, *[result[at].name] * 2])))
    return tuple(result)


# -- requests

_FORM = b"application/x-www-form-urlencoded"
_TYPES = [
    *([_FORM] * 8),
    _FORM + b"; charset=latin-1",
    b"application/json",
    b"multipart/form-data; boundary=x",
    b"text/plain",
    b"\xff",
    b"",
]
_FIELDS = [
    (b"Origin", b"https://app.example"),
    (b"Origin", b"null"),
    (b"Access-Control-Request-Method", b"POST"),
    (b"Access-Control-Request-Headers", b"authorization, x\xff"),
    (b"X-Forwarded-Host", b"evil.example"),
    (b"X-Forwarded-For", b"::1%x, 1.2.3"),
    (b"Forwarded", b"host=evil.example;proto=gopher"),
    (b"X-Remote-User", b"root"),
    (b"If-Modified-Since", b"Sat, 99 Foo 0000 99:99:99 GMT"),
    (b"If-None-Match", b'"x", W/\xff'),
    (b"Range", b"bytes=-1-5"),
    (b"Accept-Encoding", b"gzip;q=x"),
    (b"Authorization", b"Digest x"),
    (b"Cookie", b"dex_login=x"),
]
_CREDENTIALS = st.one_of(
    st.just((b"Basic ", (b"app", SECRET.encode()))),
    st.just((b"Basic ", (b"cli", b""))),
    st.tuples(st.sampled_from([b"Basic ", b"basic  "]), st.tuples(VALUES, VALUES)),
    st.tuples(st.sampled_from([b"Bearer ", b"bearer  ", b"Bearer"]), GIVENS),
    st.tuples(st.sampled_from([b"Basic", b"Basic ", b"Bearer x ", b"Negotiate ", b""]), VALUES),
)
_TARGET = re.compile(rb"[^!\"$-~]")
_FIELD = re.compile(rb"[^\t -~\x80-\xff]")


@attrs.frozen(kw_only=True)
class Ask:
    """One request, well-formed as HTTP whatever is in it."""

    method: bytes
    #: percent-encoded, below the origin.
    path: bytes
    query: tuple[Param, ...] = ()
    body: tuple[Param, ...] | bytes = ()
    content_type: bytes = _FORM
    credentials: tuple[bytes, Value | tuple[Value, Value]] | None = None
    #: which of the browsers' cookies; None: no cookie.
    cookie: Value | None = None
    fields: tuple[tuple[bytes, bytes], ...] = ()
    host: bytes = b"x"
    chunked: bool = False

    def sent(self, known: Known) -> bytes:
        """The bytes of it."""
        query = joined(self.query, known)
        target = self.path + (b"?" + query if query else b"")
        body = self.body if isinstance(self.body, bytes) else joined(self.body, known)
        fields = [(b"Host", self.host), (b"Connection", b"close"), *self.fields]
        if self.cookie is not None:
            fields.append((b"Cookie", b"dex_login=" + as_bytes(self.cookie, known)))
        if self.credentials is not None:
            fields.append((b"Authorization", self._authorization(*self.credentials, known)))
        if body:
            fields.append((b"Content-Type", self.content_type))
            fields.append(
                (b"Transfer-Encoding", b"chunked") if self.chunked else (b"Content-Length", b"%d" % len(body))
            )
        if body and self.chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        lines = [b"%b %b HTTP/1.1" % (self.method, _TARGET.sub(_escaped, target))]
        lines += [b"%b: %b" % (name, _FIELD.sub(b"?", value)) for name, value in fields]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    @staticmethod
    def _authorization(scheme: bytes, given: Value | tuple[Value, Value], known: Known) -> bytes:
        if isinstance(given, tuple):
            pair = b":".join(quote_from_bytes(as_bytes(each, known)).encode() for each in given)
            return scheme + base64.b64encode(pair)
        return scheme + as_bytes(given, known)


def _escaped(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


METHODS = st.sampled_from(
    [b"GET"] * 5 + [b"POST"] * 5 + [b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"get"]
)
_SEGMENTS = [
    b"mock",
    b"pw",
    b"local",
    b"absent",
    b"%2F",
    b"%00",
    b"%FF",
    b"mock%2Flogin",
    b"%3Czq%3E",
    b"a" * 999,
]
_AFTER = [*([b""] * 12), b"/", b"//", b"/..", b"%20", b";x=y", b"/%2e%2e/token", b"/%ff", b"/favicon.png"]


def _path(pattern: str, segment: bytes) -> bytes:
    path = "/dex" + pattern if pattern != "/" else "/dex"
    return re.sub(rb"\{[a-z_]+\}", lambda _: segment, path.encode())


@st.composite
def near(draw: st.DrawFn, routes: Mapping[str, Sequence[str]]) -> Ask:
    """Requests that are good, or would be but for a change or two. `routes` are patterns with methods."""
    pattern = draw(st.sampled_from([*routes, *GOOD]))
    methods = routes[pattern]
    method = draw(st.sampled_from(["POST"] * 4 * ("POST" in methods) + [*methods]))
    params = draw(changed(draw(st.sampled_from(GOOD.get(pattern, [()]))), (0, 0, 1, 1, 2)))
    # Where both can hold parameters, those of the address stay in it.
    split = sum(param.name in (b"req", b"hmac", b"state", b"back") for param in params)
    params = tuple(sorted(params, key=lambda param: param.name not in (b"req", b"hmac", b"state", b"back")))
    if method != "POST":
        split = len(params)
    given: tuple[bytes, Value | tuple[Value, Value]] = (b"Basic ", (b"app", SECRET.encode()))
    if pattern == "/userinfo":
        given = (b"Bearer ", Given("access_token"))
    return Ask(
        method=method.encode(),
        path=_path(pattern, draw(st.sampled_from(_SEGMENTS[:2]))),
        query=params[:split],
        body=params[split:],
        credentials=draw(st.sampled_from([given, given, None])),
        cookie=Given("cookie"),
    )


@st.composite
def far(draw: st.DrawFn, patterns: Sequence[str]) -> Ask:
    """Requests with little that is good in them."""
    pattern = draw(st.sampled_from(patterns))
    params = draw(changed(draw(st.sampled_from([(), *GOOD.get(pattern, ())])), range(5)))
    split = draw(st.integers(0, len(params)))
    junk = st.one_of(st.binary(max_size=60), st.sampled_from([b"{}", b"[", b"x" * 70_000, b"&" * 2000]))
    return Ask(
        method=draw(METHODS),
        path=_path(pattern, draw(st.sampled_from(_SEGMENTS))) + draw(st.sampled_from(_AFTER)),
        query=params[:split],
        body=draw(st.one_of(st.just(params[split:]), st.just(params[split:]), junk)),
        content_type=draw(st.sampled_from(_TYPES)),
        credentials=draw(st.one_of(st.none(), _CREDENTIALS)),
        cookie=draw(st.one_of(st.just(Given("cookie")), st.none(), GIVENS, st.sampled_from(HOSTILE))),
        fields=tuple(draw(st.lists(st.sampled_from(_FIELDS), max_size=2))),
        host=draw(st.sampled_from([b"x", b"evil.example", b"[::1", b"::", b"a:b:c", b"%ff", b""])),
        chunked=draw(st.booleans()),
    )
