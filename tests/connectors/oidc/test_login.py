"""Logging in through the `oidc` connector: what is asked, and which answers are refused."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from dextwist.connectors.interface import CallbackRequest, ConnectorError, ConnectorScopes, LoginCancelled
from dextwist.connectors.upstream.provider import MAX_TOKEN
from tests.connectors.federated import CALLBACK, OFFLINE, PLAIN, STATE
from tests.connectors.oidc.case import KEY, KNOWN, OTHER_KEY, PERSON, OIDCTestCase
from tests.upstreams.oidc_provider import DISCOVERY, KEYS, new_key, signed
from tests.upstreams.served import Answer, Call


class AskingTests(OIDCTestCase):
    def test_3_2_parameters(self) -> None:
        asked = dict(self.asked(self.opened()))
        self.assertEqual(len(asked.pop("code_challenge")), 43)
        self.assertGreaterEqual(len(asked.pop("nonce")), 22)
        self.assertEqual(
            asked,
            {
                "client_id": "clientID",
                "code_challenge_method": "S256",
                "redirect_uri": CALLBACK,
                "response_type": "code",
                "scope": "openid profile email",
                "state": STATE,
            },
        )
        names = [pair.split("=")[0] for pair in self.upstream.calls[-3].target.partition("?")[2].split("&")]
        self.assertEqual(names, sorted(names))

    def test_3_2_scopes_and_acr_values(self) -> None:
        asked = self.asked(
            self.opened(scopes=["openid", "x:y", "email", "x:y"], acrValues=["gold", "silver"])
        )
        self.assertEqual((asked["scope"], asked["acr_values"]), ("openid x:y email", "gold silver"))

    def test_login_hint_is_passed_on(self) -> None:
        hinted = ConnectorScopes(login_hint="jane&prompt=none@example.com")
        asked = self.asked(self.opened(), hinted)
        self.assertEqual(asked["login_hint"], hinted.login_hint)
        self.assertNotIn("prompt", asked)
        self.assertNotIn("login_hint", self.asked(self.opened()))

    def test_7_prompt(self) -> None:
        for prompt in ("none", "", "login", "consent", None):
            asked = self.asked(self.opened(promptType=prompt), OFFLINE)
            self.assertEqual(asked["access_type"], "offline")
            self.assertEqual(asked["prompt"], "consent" if prompt is None else prompt)
            self.assertNotIn("offline_access", asked["scope"])
        self.assertFalse({"access_type", "prompt"} & self.asked(self.opened(promptType="login")).keys())

    def test_7_proof_key(self) -> None:
        plain = self.asked(self.opened(pkceChallenge="plain"))
        verifier = self.upstream.calls_of("/token")[-1].form["code_verifier"]
        self.assertEqual((plain["code_challenge"], plain["code_challenge_method"]), (verifier, "plain"))
        self.assertNotIn("code_verifier", plain)
        self.upstream.document["code_challenge_methods_supported"] = []
        self.assertEqual(self.asked(self.opened(pkceChallenge="S256"))["code_challenge_method"], "S256")

    def test_plain_is_not_chosen_by_itself(self) -> None:
        for methods in (["plain"], [], None, ["unheard-of"], "S256"):
            self.upstream.document["code_challenge_methods_supported"] = methods
            self.assertNotIn("code_challenge", self.asked(self.opened()))
            self.assertNotIn("code_verifier", self.upstream.calls_of("/token")[-1].form)

    def test_3_3_token_request(self) -> None:
        self.login(self.opened())
        (call,) = self.upstream.calls_of("/token")
        self.assertEqual(call.basic(), ("clientID", "testSecret"))
        self.assertEqual(call.form.keys(), {"grant_type", "code", "redirect_uri", "code_verifier"})

    def test_client_authentication_that_the_document_names(self) -> None:
        for methods, in_body in ((["client_secret_post"], True), (["client_secret_basic"], False)):
            self.upstream.document["token_endpoint_auth_methods_supported"] = methods
            self.upstream.calls.clear()
            self.login(self.opened())
            (call,) = self.upstream.calls_of("/token")
            self.assertEqual("client_secret" in call.form, in_body)

    def test_other_redirect_uri_is_refused_before_anybody_is_sent_away(self) -> None:
        connector = self.opened(redirectURI=CALLBACK + "/")
        self.fails(connector.login_url(PLAIN, CALLBACK, STATE), ConnectorError)

    def test_7_overrides(self) -> None:
        url = self.upstream.url
        none = self.now(self.opened().login_url(PLAIN, CALLBACK, STATE)).url
        self.assertTrue(none.startswith(f"{url}/authorize?"))
        overrides = {"tokenURL": f"{url}/test1", "authURL": f"{url}/test2"}
        connector = self.opened(providerDiscoveryOverrides=overrides)
        start = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        self.assertTrue(start.url.startswith(f"{url}/test2?"))
        self.upstream.scripted["/test1"] = self.upstream.token
        query = self.upstream.log_in(start.url.replace("/test2", "/authorize"))
        self.now(
            connector.handle_callback(PLAIN, start.connector_data, CallbackRequest(query=query, headers={}))
        )
        self.assertEqual((len(self.upstream.calls_of("/test1")), self.upstream.calls_of("/token")), (1, []))
        # They replace their own field only.
        self.assertIn("code_challenge=", start.url)

    def test_7_userinfo_override(self) -> None:
        self.upstream.scripted["/elsewhere"] = Answer.json({**PERSON, "name": "elsewhere"})
        overrides = {"userInfoURL": f"{self.upstream.url}/elsewhere"}
        identity = self.login(self.opened(getUserInfo=True, providerDiscoveryOverrides=overrides))
        self.assertEqual(identity.claims.username, "elsewhere")

    def test_what_a_login_needs_is_not_kept_in_memory(self) -> None:
        start = self.now(self.opened().login_url(PLAIN, CALLBACK, STATE))
        query = self.upstream.log_in(start.url)
        another = self.opened()
        request = CallbackRequest(query=query, headers={})
        identity = self.now(another.handle_callback(PLAIN, start.connector_data, request))
        self.assertEqual(identity.claims, KNOWN)


class CallbackTests(OIDCTestCase):
    def test_upstream_error_ends_the_login(self) -> None:
        self.fails(self.callback(self.opened(), error="access_denied"), LoginCancelled)
        error = self.fails(
            self.callback(self.opened(), error="server_error", error_description="no\nway"), ConnectorError
        )
        self.assertIn("server_error: no way", str(error))
        self.assertEqual(self.upstream.calls_of("/token"), [])

    def test_RFC_9207_issuer_that_was_promised_must_be_there(self) -> None:
        self.upstream.document["authorization_response_iss_parameter_supported"] = True
        for iss in (None, "", "https://other.test", f"{self.upstream.url}/"):
            query = {"code": "code-1"} | ({} if iss is None else {"iss": iss})
            self.fails(self.callback(self.opened(), **query), ConnectorError)
        self.assertEqual(self.upstream.calls_of("/token"), [])
        connector = self.opened()
        start = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        query = {**self.upstream.log_in(start.url), "iss": self.upstream.url}
        request = CallbackRequest(query=query, headers={})
        self.now(connector.handle_callback(PLAIN, start.connector_data, request))

    def test_login_that_kept_no_proof_is_refused(self) -> None:
        connector = self.opened()
        for kept in (b"", b"{}", b"x", b'{"codeChallenge":"v","codeChallengeMethod":"S256"}'):
            request = CallbackRequest(query={"code": "c"}, headers={})
            self.fails(connector.handle_callback(PLAIN, kept, request), ConnectorError)

    def test_token_answers_without_a_usable_id_token(self) -> None:
        for given in (None, "", 7, {"sub": "x"}, "nonsense"):
            self.upstream.token_answer = {"id_token": given}
            self.assertIn("token", self.refused())

    def test_refused_code_is_not_sent_again(self) -> None:
        self.upstream.scripted["/token"] = Answer.json({"error": "invalid_grant"}, 400)
        self.refused()
        self.assertEqual(len(self.upstream.calls_of("/token")), 1)


class IDTokenTests(OIDCTestCase):
    """FU-01: what is not the provider's, for us, for this login, and alive."""

    def assert_kept_out(self, **id_token: Any) -> str:
        self.upstream.id_token = id_token
        said = self.refused()
        self.upstream.id_token = {}
        self.login(self.opened())
        return said

    def test_FU_01_wrong_claims(self) -> None:
        now, url = int(self.clock.seconds()), self.upstream.url
        wrong: dict[str, tuple[Any, ...]] = {
            "aud": ("another", None, [], "ClientID", "clientID2", ["another"], 7, {}),
            "iss": ("https://op.test", None, f"{url}/", f"{url}.evil.test", "", [url]),
            "exp": (now - 7200, now - 61, None, "soon", True),
            "nbf": (now + 301, "now"),
            "nonce": ("another", None, "", ["a"]),
            "at_hash": ("MDEyMzQ1Njc4OWFiY2RlZg", 7),
            "azp": ("another", "", 7),
        }
        for claims in (
            *({name: value} for name, values in wrong.items() for value in values),
            {"aud": ["clientID", "another"]},
            {"aud": ["clientID", "another"], "azp": "another"},
        ):
            self.assert_kept_out(**claims)

    def test_good_claims(self) -> None:
        now = int(self.clock.seconds())
        for claims in (
            {"aud": ["clientID"]},
            {"aud": ["clientID", "another"], "azp": "clientID"},
            {"azp": "clientID"},
            {"exp": now - 59},
            {"nbf": now + 300},
            {"exp": now + 0.5},
        ):
            self.upstream.id_token = claims
            self.assertEqual(self.login(self.opened()).claims, KNOWN)

    def test_at_hash_of_the_access_token_is_good(self) -> None:
        self.upstream.token_answer = {"access_token": "dNZX1hEZ9wBCzNL40Upu646bdzQA"}
        self.upstream.id_token = {"at_hash": "wfgvmE9VxjAudsl9lc6TqA"}
        self.login(self.opened())

    def test_FU_01_token_of_another_login(self) -> None:
        stolen = self.upstream.signed(self.upstream.claims(PERSON, nonce="of-the-other-login"))
        self.upstream.sign = lambda claims: stolen
        self.assertIn("another login", self.refused())

    def test_FU_01_OA_22_wrong_signatures(self) -> None:
        public = json.loads(KEY.export_public())
        curve = new_key(kty="EC", algorithm="ES256", crv="P-256")

        def with_hmac(secret: bytes) -> Any:
            header = part({"alg": "HS256", "kid": "key-1"})

            def sign(claims: Any) -> str:
                signing_input = f"{header}.{part(claims)}"
                mac = hmac.digest(secret, signing_input.encode(), "sha256")
                return f"{signing_input}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

            return sign

        def unsigned(spelling: str) -> Any:
            return lambda claims: f"{part({'alg': spelling})}.{part(claims)}."

        for name, sign in {
            "another key": lambda c: signed(c, OTHER_KEY),
            "another key, unknown kid": lambda c: signed(c, OTHER_KEY, kid="unknown"),
            "another key, no kid": lambda c: signed(c, OTHER_KEY, kid=None),
            "its key in the header": lambda c: signed(
                c, OTHER_KEY, kid=None, jwk=json.loads(OTHER_KEY.export_public())
            ),
            "another kind of key": lambda c: signed(c, curve),
            "not announced": lambda c: signed(c, KEY, alg="RS512"),
            "not the key's own": lambda c: signed(c, KEY, alg="PS256"),
            "HMAC with the public key": with_hmac(KEY.export_to_pem()),
            "HMAC with the modulus": with_hmac(public["n"].encode()),
            "HMAC with our secret": with_hmac(b"testSecret"),
            **{f"alg {spelling}": unsigned(spelling) for spelling in ("none", "None", "nOnE", "")},
            "no signature": lambda c: self.upstream.signed(c).rpartition(".")[0] + ".",
            "two parts": lambda c: self.upstream.signed(c).rpartition(".")[0],
            "four parts": lambda c: self.upstream.signed(c) + ".x",
            "claims are a list": lambda c: self.upstream.signed([c]),
            "too long": lambda c: self.upstream.signed({**c, "padding": "x" * MAX_TOKEN}),
        }.items():
            self.upstream.sign = sign
            self.assertIn("not accepted", self.refused(), name)
        self.upstream.sign = None
        self.login(self.opened())

    def test_algorithms_that_upstreams_may_use(self) -> None:
        for key, algorithm in (
            (curve_key("EC", "ES256", crv="P-256"), "ES256"),
            (curve_key("OKP", "EdDSA", crv="Ed25519"), "EdDSA"),
            (new_key("ps", "PS256"), "PS256"),
        ):
            self.upstream.keys = [key]
            self.upstream.sign = lambda c, k=key, a=algorithm: signed(c, k, alg=a)
            self.assertEqual(self.login(self.opened()).claims, KNOWN)

    def test_FU_01_document_does_not_widen_the_algorithms(self) -> None:
        self.upstream.document["id_token_signing_alg_values_supported"] = ["none", "HS256"]
        self.upstream.sign = lambda c: signed(c, KEY, alg="RS256")
        self.login(self.opened())  # nothing usable is announced: RS256
        self.upstream.document["id_token_signing_alg_values_supported"] = ["ES256"]
        self.assertIn("algorithm", self.refused())


def part(members: Any) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def curve_key(kty: str, algorithm: str, **how: Any) -> Any:
    return new_key(kty, algorithm, kty, **how)


class UserinfoTests(OIDCTestCase):
    def config(self) -> dict[str, Any]:
        return {**super().config(), "getUserInfo": True}

    def test_3_4_is_laid_over_the_id_token(self) -> None:
        self.upstream.userinfo_answer = {"name": "newer", "email_verified": "false"}
        claims = self.login(self.opened()).claims
        self.assertEqual(
            (claims.username, claims.email, claims.email_verified), ("newer", "emailvalue", False)
        )
        self.assertTrue(
            self.upstream.calls_of("/userinfo")[-1].headers["authorization"].startswith("Bearer access-")
        )

    def test_3_4_fills_a_thin_id_token(self) -> None:
        self.upstream.thin = True
        self.assertEqual(self.login(self.opened()).claims, KNOWN)
        self.assertIn("name", self.refused(getUserInfo=False))

    def test_FU_01_userinfo_of_somebody_else(self) -> None:
        for sub in ("another", 7, "", ["subvalue"]):
            self.upstream.userinfo_answer = {"sub": sub}
            self.assertIn("somebody else", self.refused())

    def test_3_4_what_was_checked_is_not_replaced(self) -> None:
        self.upstream.userinfo_answer = {"iss": "https://evil.test", "aud": "x", "exp": 1, "nonce": "y"}
        said = self.login(self.opened()).upstream_claims
        self.assertEqual((said["iss"], said["aud"]), (self.upstream.url, "clientID"))

    def test_answers_that_end_the_login(self) -> None:
        for answer in (
            Answer.json(PERSON, 500),
            Answer.json(PERSON, 401),
            Answer(status=204),
            Answer.html("<html>"),
            Answer.json(["a"]),
            Answer(body=b"null"),
            Answer(),
        ):
            self.upstream.scripted["/userinfo"] = answer
            self.refused()

    def test_signed_answer(self) -> None:
        said = {**PERSON, "iss": self.upstream.url, "aud": ["clientID"], "name": "signed"}

        def answers(token: str) -> None:
            headers = {"Content-Type": "application/jwt"}
            self.upstream.scripted["/userinfo"] = Answer(body=token.encode(), headers=headers)

        answers(self.upstream.signed(said))
        self.assertEqual(self.login(self.opened()).claims.username, "signed")
        answers(self.upstream.signed({**PERSON, "name": "signed"}))
        self.assertEqual(self.login(self.opened()).claims.username, "signed")
        for wrong in (
            signed(said, OTHER_KEY),
            self.upstream.signed(said).rpartition(".")[0] + ".",
            self.upstream.signed({**said, "iss": "https://other.test"}),
            self.upstream.signed({**said, "aud": "another"}),
            self.upstream.signed({**said, "sub": "another"}),
            "nonsense",
            "\xff",
        ):
            answers(wrong)
            self.refused()

    def test_provider_without_the_endpoint(self) -> None:
        self.upstream.document["userinfo_endpoint"] = None
        self.assertIn("getUserInfo", self.refused())


class ProviderTests(OIDCTestCase):
    def test_FU_05_document_of_another_issuer(self) -> None:
        url = self.upstream.url
        for issuer in ("https://other.test", f"{url}/", f"{url}/realm", "", None, 7):
            self.upstream.document["issuer"] = issuer
            said = str(self.fails(self.opened().login_url(PLAIN, CALLBACK, STATE), ConnectorError))
            if isinstance(issuer, str):
                self.assertIn(repr(issuer), said)
                self.assertIn(url, said)

    def test_FU_05_alias_says_who_issues(self) -> None:
        self.upstream.document["issuer"] = "https://{tenant}.test"
        alias: dict[str, Any] = {"issuerAlias": "https://acme.test"}
        self.upstream.id_token["iss"] = "https://acme.test"
        self.assertEqual(self.login(self.opened(**alias)).claims, KNOWN)
        for other in ("https://{tenant}.test", self.upstream.url, "https://acme.test/"):
            self.upstream.id_token["iss"] = other
            self.assertIn("another issuer", self.refused(**alias))

    def test_google_names_itself_in_two_ways(self) -> None:
        self.upstream.url = "https://accounts.google.com"
        for issuer in ("https://accounts.google.com", "accounts.google.com"):
            self.upstream.id_token["iss"] = issuer
            self.assertEqual(self.login(self.opened()).claims, KNOWN)
        self.upstream.url = "https://upstream.test"
        self.assertIn("another issuer", self.refused())

    def test_issuer_with_a_slash_at_its_end(self) -> None:
        url = f"{self.upstream.url}/"
        self.upstream.document["issuer"] = self.upstream.id_token["iss"] = url
        self.login(self.opened(issuer=url))
        self.assertEqual(self.upstream.calls[0].target, DISCOVERY)

    def test_RL_10_provider_that_comes_back_is_used_at_the_next_login(self) -> None:
        for answer in (
            Answer.json({}, 503),
            Answer.html("<html>"),
            Answer.json(["x"]),
            Answer.json({}),
            Answer(),
        ):
            self.upstream.scripted[DISCOVERY] = answer
            connector = self.opened()
            self.fails(connector.login_url(PLAIN, CALLBACK, STATE), ConnectorError)
            del self.upstream.scripted[DISCOVERY]
            self.assertEqual(self.login(connector).claims, KNOWN)

    def test_document_and_keys_are_asked_for_once(self) -> None:
        connector = self.opened()
        for _ in range(3):
            self.login(connector)
        self.assertEqual((len(self.upstream.calls_of(DISCOVERY)), len(self.upstream.calls_of(KEYS))), (1, 1))

    def test_endpoints_without_tls_are_for_this_machine_alone(self) -> None:
        for name in ("token_endpoint", "authorization_endpoint", "jwks_uri", "userinfo_endpoint"):
            self.upstream.document = {name: f"http://upstream.test{self.path_of(name)}"}
            connector = self.opened(getUserInfo=True)
            error = self.fails(connector.login_url(PLAIN, CALLBACK, STATE), ConnectorError)
            self.assertIn(name, str(error))
            self.login(self.opened(getUserInfo=True, insecureAllowHTTP=True))
            for host in ("127.0.0.1", "localhost", "[::1]"):
                self.upstream.document = {name: f"http://{host}{self.path_of(name)}"}
                self.login(self.opened(getUserInfo=True))

    def path_of(self, name: str) -> str:
        usual = json.loads(
            type(self.upstream)(clock=self.clock, keys=[]).discovery(Call(method="", target="")).body
        )
        return str(usual[name]).removeprefix(self.upstream.url)

    def test_endpoints_that_are_none(self) -> None:
        for name in ("token_endpoint", "authorization_endpoint", "jwks_uri", "end_session_endpoint"):
            for url in (
                "javascript:alert(1)",
                "/relative",
                "https://",
                "https://user@op.test/",
                "https://op.test/a b",
            ):
                self.upstream.document = {name: url}
                error = self.fails(self.opened().login_url(PLAIN, CALLBACK, STATE), ConnectorError)
                self.assertIn(name, str(error))

    def test_endpoint_with_a_query_of_its_own(self) -> None:
        self.upstream.document["authorization_endpoint"] = f"{self.upstream.url}/authorize?tenant=a%26b"
        url = self.now(self.opened().login_url(PLAIN, CALLBACK, STATE)).url
        self.assertIn("/authorize?tenant=a%26b&client_id=clientID&", url)


class SignOutTests(OIDCTestCase):
    BACK = "https://login.example.org/dex/logout/callback"

    def url(self, back: str = BACK, **config: Any) -> str:
        url: str = self.now(self.opened(**config).logout_url(back))
        return url

    def test_7_logout_url(self) -> None:
        end = f"{self.upstream.url}/logout"
        asked = urlencode({"client_id": "clientID", "post_logout_redirect_uri": self.BACK})
        self.assertEqual(self.url(), f"{end}?{asked}")
        self.assertEqual(self.url(""), end)
        self.upstream.document["end_session_endpoint"] = f"{end}?existing=param"
        query = asked.replace("&", "&existing=param&")
        self.assertEqual(self.url(), f"{end}?{query}")
        overrides = {"endSessionURL": "https://elsewhere.test/end"}
        self.assertEqual(
            self.url(providerDiscoveryOverrides=overrides), f"https://elsewhere.test/end?{asked}"
        )
        self.upstream.document["end_session_endpoint"] = None
        self.assertEqual(self.url(), "")
        self.assertEqual(
            self.url(providerDiscoveryOverrides=overrides), f"https://elsewhere.test/end?{asked}"
        )

    def test_way_back_needs_nothing(self) -> None:
        self.now(self.opened().handle_logout_callback(CallbackRequest(query={}, headers={})))
