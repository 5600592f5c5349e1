"""OAuth 2.0 as a client of an upstream: the O-rules."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from dextwist.connectors.interface import ConnectorError, IdentityGone, LoginCancelled
from dextwist.connectors.upstream.answer import UpstreamAnswer
from dextwist.connectors.upstream.client import UpstreamClient
from dextwist.connectors.upstream.oauth2 import (
    ClientAuthentication,
    OAuth2Client,
    check_callback,
    required_text,
)
from dextwist.connectors.upstream.tokens import TokenRefused, UpstreamTokens
from tests.connectors.federated import NOW
from tests.upstreams.network import CountedCalls
from tests.upstreams.oauth import FakeOAuth
from tests.upstreams.served import Answer, sent

CALLBACK = "https://rp.test/callback"
TOKEN = "https://upstream.test/token"
AT = datetime.fromtimestamp(NOW, UTC)
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def answer_of(body: Any, status: int = 200, media_type: str = JSON) -> UpstreamAnswer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers=Headers({"Content-Type": [media_type]}), body=text)


class TokensTests(SynchronousTestCase):
    """O7 to O11: what token endpoints answer."""

    def tokens(self, body: Any, **how: Any) -> UpstreamTokens:
        return UpstreamTokens.of(answer_of(body, **how), AT)

    def test_O7_forms_and_json(self) -> None:
        members = {"access_token": "a", "token_type": "bearer", "refresh_token": "r", "expires_in": "60"}
        for tokens in (
            self.tokens(members),
            self.tokens(urlencode(members).encode(), media_type=FORM),
            self.tokens(urlencode(members).encode(), media_type="text/plain; charset=utf-8"),
            self.tokens(members, media_type="text/javascript"),
        ):
            self.assertEqual((tokens.access_token, tokens.refresh_token), ("a", "r"))
            self.assertEqual(tokens.expires_at, AT + timedelta(seconds=60))

    def test_O8_expiry(self) -> None:
        for given_, seconds in (
            (60, 60),
            ("60", 60),
            (1.5, 1.5),
            (0, None),
            ("0", None),
            (None, None),
            (-1, None),
        ):
            tokens = self.tokens({"access_token": "a", "expires_in": given_})
            self.assertEqual(tokens.expires_at, None if seconds is None else AT + timedelta(seconds=seconds))
        self.assertIsNone(self.tokens({"access_token": "a", "expires_in": 10**30}).expires_at)
        self.assertIsNone(self.tokens({"access_token": "a"}).expires_at)
        for wrong in ("soon", ["x"], {"a": 1}, 10**400):
            self.assertRaises(ConnectorError, self.tokens, {"access_token": "a", "expires_in": wrong})

    def test_O8_access_token_is_needed(self) -> None:
        for body in (
            {},
            {"access_token": ""},
            {"access_token": None},
            {"access_token": 7},
            ["a"],
            None,
            b"{",
            b"",
        ):
            self.assertRaises(ConnectorError, self.tokens, body)
        self.assertRaises(ConnectorError, self.tokens, b"access_token=%ff\xff", media_type=FORM)

    def test_O9_refusals(self) -> None:
        for body, status, error in (
            ({"error": "invalid_grant", "error_description": "used"}, 400, "invalid_grant"),
            ({"error": "bad_verification_code", "access_token": "a"}, 200, "bad_verification_code"),
            ({"access_token": "a"}, 500, ""),
            (b"<html>", 503, ""),
            ({"error": ["x"], "access_token": "a"}, 200, ""),
        ):
            refused = self.assertRaises(TokenRefused, self.tokens, body, status=status)
            self.assertEqual((refused.error, refused.status), (error, status))
        self.assertIn(
            "invalid_grant: used", str(self.refusal({"error": "invalid_grant", "error_description": "used"}))
        )

    def refusal(self, body: Any) -> TokenRefused:
        refused: TokenRefused = self.assertRaises(TokenRefused, self.tokens, body, status=400)
        return refused

    def test_O15_answers_are_not_quoted(self) -> None:
        secret = "tok-1"
        for body, status in (
            ({"refresh_token": secret}, 200),
            ({"id_token": secret}, 500),
            (secret.encode(), 200),
        ):
            error = self.assertRaises(ConnectorError, self.tokens, body, status=status)
            self.assertNotIn(secret, str(error))
        self.assertNotIn(secret, repr(self.tokens({"access_token": secret, "id_token": secret})))

    def test_O10_authorization(self) -> None:
        for kind, expected in (
            (None, "Bearer a"),
            ("", "Bearer a"),
            ("BEARER", "Bearer a"),
            ("MAC", "MAC a"),
        ):
            tokens = self.tokens({"access_token": "a", "token_type": kind})
            self.assertEqual(tokens.authorization, expected)

    def test_O11_expired_ten_seconds_early(self) -> None:
        tokens = self.tokens({"access_token": "a", "expires_in": 60})
        self.assertFalse(tokens.expired(AT + timedelta(seconds=49)))
        self.assertTrue(tokens.expired(AT + timedelta(seconds=50)))
        self.assertFalse(self.tokens({"access_token": "a"}).expired(AT + timedelta(days=10_000)))

    @given(st.binary(), st.sampled_from([JSON, FORM]), st.sampled_from([200, 400]))
    def test_whatever_comes_is_tokens_or_an_error(self, body: bytes, media_type: str, status: int) -> None:
        with contextlib.suppress(ConnectorError):
            self.assertTrue(self.tokens(body, media_type=media_type, status=status).access_token)


class OAuth2TestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.upstream = Clock(), FakeOAuth(client_secret="s+% ü")
        self.clock.advance(NOW)
        self.client = self.new_client()

    def new_client(self, **how: Any) -> OAuth2Client:
        http = UpstreamClient(
            connector_id="up", send=partial(sent, self.upstream), clock=self.clock, metrics=CountedCalls()
        )
        usual = {"client_id": "testClient", "client_secret": "s+% ü", "redirect_uri": CALLBACK}
        return OAuth2Client(http=http, **{**usual, **how})

    def code(self) -> dict[str, str]:
        """A query with which the browser comes back."""
        return self.upstream.log_in(
            self.client.authorization_url("https://upstream.test/authorize", CALLBACK, "s")
        )

    def exchanging(self, client: OAuth2Client | None = None, **query: str) -> Deferred[UpstreamTokens]:
        return Deferred.fromCoroutine((client or self.client).exchange(TOKEN, query or self.code()))

    def styles(self) -> list[str]:
        """How the client said who it is, request by request."""
        return ["basic" if call.basic() else "body" for call in self.upstream.calls_of("/token")]


class AuthorizationTests(OAuth2TestCase):
    def url(self, endpoint: str = "https://up.test/auth", **how: Any) -> str:
        return self.client.authorization_url(endpoint, CALLBACK, "st", **how)

    def test_O1_parameters_in_their_order(self) -> None:
        asked = "client_id=testClient&redirect_uri=https%3A%2F%2Frp.test%2Fcallback&response_type=code"
        self.assertEqual(self.url(scopes=["a b", "c"]), f"https://up.test/auth?{asked}&scope=a+b+c&state=st")
        self.assertEqual(self.url(), f"https://up.test/auth?{asked}&state=st")
        self.assertEqual(
            self.url("https://up.test/auth?x=%20"), f"https://up.test/auth?x=%20&{asked}&state=st"
        )
        self.assertTrue(
            self.url(more={"prompt": "none"}).endswith(
                "?" + asked.replace("&re", "&prompt=none&re", 1) + "&state=st"
            )
        )

    def test_O1_redirect_uri_may_be_unset(self) -> None:
        url = self.new_client(redirect_uri="").authorization_url("https://up.test/auth", CALLBACK, "st")
        self.assertNotIn("redirect_uri", url)

    def test_O3_redirect_uri_must_be_the_callback(self) -> None:
        for other in (CALLBACK + "/", CALLBACK.upper(), "https://rp.test/"):
            client = self.new_client(redirect_uri=other)
            error = self.assertRaises(
                ConnectorError, client.authorization_url, "https://up.test/", CALLBACK, "st"
            )
            self.assertIn("redirectURI", str(error))

    def test_O4_error_precedes_everything(self) -> None:
        check_callback({"error": "", "code": "c"})
        error = self.assertRaises(ConnectorError, check_callback, {"error": "x", "error_description": "d\n"})
        self.assertIn("x: d ", str(error))
        self.assertRaises(LoginCancelled, check_callback, {"error": "access_denied", "code": "c"})
        self.failureResultOf(self.exchanging(error="x", code="c"), ConnectorError)
        self.assertEqual(self.upstream.calls, [])


class ExchangeTests(OAuth2TestCase):
    def test_O5_form(self) -> None:
        query = self.code()
        self.successResultOf(self.exchanging(None, **query))
        (call,) = self.upstream.calls_of("/token")
        self.assertEqual(
            call.form, {"grant_type": "authorization_code", "code": query["code"], "redirect_uri": CALLBACK}
        )
        self.failureResultOf(self.exchanging(state="s"), TokenRefused)
        self.assertEqual(self.upstream.calls_of("/token")[-1].form["code"], "")

    def test_O6_basic_is_form_encoded(self) -> None:
        self.successResultOf(self.exchanging())
        self.assertEqual(self.upstream.calls_of("/token")[-1].basic(), ("testClient", "s+% ü"))

    def test_O6_style_is_found_out_and_remembered(self) -> None:
        self.upstream.styles = {"body"}
        for _ in range(2):
            self.successResultOf(self.exchanging())
        self.assertEqual(self.styles(), ["basic", "body", "body"])

    def test_O6_only_a_refused_client_is_tried_again(self) -> None:
        for error, status, times in (
            ("invalid_grant", 400, 1),
            ("invalid_client", 400, 2),
            ("invalid_request", 400, 2),
            ("invalid_client", 401, 2),
            ("", 401, 2),
            ("", 400, 1),
            ("", 500, 1),
            ("invalid_client", 500, 1),
            ("invalid_grant", 401, 1),
        ):
            self.upstream.calls.clear()
            self.upstream.scripted["/token"] = Answer.json({"error": error} if error else {}, status)
            self.failureResultOf(self.exchanging(self.new_client(), code="c"), TokenRefused)
            self.assertEqual(len(self.upstream.calls), times, (error, status))

    def test_O6_trouble_teaches_nothing(self) -> None:
        self.upstream.scripted["/token"] = Answer.json({"error": "invalid_client"}, 401)
        self.failureResultOf(self.exchanging(code="c"), TokenRefused)
        del self.upstream.scripted["/token"]
        self.successResultOf(self.exchanging())
        self.assertEqual(self.styles(), ["basic", "body", "basic"])

    def test_O6_style_that_is_configured(self) -> None:
        for authentication, style in (
            (ClientAuthentication.BASIC, "basic"),
            (ClientAuthentication.BODY, "body"),
        ):
            self.upstream.calls.clear()
            self.upstream.scripted["/token"] = Answer.json({"error": "invalid_client"}, 401)
            client = self.new_client(authentication=authentication)
            client.learn(TOKEN, ["client_secret_basic" if style == "body" else "client_secret_post"])
            self.failureResultOf(self.exchanging(client, code="c"), TokenRefused)
            self.assertEqual(self.styles(), [style])

    def test_style_that_the_document_names(self) -> None:
        basic, post = "client_secret_basic", "client_secret_post"
        for methods, styles in (
            ([post], ["body"]),
            ([basic], ["basic"]),
            ([basic, post], ["basic", "body"]),
            ([], ["basic", "body"]),
            (["private_key_jwt"], ["basic", "body"]),
        ):
            self.upstream.calls.clear()
            self.upstream.scripted["/token"] = Answer.json({"error": "invalid_client"}, 401)
            client = self.new_client()
            client.learn(TOKEN, methods)
            self.failureResultOf(self.exchanging(client, code="c"), TokenRefused)
            self.assertEqual(self.styles(), styles)

    def test_secrets_stay_out_of_errors(self) -> None:
        self.upstream.scripted["/token"] = lambda call: Answer.json(
            {"error": f"no {call.form} {call.headers}", "error_description": call.body.decode()}, 400
        )
        for authentication in (ClientAuthentication.BASIC, ClientAuthentication.BODY):
            client = self.new_client(authentication=authentication, client_secret="hush-hush")
            error = self.failureResultOf(self.exchanging(client, code="c-o-d-e"), TokenRefused).value
            for secret in ("hush", "c-o-d-e", "aHVzaC1odXNo"):
                self.assertNotIn(secret, str(error))
            self.assertNotIn("hush", repr(client))


class RefreshTests(OAuth2TestCase):
    def tokens(self) -> UpstreamTokens:
        return self.successResultOf(self.exchanging())

    def refreshed(self, token: str) -> Deferred[UpstreamTokens]:
        return Deferred.fromCoroutine(self.client.refreshed(TOKEN, token))

    def current(self, tokens: UpstreamTokens) -> Deferred[UpstreamTokens]:
        return Deferred.fromCoroutine(self.client.current(TOKEN, tokens))

    def test_O11_rotated_or_kept(self) -> None:
        first = self.tokens().refresh_token
        second = self.successResultOf(self.refreshed(first)).refresh_token
        self.assertNotEqual(first, second)
        self.upstream.rotates = False
        self.assertEqual(self.successResultOf(self.refreshed(second)).refresh_token, second)
        self.assertEqual(
            self.upstream.calls_of("/token")[-1].form,
            {"grant_type": "refresh_token", "refresh_token": second},
        )

    def test_O11_only_what_has_expired_is_renewed(self) -> None:
        tokens = self.tokens()
        self.assertIs(self.successResultOf(self.current(tokens)), tokens)
        self.clock.advance(3590)
        renewed = self.successResultOf(self.current(tokens))
        self.assertNotEqual(renewed.access_token, tokens.access_token)
        self.assertFalse(renewed.expired(AT + timedelta(seconds=3590)))

    def test_O11_without_a_refresh_token_there_is_an_error_before_any_call(self) -> None:
        self.upstream.gives_refresh_token = False
        tokens = self.tokens()
        self.clock.advance(3600)
        self.upstream.calls.clear()
        self.failureResultOf(self.current(tokens), ConnectorError)
        self.assertEqual(self.upstream.calls, [])

    def test_token_that_is_honoured_no_more_is_told_from_trouble(self) -> None:
        self.failureResultOf(self.refreshed("unknown"), IdentityGone)
        for answer in (
            Answer.json({"error": "invalid_client"}, 401),
            Answer.json({}, 503),
            Answer(body=b"{"),
        ):
            self.upstream.scripted["/token"] = answer
            self.failureResultOf(self.refreshed("r"), ConnectorError)


class RequiredTextTests(SynchronousTestCase):
    def test_O16_missing_empty_or_no_text(self) -> None:
        self.assertEqual(required_text({"id": "x"}, "id"), "x")
        for members in ({}, {"id": ""}, {"id": None}, {"id": 7}, {"id": ["x"]}):
            self.assertIn("id", str(self.assertRaises(ConnectorError, required_text, members, "id")))
