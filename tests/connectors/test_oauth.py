"""The `oauth` connector, at a fake service."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    LoginCancelled,
    LoginStart,
    LogoutConnector,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.oauth import UserDocument
from dextwist.model.claims import Claims
from tests.connectors.federated import ALL, CALLBACK, GROUPS, OFFLINE, PLAIN, STATE, FederatedTestCase
from tests.upstreams.oauth import FakeOAuth
from tests.upstreams.served import Answer, Call

MAPPED: dict[str, Any] = {
    "scopes": ["openid", "groups"],
    "userIDKey": "user_id_key",
    "claimMapping": {
        "userNameKey": "user_name_key",
        "groupsKey": "groups_key",
        "emailKey": "mail",
        "emailVerifiedKey": "has_verified_email",
    },
}
PERSON: dict[str, Any] = {
    "user_id_key": "test-user-id",
    "user_name_key": "test-username",
    "preferred_username": "test-preferred-username",
    "mail": "mod_mail",
    "has_verified_email": False,
}


def jwt(payload: Any) -> str:
    """A token whose signature nobody could verify."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"e30.{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}.c2ln"


class OAuthTestCase(FederatedTestCase):
    kind = "oauth"

    def setUp(self) -> None:
        super().setUp()
        self.upstream = FakeOAuth()

    def config(self) -> dict[str, Any]:
        url = self.upstream.url
        return {
            **super().config(),
            "authorizationURL": f"{url}/authorize",
            "tokenURL": f"{url}/token",
            "userInfoURL": f"{url}/userinfo",
        }

    def claims(self, person: Any, asking: ConnectorScopes = GROUPS, **config: Any) -> Claims:
        """What is made of the user document."""
        self.upstream.person = person
        return self.login(self.opened(**config), asking).claims

    def refused(self, person: Any, **config: Any) -> str:
        self.upstream.person = person
        return str(self.fails(self.log_in(self.opened(**config)), ConnectorError))


class LoginURLTests(OAuthTestCase):
    def url(self, callback_url: str = CALLBACK, **config: Any) -> str:
        start: LoginStart = self.now(self.opened(**config).login_url(PLAIN, callback_url, STATE))
        return start.url

    def test_O1_exactly_these_parameters_sorted(self) -> None:
        url = urlsplit(self.url(**MAPPED))
        self.assertEqual((url.hostname, url.path), ("upstream.test", "/authorize"))
        self.assertEqual(
            parse_qsl(url.query),
            [
                ("client_id", "testClient"),
                ("redirect_uri", CALLBACK),
                ("response_type", "code"),
                ("scope", "openid groups"),
                ("state", STATE),
            ],
        )

    def test_O1_no_scopes_no_parameter(self) -> None:
        self.assertNotIn("scope", self.url())

    def test_O1_query_of_the_endpoint_stays(self) -> None:
        url = self.url(authorizationURL="https://upstream.test/authorize?tenant=a%26b")
        self.assertTrue(url.startswith("https://upstream.test/authorize?tenant=a%26b&client_id="))

    def test_O3_another_callback_url_is_an_error_byte_for_byte(self) -> None:
        for other in (CALLBACK + "/", CALLBACK.replace("https", "http"), CALLBACK.upper(), ""):
            self.fails(self.opened().login_url(PLAIN, other, STATE), ConnectorError)
        self.assertEqual(self.upstream.calls, [])

    def test_proof_key_only_where_it_is_configured(self) -> None:
        self.login(self.opened())
        self.assertNotIn("code_challenge", self.url())
        self.assertNotIn("code_verifier", self.upstream.calls_of("/token")[-1].form)
        connector = self.opened(pkceChallenge="S256", clientSecret=None)
        self.upstream.client_secret = ""
        self.assertEqual(self.asked(connector)["code_challenge_method"], "S256")
        self.assertGreaterEqual(len(self.upstream.calls_of("/token")[-1].form["code_verifier"]), 43)

    def test_proof_of_another_login_redeems_nothing(self) -> None:
        connector = self.opened(pkceChallenge="S256")
        first = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        other = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        self.assertNotEqual(first.connector_data, other.connector_data)
        query = self.upstream.log_in(first.url)
        self.fails(self.callback(connector, **query), ConnectorError)


class CallbackTests(OAuthTestCase):
    def test_O4_error_of_the_upstream_comes_first(self) -> None:
        for query, told in (
            ({"error": "server_error"}, "server_error"),
            ({"error": "x", "error_description": "some words", "code": "c"}, "x: some words"),
        ):
            error = self.fails(self.callback(self.opened(), **query), ConnectorError)
            self.assertIn(told, str(error))
        self.fails(self.callback(self.opened(), error="access_denied"), LoginCancelled)
        self.assertEqual(self.upstream.calls, [])

    def test_O5_code_is_redeemed(self) -> None:
        self.login(self.opened())
        (call,) = self.upstream.calls_of("/token")
        self.assertEqual((call.method, call.form["grant_type"]), ("POST", "authorization_code"))
        self.assertEqual(call.form["redirect_uri"], CALLBACK)

    def test_O6_refused_code_is_sent_once(self) -> None:
        self.fails(self.callback(self.opened(), code="unknown"), ConnectorError)
        self.assertEqual(len(self.upstream.calls_of("/token")), 1)

    def test_O6_what_worked_is_remembered(self) -> None:
        self.upstream.styles = {"body"}
        connector = self.opened()
        self.login(connector)
        self.login(connector)
        self.assertEqual(
            [call.basic() is not None for call in self.upstream.calls_of("/token")], [True, False, False]
        )

    def test_O7_token_answer_as_a_form(self) -> None:
        self.upstream.access_tokens["access-x"] = self.upstream.person
        for content_type in ("application/x-www-form-urlencoded; charset=utf-8", "text/plain"):
            self.upstream.scripted["/token"] = Answer(
                body=urlencode({"access_token": "access-x", "token_type": "bearer"}).encode(),
                headers={"Content-Type": content_type},
            )
            self.assertEqual(self.login(self.opened()).claims.user_id, "1000")

    def test_O9_token_answers_that_are_none(self) -> None:
        for answer in (
            Answer.json({"error": "invalid_grant"}, 400),
            Answer.json({"error": "bad_verification_code"}),
            Answer.json({"token_type": "bearer"}),
            Answer.json({"access_token": ""}),
            Answer.json(["a"]),
            Answer.html("<html>"),
            Answer.json({}, 500),
        ):
            self.upstream.scripted["/token"] = answer
            self.fails(self.log_in(self.opened()), ConnectorError)
        self.assertEqual(self.upstream.calls_of("/userinfo"), [])

    def test_O10_kind_of_the_token(self) -> None:
        for kind, sent in (("BEARER", "Bearer"), ("", "Bearer"), ("token", "token")):
            self.upstream.token_answer = {"token_type": kind}
            self.login(self.opened())
            self.assertTrue(
                self.upstream.calls_of("/userinfo")[-1].headers["authorization"].startswith(f"{sent} ")
            )

    def test_O12_token_is_not_carried_to_another_host(self) -> None:
        self.upstream.scripted["/userinfo"] = Answer.redirect("https://elsewhere.test/stolen")
        self.fails(self.log_in(self.opened()), ConnectorError)
        self.assertEqual(self.upstream.calls_of("/stolen"), [])

    def test_O15_user_endpoint_that_says_no(self) -> None:
        for answer in (Answer.json({"id": "1"}, 201), Answer.json({}, 401), Answer.html("down", 500)):
            self.upstream.scripted["/userinfo"] = answer
            self.assertIn(str(answer.status), str(self.fails(self.log_in(self.opened()), ConnectorError)))

    def test_user_document_that_is_none(self) -> None:
        for body in (b"<html>", b"", b"null", b"[]", b'"text"', b'{"id": "a"', b'[{"id": "a"}]', b"\xff"):
            self.upstream.scripted["/userinfo"] = Answer(body=body)
            self.fails(self.log_in(self.opened()), ConnectorError)


class IdentityTests(OAuthTestCase):
    def test_standard_names(self) -> None:
        identity = self.login(self.opened(), ALL)
        self.assertEqual(
            identity.claims,
            Claims(
                user_id="1000",
                username="Jane Doe",
                preferred_username="jane",
                email="jane@example.org",
                email_verified=True,
                groups=("admins", "staff"),
            ),
        )
        self.assertEqual(identity.upstream_claims, self.upstream.person)

    def test_nothing_is_kept_of_the_upstream(self) -> None:
        self.assertEqual(self.login(self.opened(), OFFLINE).connector_data, b"")

    def test_groups_in_the_user_document(self) -> None:
        claims = self.claims({**PERSON, "groups_key": ["user-group", "admin-group"]}, **MAPPED)
        self.assertEqual(
            claims,
            Claims(
                user_id="test-user-id",
                username="test-username",
                preferred_username="test-preferred-username",
                email="mod_mail",
                groups=("admin-group", "user-group"),
            ),
        )

    def test_groups_as_objects(self) -> None:
        groups: list[Any] = [
            {"name": "user-group", "id": 222},
            {"name": "admin-group", "id": 111},
            {"id": 3},
            4,
            None,
            "",
        ]
        claims = self.claims({**PERSON, "groups_key": groups}, **MAPPED)
        self.assertEqual(claims.groups, ("admin-group", "user-group"))

    def test_groups_in_the_token_and_mapped_names_alone_count(self) -> None:
        self.upstream.token_answer["access_token"] = jwt({"groups_key": ["test-group"], "mail": "other"})
        person = {"user_id_key": "test-user-id", "email": "a@b.test", "email_verified": True}
        self.assertEqual(
            self.claims(person, **MAPPED), Claims(user_id="test-user-id", groups=("test-group",))
        )

    def test_groups_of_both_sources_once(self) -> None:
        self.upstream.token_answer["access_token"] = jwt({"groups": ["b", "a", {"name": "c"}]})
        self.assertEqual(self.claims({"id": "1", "groups": ["d", "a"]}).groups, ("a", "b", "c", "d"))

    def test_groups_of_the_token_can_be_left_out(self) -> None:
        self.upstream.token_answer["access_token"] = jwt({"groups": ["a"]})
        claims = self.claims({"id": "1", "groups": ["d"]}, groupsFromAccessToken=False)
        self.assertEqual(claims.groups, ("d",))

    def test_FU_03_groups_only_where_they_were_asked_for(self) -> None:
        self.upstream.token_answer["access_token"] = jwt({"groups": ["a"]})
        self.assertEqual(self.claims({"id": "1", "groups": ["a"]}, PLAIN).groups, ())

    def test_groups_of_another_shape_are_none(self) -> None:
        shapes: list[Any] = [None, "admins", {"name": "admins"}, 7, []]
        for groups in shapes:
            self.assertEqual(self.claims({"id": "1", "groups": groups}).groups, ())

    def test_token_that_is_no_jwt_has_no_groups(self) -> None:
        for token in ("opaque", "a.b", "a.b.c", "a.%%%.c", "..", jwt([1]), jwt(b"[" * 100_000), jwt(b"\xff")):
            self.upstream.token_answer["access_token"] = token
            self.assertEqual(self.claims({"id": "1"}).groups, ())

    def test_numeric_ids_are_exact(self) -> None:
        for number in (1000, 7, -3, 1_000_000, 12_345_678, 2**53 + 1, 10**30):
            self.assertEqual(self.claims({"id": number}).user_id, str(number))
        self.assertEqual(self.claims({"id": 1000.0}).user_id, "1000")

    def test_numeric_ids_as_dex_writes_them(self) -> None:
        for number, text in (
            (1000, "1000"),
            (123456, "123456"),
            (1_000_000, "1e+06"),
            (12_345_678, "1.2345678e+07"),
            (-12_345_678, "-1.2345678e+07"),
            (2**53 + 1, "9.007199254740992e+15"),
            (10**30, "1e+30"),
            (12_345_678.0, "1.2345678e+07"),
        ):
            self.assertEqual(self.claims({"id": number}, numericIDsAsFloats=True).user_id, text)

    def test_unusable_ids(self) -> None:
        values: list[Any] = [None, "", True, False, 0, 1.5, 1e300, [], ["a"], {"a": 1}]
        for value in values:
            self.assertIn("no usable id", self.refused({"id": value, "ID": "x"}))
        self.refused({"user_name": "Jane"})

    def test_values_of_other_kinds_are_empty(self) -> None:
        person = {"id": "1", "user_name": 7, "preferred_username": ["a"], "email": {"a": 1}}
        self.assertEqual(self.claims(person), Claims(user_id="1"))

    def test_FU_02_true_alone_is_verified(self) -> None:
        values: list[Any] = [None, False, "true", "false", 1, {}, []]
        for value in values:
            self.assertFalse(self.claims({"id": "1", "email_verified": value}).email_verified)
        self.assertTrue(self.claims({"id": "1", "email_verified": True}).email_verified)

    def test_FU_02_missing_counts_where_that_is_configured_and_false_never(self) -> None:
        skip: dict[str, Any] = {"insecureSkipEmailVerified": True}
        self.assertTrue(self.claims({"id": "1"}, **skip).email_verified)
        for value in (False, "false", "true", 0):
            self.assertFalse(self.claims({"id": "1", "email_verified": value}, **skip).email_verified)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
    def test_any_value_gives_an_id_or_an_error(self, value: Any) -> None:
        document = UserDocument(
            user_id="id", username="n", preferred_username="p", email="e", email_verified="v", groups="g"
        )
        try:
            claims = document.claims(dict.fromkeys(("id", "n", "p", "e", "v"), value))
        except ConnectorError:
            return
        self.assertNotEqual(claims.user_id, "")
        self.assertIn(claims.username, ("", value))


class OpeningTests(OAuthTestCase):
    def test_it_cannot_refresh_exchange_or_log_out(self) -> None:
        for ability in (RefreshConnector, TokenIdentityConnector, LogoutConnector):
            self.assertNotIsInstance(self.opened(), ability)

    def test_missing_keys_are_named(self) -> None:
        for key in ("clientID", "clientSecret", "redirectURI", "authorizationURL", "tokenURL", "userInfoURL"):
            for value in (None, ""):
                self.assertIn(key, self.unopened(**{key: value}))

    def test_values_that_cannot_be_are_named(self) -> None:
        for key, value in (
            ("tokenURL", "token"),
            ("scopes", "openid"),
            ("pkceChallenge", "plain"),
            ("claimMapping", ["a"]),
            ("rootCAs", ["no certificate"]),
            ("insecureSkipVerify", "yes"),
        ):
            self.assertIn(key, self.unopened(**{key: value}))
        self.assertIn("claimMapping.emailKey", self.unopened(claimMapping={"emailKey": 7}))

    def test_FU_05_no_issuer_is_believed_because_none_is_asked(self) -> None:
        self.upstream.token_answer["id_token"] = jwt({"sub": "somebody-else", "iss": "https://evil.test"})
        self.assertEqual(self.login(self.opened()).claims.user_id, "1000")

    def test_page_shows_a_configuration_that_opens_and_every_key(self) -> None:
        self.opened(**self.documented())
        self.assert_documented()


class TwoTests(OAuthTestCase):
    def test_answers_of_one_login_do_not_reach_another(self) -> None:
        connector = self.opened()
        people = [{"id": "1"}, {"id": "2"}]
        starts = []
        for person in people:
            self.upstream.person = person
            start = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
            starts.append(self.upstream.log_in(start.url))

        def identity(query: dict[str, str]) -> Identity:
            return self.now(self.callback(connector, **query))

        self.assertEqual([identity(query).claims.user_id for query in reversed(starts)], ["2", "1"])

    def test_nothing_that_the_upstream_throws_back_is_told(self) -> None:
        def echo(call: Call) -> Answer:
            return Answer.html(f"what is {call.headers['authorization']}?", 400)

        self.upstream.scripted["/userinfo"] = echo
        self.fails(self.log_in(self.opened()), ConnectorError)
