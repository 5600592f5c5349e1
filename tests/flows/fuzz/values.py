"""Values of parameters: what the daemon gave out, spoiled or not, what means something, and what does not.

A strategy cannot know a code or a token that the daemon will make. It draws a `Given`, which says what is
wanted and how it is spoiled, and becomes bytes when the request is sent; so examples can be shrunk.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence

import attrs
from hypothesis import strategies as st

from dextwist.oauth.client_assertion import JWT_BEARER
from dextwist.oauth.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from dextwist.oauth.response_types import RESPONSE_TYPES

CALLBACK = "http://client.example/callback"
#: As long as HS256 wants it.
SECRET = "the-secret-of-the-client-is-this-long"
#: Markup that must not come back as such.
MARKUP = "zq\"'><zq>"
#: RFC 7636 appendix B
VERIFIER, CHALLENGE = (
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
)

#: What the daemon, or its configuration, has given out, by what it is called; the latest is last.
Known = Mapping[str, Sequence[str]]


def _jwt(text: str, change: Callable[[dict[str, object], dict[str, object]], None]) -> str:
    """A JWT with another header or other claims, and the signature that it had."""
    try:
        head, claims, signature = text.split(".")
        read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims)]
    except ValueError:
        return text
    change(*read)
    return ".".join([*(_base64url(json.dumps(part).encode()) for part in read), signature])


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


EDITS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "without its end": lambda text: text[:-1],
    "without its beginning": lambda text: text[1:],
    "a character changed": lambda text: text[:-3] + ("B" if text[-3:-2] == "A" else "A") + text[-2:],
    "padded": lambda text: text + "=",
    "with a NUL": lambda text: text + "\0",
    "with a line break": lambda text: text + "\r\nX-Split: yes",
    "in blanks": lambda text: f" {text}\t",
    "in capitals": str.upper,
    "twice": lambda text: text + text,
    "with a dot": lambda text: text + ".",
    "with markup": lambda text: text + MARKUP,
    "with another alg": lambda text: _jwt(text, lambda head, _: head.update(alg="none")),
    "with a key of its own": lambda text: _jwt(
        text, lambda head, _: head.update(jwk={"kty": "oct", "k": "AA"})
    ),
    "with a kid that is no text": lambda text: _jwt(text, lambda head, _: head.update(kid=[1])),
    "with another sub": lambda text: _jwt(text, lambda _, claims: claims.update(sub={"a": 1})),
    "with an endless exp": lambda text: _jwt(text, lambda _, claims: claims.update(exp=10**30)),
    "with no claims": lambda text: _jwt(text, lambda _, claims: claims.clear()),
    "without its signature": lambda text: text.rpartition(".")[0] + ".",
}


@attrs.frozen
class Given:
    """Something that the daemon gave out, perhaps spoiled."""

    name: str
    #: counted from the latest.
    which: int = 0
    edit: str = "as it is"

    def text(self, known: Known) -> str:
        found = known.get(self.name) or [""]
        return EDITS[self.edit](found[-1 - self.which % len(found)])


@attrs.frozen
class Assertion:
    """A client's JWT with a good signature and these claims (RFC 7523 §3)."""

    claims: Mapping[str, object]
    header: Mapping[str, object]

    def text(self, known: Known) -> str:
        issuer = known["issuer"][0]
        claims = {"iss": "app", "sub": "app", "aud": issuer, "jti": "1", "exp": int(known["now"][-1]) + 60}
        parts = [json.dumps(part).encode() for part in (self.header, {**claims, **self.claims})]
        signed = ".".join(_base64url(part) for part in parts)
        signature = hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256)
        return f"{signed}.{_base64url(signature)}"


Value = bytes | Given | Assertion


def as_bytes(value: Value, known: Known) -> bytes:
    """What is sent for a value."""
    if isinstance(value, bytes):
        return value
    return value.text(known).encode("utf-8", "surrogatepass")


def _texts(*texts: str) -> list[bytes]:
    return [text.encode("utf-8", "surrogatepass") for text in texts]


HOSTILE = [
    *_texts(
        "", " ", "\0", "a\0b", "\ud800", "\uff41dmin", "admin\u202e", "\u2028", "🦊" * 30, "%", "%zz", "%00"
    ),
    *_texts("١٢٣", "²", "1e9", "+5", "-1", "9" * 5000, "1" * 30, "0x10", "1_000", "NaN", "true", "null"),
    *_texts(MARKUP, "javascript:alert(1)", "//evil.example", "/\\evil.example", "https://evil.example/"),
    *_texts("http://[::1", "http://[", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://\udcff/"),
    *_texts("http://127.0.0.1:7/cb", "urn:ietf:wg:oauth:2.0:oob", "/device/callback", "/dex/device/callback"),
    *_texts(
        "a\r\nX-Split: yes", "\x1b[2J", "..", "../../etc/passwd", "{}", "[" * 500, "a.b.c", "..", "=" * 50
    ),
    *_texts("a" * 3000, "a " * 700, "CgNmb28", "Cg", "{{7*7}}", "${jndi:x}", "' OR 1=1 --", "*)(uid=*"),
    b"\xff\xfe",
    b"\xc0\x80",
]
#: Values that mean something somewhere.
MEANT = [
    *_texts(*RESPONSE_TYPES, "query", "fragment", "form_post", "S256", "plain", VERIFIER, CHALLENGE),
    *_texts("none", "login", "consent", "select_account", "none login", "force", "approve", "rejected", "0"),
    *_texts("openid", "openid profile email groups offline_access", "openid federated:id", "offline_access"),
    *_texts(
        "openid audience:server:client_id:other", "openid audience:server:client_id:", "mock", "pw", "local"
    ),
    *_texts(AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, PASSWORD, REFRESH_TOKEN, TOKEN_EXCHANGE),
    *_texts("u", "p", "jane@example.com", "password", JWT_BEARER, "access_token", "refresh_token"),
    *_texts("urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:id_token"),
]
GIVEN = (
    *("access_token", "id_token", "refresh_token", "code", "device_code", "user_code"),
    *("req", "hmac", "state", "cookie", "issuer", "client_id", "client_secret", "redirect_uri"),
)
_ODD_CLAIMS: st.SearchStrategy[Mapping[str, object]] = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
    st.sampled_from(["", "app", "\0", 0, -1, 1.5, 1e300, 10**30, True, None, [], ["x"], {}, "9" * 5000]),
    max_size=2,
)
GOOD_HEADER: Mapping[str, object] = {"alg": "HS256"}
_ODD_HEADERS: st.SearchStrategy[Mapping[str, object]] = st.sampled_from(
    [
        *([GOOD_HEADER] * 5),
        *({"alg": alg} for alg in ("none", "RS256", 5, None)),
        {**GOOD_HEADER, "kid": {}},
        {**GOOD_HEADER, "crit": [1]},
        {**GOOD_HEADER, "jwk": {"kty": "oct"}},
    ]
)
GIVENS = st.builds(
    Given, st.sampled_from(GIVEN), st.integers(0, 5), st.sampled_from(["as it is"] * 8 + sorted(EDITS))
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    GIVENS,
    st.sampled_from(MEANT),
    st.sampled_from(HOSTILE),
    st.builds(Assertion, _ODD_CLAIMS, _ODD_HEADERS),
    st.text(max_size=40).map(lambda text: text.encode()),
    st.binary(max_size=20),
)
