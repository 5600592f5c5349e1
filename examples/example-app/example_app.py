"""A relying party to try dextwist with: logs in, shows what the tokens say, refreshes, asks for userinfo.

It checks what an application has to check: state, nonce, PKCE, and the ID token's signature, issuer,
audience and times. Start it beside the daemon and open http://127.0.0.1:5555/.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import json
import secrets
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import attrs
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT
from klein import Klein
from treq.client import HTTPClient
from twisted.internet import defer, endpoints, reactor
from twisted.internet.error import ConnectError
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.server import Request, Site

COOKIE = b"example_app"
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Example App</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }}
  pre {{ background: #f3f4f6; padding: 1rem; overflow-x: auto }}
  form {{ display: inline }}
  button {{ font: inherit; padding: .4rem 1rem; cursor: pointer }}
  .problem {{ border-left: .3rem solid #b91c1c; padding-left: 1rem }}
</style>
<h1>Example App</h1>
{body}
"""
BACK = '<p><a href="/">Back</a></p>'


@attrs.frozen(eq=False)
class LoginFailed(Exception):
    """Something that the person at the browser is told."""

    reason: str


@attrs.define(kw_only=True)
class Session:
    """One browser: the secrets of a login under way, then what it brought."""

    state: str = attrs.field(factory=lambda: secrets.token_urlsafe(24))
    nonce: str = attrs.field(factory=lambda: secrets.token_urlsafe(24))
    code_verifier: str = attrs.field(factory=lambda: secrets.token_urlsafe(48))
    tokens: dict[str, Any] = attrs.field(factory=dict)
    claims: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Provider:
    """The OpenID provider, and who we are to it."""

    http: HTTPClient
    issuer: str
    client_id: str
    client_secret: str = attrs.field(repr=False)
    redirect_uri: str

    async def login_url(self, session: Session) -> str:
        """Where to send the browser (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3)."""
        digest = hashlib.sha256(session.code_verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email groups offline_access",
            "state": session.state,
            "nonce": session.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{await self._endpoint('authorization_endpoint')}?{urlencode(query)}"

    async def tokens(self, **form: str) -> dict[str, Any]:
        """The token response (OpenID Connect Core §3.1.3)."""
        url = await self._endpoint("token_endpoint")
        answer = await self._json("POST", url, data=form, auth=(self.client_id, self.client_secret))
        if "error" in answer:
            raise LoginFailed(f"{answer['error']}: {answer.get('error_description', '')}")
        return answer

    async def verified_claims(self, id_token: str, **wanted: str) -> dict[str, Any]:
        """What an ID token says that can be trusted (OpenID Connect Core §3.1.3.7)."""
        keys = JWKSet.from_json(json.dumps(await self._json("GET", await self._endpoint("jwks_uri"))))
        checks = {"iss": self.issuer, "aud": self.client_id, "exp": None, "sub": None, **wanted}
        try:
            token = JWT(check_claims=checks, algs=["RS256", "ES256"], expected_type="JWS")
            token.deserialize(id_token, keys)
        except (JWException, ValueError, TypeError) as error:
            raise LoginFailed(f"the ID token is not to be trusted: {error}") from error
        claims: dict[str, Any] = json.loads(token.claims)
        return claims

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        """What the provider says about the person now (OpenID Connect Core §5.3)."""
        headers: Any = {"authorization": f"Bearer {access_token}"}
        return await self._json("GET", await self._endpoint("userinfo_endpoint"), headers=headers)

    async def _endpoint(self, name: str) -> str:
        document = await self._json("GET", f"{self.issuer}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise LoginFailed(f"the provider calls itself {document.get('issuer')!r}, not {self.issuer!r}")
        return str(document[name])

    async def _json(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            response = await self.http.request(method, url, allow_redirects=False, timeout=10, **options)
            answer = json.loads(await response.content())
        except (ConnectError, defer.TimeoutError) as error:
            raise LoginFailed(f"{url} cannot be reached: is the provider running?") from error
        except ValueError as error:
            raise LoginFailed(f"{url} answers {response.code}, and not with JSON") from error
        return dict(answer)


@attrs.frozen(kw_only=True)
class ExampleApp:
    """The pages."""

    app: ClassVar[Klein] = Klein()

    provider: Provider
    sessions: dict[bytes, Session] = attrs.field(factory=dict)

    def session(self, request: Request) -> Session:
        """The browser's session; whoever has none is told to log in."""
        session = self.sessions.get(request.getCookie(COOKIE) or b"")
        if session is None:
            raise LoginFailed("this browser is not logged in here")
        return session

    @app.handle_errors(LoginFailed)  # type: ignore[arg-type]  # Klein wants the first argument untyped
    def failed(self, request: Request, failure: Failure) -> str:
        assert isinstance(failure.value, LoginFailed)
        request.setResponseCode(400)
        return PAGE.format(body=f'<p class="problem">{html.escape(failure.value.reason)}</p>{BACK}')

    @app.route("/", methods=["GET"])
    def home(self, request: Request) -> str:
        session = self.sessions.get(request.getCookie(COOKIE) or b"")
        if session is None or not session.claims:
            return PAGE.format(body="<p>You are not logged in.</p>" + button("/login", "Log in"))
        buttons = [("/refresh", "Refresh"), ("/userinfo", "Userinfo"), ("/forget", "Forget me")]
        actions = "".join(button(*each) for each in buttons)
        return PAGE.format(body=f"<p>The ID token says:</p>{shown(session.claims)}{actions}")

    @app.route("/login", methods=["POST"])
    async def login(self, request: Request) -> None:
        session = Session()
        url = await self.provider.login_url(session)
        name = secrets.token_urlsafe(24).encode()
        self.sessions[name] = session
        request.addCookie(COOKIE, name, path=b"/", httpOnly=True, sameSite=b"lax")
        request.redirect(url.encode())

    @app.route("/callback", methods=["GET"])
    async def callback(self, request: Request) -> None:
        session = self.session(request)
        if not secrets.compare_digest(parameter(request, "state").encode(), session.state.encode()):
            raise LoginFailed("this is not the answer to the login that began in this browser")
        if error := parameter(request, "error"):
            raise LoginFailed(f"{error}: {parameter(request, 'error_description')}")
        tokens = await self.provider.tokens(
            grant_type="authorization_code",
            code=parameter(request, "code"),
            redirect_uri=self.provider.redirect_uri,
            code_verifier=session.code_verifier,
        )
        session.claims = await self.provider.verified_claims(tokens["id_token"], nonce=session.nonce)
        session.tokens = tokens
        request.redirect(b"/")

    @app.route("/refresh", methods=["POST"])
    async def refresh(self, request: Request) -> None:
        session = self.session(request)
        tokens = await self.provider.tokens(
            grant_type="refresh_token", refresh_token=session.tokens.get("refresh_token", "")
        )
        session.claims = await self.provider.verified_claims(tokens["id_token"], sub=session.claims["sub"])
        # A provider may leave out the refresh token where it stays the same.
        session.tokens |= tokens
        request.redirect(b"/")

    @app.route("/userinfo", methods=["POST"])
    async def userinfo(self, request: Request) -> str:
        answer = await self.provider.userinfo(self.session(request).tokens.get("access_token", ""))
        return PAGE.format(body=f"<p>The userinfo endpoint says:</p>{shown(answer)}{BACK}")

    @app.route("/forget", methods=["POST"])
    def forget(self, request: Request) -> None:
        self.sessions.pop(request.getCookie(COOKIE) or b"", None)
        request.redirect(b"/")


def parameter(request: Request, name: str) -> str:
    """A query parameter; empty where it is absent."""
    return str(request.args.get(name.encode(), [b""])[0].decode("utf-8", "replace"))


def button(action: str, label: str) -> str:
    return f'<form method="post" action="{action}"><button>{label}</button></form> '


def shown(claims: dict[str, Any]) -> str:
    return f"<pre>{html.escape(json.dumps(claims, indent=2, ensure_ascii=False))}</pre>"


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--issuer", default="http://127.0.0.1:5556/dex", help="default: %(default)s")
    parser.add_argument("--client-id", default="example-app", help="default: %(default)s")
    parser.add_argument("--client-secret", default="example-app-secret", help="default: %(default)s")
    parser.add_argument("--url", default="http://127.0.0.1:5555", help="its own address: %(default)s")
    options = parser.parse_args()
    own = urlsplit(options.url)
    provider = Provider(
        http=HTTPClient(Agent(reactor, connectTimeout=5)),
        issuer=options.issuer,
        client_id=options.client_id,
        client_secret=options.client_secret,
        redirect_uri=f"{options.url}/callback",
    )
    endpoint = endpoints.TCP4ServerEndpoint(reactor, own.port or 80, interface=own.hostname or "")
    listening = endpoint.listen(Site(ExampleApp(provider=provider).app.resource()))
    listening.addCallbacks(
        lambda _: print(f"Example App: open {options.url}/", flush=True),
        lambda failure: parser.exit(1, f"{failure.getErrorMessage()}\n"),
    )
    reactor.run()


if __name__ == "__main__":
    main()
