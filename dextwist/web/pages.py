"""Every page that a person sees, one method each.

The names of a template's data are dex's, and written here alone: endpoints call a method with typed
arguments. `docs/theming.md` lists them for those who write templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar, Literal

import attrs
from twisted.logger import Logger

from dextwist.model.auth_session import AuthSession
from dextwist.model.claims import Claims
from dextwist.model.ids import new_long_id
from dextwist.model.times import EPOCH
from dextwist.web.assets import Frontend
from dextwist.web.http import Request, Response
from dextwist.web.page_headers import overriding, page_headers, policy_source
from dextwist.web.templates import Templates
from dextwist.web.wording import SCOPE_DESCRIPTIONS, advice, iso_time, text_time, too_many_attempts

Field = tuple[str, str]


@attrs.frozen(kw_only=True)
class ConnectorChoice:
    """A connector that can be chosen, and the link that chooses it."""

    id: str
    type: str
    name: str
    url: str


@attrs.frozen(kw_only=True)
class SignedIn:
    """Whom the browser's session belongs to."""

    session: AuthSession
    claims: Claims
    connector_name: str


_NOBODY = SignedIn(
    session=AuthSession(id="", secret="", user_id="", connector_id=""), claims=Claims(), connector_name=""
)


@attrs.frozen(kw_only=True)
class Pages:
    """Renders the pages of one issuer.

    `form_targets` of a page with a form: addresses to which the answer to that form may send the browser, or
    a scheme (`https:`) where the address is not known yet. Chromium holds the whole chain of redirects that
    follows a form against `form-action`, and where the client goes on to is its own affair: many send the
    browser on to another host at once. So the scheme is allowed besides the origin.

    `retry_after` of a form: the guess was not even looked at, and may be repeated after so many seconds.
    """

    log: ClassVar[Logger] = Logger()

    frontend: Frontend
    #: the path of the issuer: `/dex`, or empty.
    issuer_path: str
    issuer_name: str = "dex"
    logo_url: str = "theme/logo.png"
    #: the operator's own texts for templates.
    extra: Mapping[str, str] = attrs.field(factory=dict)
    #: whether the issuer is https.
    https: bool = False
    #: `web.headers`: they replace ours of the same name.
    headers: Mapping[str, str] = attrs.field(factory=dict)
    new_nonce: Callable[[], str] = new_long_id
    _templates: Templates = attrs.field(init=False, repr=False)
    _icons: frozenset[str] = attrs.field(init=False, repr=False)

    @_templates.default
    def _open_templates(self) -> Templates:
        return Templates(
            frontend=self.frontend,
            issuer_path=self.issuer_path,
            issuer_name=self.issuer_name,
            logo_url=self.logo_url,
            extra=self.extra,
        )

    @_icons.default
    def _find_icons(self) -> frozenset[str]:
        return frozenset(
            f"static/img/{path.name}" for path in (self.frontend.static / "img").glob("*-icon.svg")
        )

    def render(self, template: str, *, request_path: str, data: Mapping[str, object]) -> str:
        """The text of a page. Raises what the template raises."""
        return self._templates.render(template, request_path=request_path, data=data)

    def login(self, request: Request, *, connectors: Iterable[ConnectorChoice]) -> Response:
        """The choice of a connector."""
        choices = [
            {"ID": c.id, "Name": c.name, "URL": c.url, "Type": c.type, "Icon": self._icon(c.type)}
            for c in sorted(connectors, key=lambda connector: connector.name.lower())
        ]
        return self._page(request, "login.html", {"Connectors": choices})

    def _icon(self, connector_type: str) -> str:
        """The file of the icon, or empty where the frontend has none, not even the common one."""
        candidates = (f"static/img/{kind}-icon.svg" for kind in (connector_type, "default"))
        return next((icon for icon in candidates if icon in self._icons), "")

    def password(
        self,
        request: Request,
        *,
        post_url: str,
        prompt: str = "",
        username: str = "",
        back_link: str = "",
        connector_name: str = "",
        show_remember_me: bool = False,
        remember_me_checked: bool = False,
        invalid: bool = False,
        retry_after: int = 0,
        form_targets: Sequence[str] = (),
    ) -> Response:
        """The form for user name and password; 401 after a wrong one, 429 after too many."""
        data = {
            "PostURL": post_url,
            "BackLink": back_link,
            "Username": username,
            "UsernamePrompt": prompt or "Username",
            "ConnectorName": connector_name,
            "ShowRememberMe": show_remember_me,
            "RememberMeChecked": remember_me_checked,
        }
        return self._page(
            request,
            "password.html",
            {**data, **_told(invalid, retry_after)},
            status=401 if invalid else 200,
            retry_after=retry_after,
            form_targets=form_targets,
        )

    def totp(
        self,
        request: Request,
        *,
        post_url: str,
        issuer: str,
        connector_id: str,
        qr_code: str = "",
        setup_key: str = "",
        invalid: bool = False,
        retry_after: int = 0,
        form_targets: Sequence[str] = (),
    ) -> Response:
        """The form for a one-time code. While the secret is new, its QR code (base64 PNG) and its text."""
        data = {
            "PostURL": post_url,
            "Issuer": issuer,
            "Connector": connector_id,
            "QRCode": qr_code,
            "SetupKey": setup_key,
        }
        return self._page(
            request,
            "totp_verify.html",
            {**data, **_told(invalid, retry_after)},
            status=401 if invalid else 200,
            retry_after=retry_after,
            # The QR code is part of the page: no address of ours answers with a secret.
            images=("data:",) if qr_code else (),
            form_targets=form_targets,
        )

    def device(
        self,
        request: Request,
        *,
        post_url: str,
        user_code: str = "",
        invalid: bool = False,
        retry_after: int = 0,
        form_targets: Sequence[str] = (),
    ) -> Response:
        """The form for the code that a device shows; 400 after a wrong one."""
        return self._page(
            request,
            "device.html",
            {"PostURL": post_url, "UserCode": user_code, **_told(invalid, retry_after)},
            status=400 if invalid else 200,
            retry_after=retry_after,
            form_targets=form_targets,
        )

    def device_success(self, request: Request, *, client_name: str) -> Response:
        """The device is connected."""
        return self._page(request, "device_success.html", {"ClientName": client_name})

    def webauthn(
        self, request: Request, *, mode: Literal["register", "login"], authenticator_id: str
    ) -> Response:
        """The security key's page. Its script needs `req`, `hmac` and `authenticator` in the page's query."""
        data = {"Mode": mode, "AuthenticatorID": authenticator_id}
        return self._page(request, "webauthn_verify.html", data, webauthn=True)

    def approval(
        self,
        request: Request,
        *,
        user: str,
        client: str,
        auth_request_id: str,
        scopes: Iterable[str],
        audiences: Sequence[str] = (),
        user_code: str = "",
        form_targets: Sequence[str] = (),
    ) -> Response:
        """The question for consent. `audiences`: the names of the other clients that the tokens are for.

        `user_code` is what the device shows that would be signed in.
        """
        data = {
            "User": user,
            "Client": client,
            "AuthReqID": auth_request_id,
            "Scopes": sorted({SCOPE_DESCRIPTIONS[scope] for scope in scopes if scope in SCOPE_DESCRIPTIONS}),
            "Audiences": audiences,
            "UserCode": user_code,
        }
        return self._page(request, "approval.html", data, form_targets=form_targets)

    def oob(self, request: Request, *, code: str) -> Response:
        """The authorization code, for the person to carry it over."""
        return self._page(request, "oob.html", {"Code": code})

    def home(
        self,
        request: Request,
        *,
        discovery_url: str,
        logout_url: str = "",
        signed_in: SignedIn | None = None,
    ) -> Response:
        """The front door. Without a logout address there are no sessions, and nothing is said about them."""
        who = signed_in or _NOBODY
        expires_at, is_idle = _session_expiry(who.session)
        data = {
            "DiscoveryURL": discovery_url,
            "SessionsEnabled": bool(logout_url),
            "LogoutURL": logout_url if signed_in else "",
            "LoggedIn": signed_in is not None,
            "Username": who.claims.preferred_username or who.claims.username,
            "Email": who.claims.email,
            "EmailVerified": who.claims.email_verified,
            "Groups": who.claims.groups,
            "ConnectorName": who.connector_name,
            "SignedInISO": iso_time(who.session.created_at),
            "SignedInText": text_time(who.session.created_at),
            "SessionExpiresISO": iso_time(expires_at),
            "SessionExpiresText": text_time(expires_at),
            "SessionExpiryIsIdle": is_idle,
            "IPAddress": who.session.ip_address,
            "UserAgent": who.session.user_agent,
        }
        return self._page(request, "home.html", data)

    def logout(
        self,
        request: Request,
        *,
        outcome: Literal["confirm", "logged out", "no session"],
        fields: Iterable[Field] = (),
        form_targets: Sequence[str] = (),
    ) -> Response:
        """The question whether to sign out, whose form carries the fields; or that it is done."""
        data = {
            "BackURL": "",
            "LoggedOut": outcome == "logged out",
            "ShowConfirmation": outcome == "confirm",
            "Fields": _named(fields),
        }
        return self._page(request, "logout.html", data, form_targets=form_targets)

    def form_post(self, request: Request, *, action: str, fields: Iterable[Field]) -> Response:
        """A form that posts itself to another site, with a button where scripts are off.

        For SAML (HTTP POST binding) and for `response_mode=form_post`. The one page with an inline script.
        """
        nonce = self.new_nonce()
        data = {"ActionURL": action, "Fields": _named(fields), "Nonce": nonce}
        return self._page(
            request, "form_post.html", data, scripts=(f"'nonce-{nonce}'",), form_targets=(action,)
        )

    def error(self, request: Request, status: int, message: str) -> Response:
        """What went wrong, as a sentence for the person, and what they can do about it."""
        data = {
            "ErrType": HTTPStatus(status).phrase,
            "ErrMsg": message,
            "Advice": advice(status),
            "RequestID": request.request_id,
        }
        return self._page(request, "error.html", data, status=status)

    def _page(
        self,
        request: Request,
        template: str,
        data: Mapping[str, object],
        *,
        status: int = 200,
        retry_after: int = 0,
        images: Sequence[str] = (),
        scripts: Sequence[str] = (),
        form_targets: Sequence[str] = (),
        webauthn: bool = False,
    ) -> Response:
        headers = page_headers(
            https=self.https,
            images=(*_sources(self.logo_url), *images),
            scripts=scripts,
            form_targets=_onward(_sources(*form_targets)),
            webauthn=webauthn,
        )
        if retry_after:
            status, headers = 429, (*headers, ("Retry-After", str(retry_after)))
        kind = "text/html"
        try:
            text = self.render(template, request_path=request.full_path, data=data)
        except Exception:  # an operator's template may raise anything
            self.log.failure("template {template} failed", template=template)
            status, kind, text = 500, "text/plain", "This page cannot be shown.\n"
        headers = (("Content-Type", f"{kind}; charset=utf-8"), *headers)
        return Response(status, overriding(headers, self.headers), text.encode("utf-8", "replace"))


def _sources(*addresses: str) -> tuple[str, ...]:
    """The policy sources of these addresses, each once, in order; nothing for those on our own host."""
    return tuple(dict.fromkeys(filter(None, map(policy_source, addresses))))


def _onward(origins: Sequence[str]) -> tuple[str, ...]:
    """These sources, and whatever has the same scheme."""
    schemes = (f"{origin.partition(':')[0]}:" for origin in origins)
    return tuple(dict.fromkeys((*origins, *schemes)))


def _named(fields: Iterable[Field]) -> list[Mapping[str, str]]:
    return [{"Name": name, "Value": value} for name, value in fields]


def _told(invalid: bool, retry_after: int) -> dict[str, object]:
    """What a form says of the last guess at its secret."""
    return {"Invalid": invalid, "Error": too_many_attempts(retry_after) if retry_after else ""}


def _session_expiry(session: AuthSession) -> tuple[datetime, bool]:
    """The earlier limit that is set, and whether it is the idle one; on a tie it is not."""
    absolute, idle = session.absolute_expires_at, session.idle_expires_at
    is_idle = idle > EPOCH and (absolute <= EPOCH or idle < absolute)
    return (idle if is_idle else absolute), is_idle
