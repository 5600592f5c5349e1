"""Turning what endpoints raise into answers: pages for people, JSON for clients."""

from __future__ import annotations

from typing import ClassVar, Protocol

import attrs
from twisted.logger import Logger

from dextwist.login.refusals import RefusedAtClient, RefusedWithPage
from dextwist.login.responding import AuthorizationResponse, Responder, ShownCode
from dextwist.oauth.errors import OAuthError, unavailable
from dextwist.oauth.parameters import MalformedForm
from dextwist.oauth.redirect_uris import with_fragment, with_query
from dextwist.oauth.response_types import ResponseMode
from dextwist.signing.interface import SigningError
from dextwist.storage.interface import StorageError
from dextwist.web.http import NO_STORE, Endpoint, Headers, Request, Response, json_response, redirect
from dextwist.web.pages import Pages

_UNAVAILABLE = "The server cannot do this now."
_RETRY_AFTER = 5


class Guard(Protocol):
    """Answers a request with an endpoint, whatever the endpoint raises."""

    async def answer(self, endpoint: Endpoint, request: Request) -> Response: ...

    def method_not_allowed(self, request: Request, allowed: str) -> Response: ...


@attrs.frozen(kw_only=True)
class PageGuard:
    """For endpoints that a person's browser visits."""

    log: ClassVar[Logger] = Logger()

    pages: Pages
    responder: Responder

    async def answer(self, endpoint: Endpoint, request: Request) -> Response:
        """The endpoint's answer, or a page that says why there is none."""
        try:
            return await endpoint(request)
        except RefusedWithPage as refused:
            page = self.pages.error(request, refused.status, refused.message)
            if refused.retry_after is not None:
                page = page.adding(("Retry-After", str(refused.retry_after)))
            return page
        except RefusedAtClient as refused:
            return self.at_client(request, self.responder.refusal(refused.error, refused.target))
        except MalformedForm as malformed:
            return self.pages.error(request, 400, f"The request cannot be read: {malformed}.")
        except OAuthError as error:
            return self.pages.error(request, error.status, f"The request cannot be granted ({error}).")
        except (StorageError, SigningError) as error:
            self.log.error("request failed: {err}", err=str(error))
            page = self.pages.error(request, 503, _UNAVAILABLE)
            return page.adding(("Retry-After", str(_RETRY_AFTER)))
        except Exception:
            self.log.failure("request failed")
            return self.pages.error(request, 500, "The server made a mistake.")

    def at_client(self, request: Request, response: AuthorizationResponse | ShownCode) -> Response:
        """An authorization response, on its way through the browser."""
        if isinstance(response, ShownCode):
            return self.pages.oob(request, code=response.code)
        target, params = response.target, response.params
        if target.mode is ResponseMode.FORM_POST:
            return self.pages.form_post(request, action=target.redirect_uri, fields=params)
        with_params = with_fragment if target.mode is ResponseMode.FRAGMENT else with_query
        return redirect(303, with_params(target.redirect_uri, params))

    def method_not_allowed(self, request: Request, allowed: str) -> Response:
        """The page for a method that the address does not have."""
        page = self.pages.error(request, 405, "This address cannot be used in this way.")
        return page.adding(("Allow", allowed))


@attrs.frozen
class JSONGuard:
    """For endpoints that programs talk to."""

    log: ClassVar[Logger] = Logger()

    async def answer(self, endpoint: Endpoint, request: Request) -> Response:
        """The endpoint's answer, or an OAuth error (RFC 6749 §5.2)."""
        try:
            return await endpoint(request)
        except OAuthError as error:
            return oauth_error_response(error)
        except MalformedForm as malformed:
            return oauth_error_response(OAuthError("invalid_request", malformed.reason))
        except (StorageError, SigningError) as error:
            self.log.error("request failed: {err}", err=str(error))
            return oauth_error_response(unavailable())
        except Exception:
            self.log.failure("request failed")
            return oauth_error_response(OAuthError("server_error", status=500))

    def method_not_allowed(self, request: Request, allowed: str) -> Response:
        """The error for a method that the endpoint does not have."""
        error = OAuthError("invalid_request", f"the method must be one of {allowed}", status=405)
        return oauth_error_response(error).adding(("Allow", allowed))


def oauth_error_response(error: OAuthError) -> Response:
    """The JSON of an error. A client that failed to authenticate is told how it can (RFC 9110 §15.5.2)."""
    headers: Headers = NO_STORE
    if error.error == "invalid_client":
        headers = (*headers, ("WWW-Authenticate", 'Basic realm="token endpoint"'))
    if error.retry_after is not None:
        headers = (*headers, ("Retry-After", str(error.retry_after)))
    content = {"error": error.error}
    if error.description:
        content["error_description"] = error.description
    return json_response(error.status, content, headers)
