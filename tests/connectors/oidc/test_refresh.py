"""Refresh and token exchange through the `oidc` connector."""

from __future__ import annotations

from typing import Any

import attrs

from dextwist.connectors.interface import (
    ConnectorError,
    Identity,
    IdentityGone,
    LoginRefused,
    RefreshInterrupted,
)
from dextwist.model.claims import Claims
from tests.connectors.federated import ALL, OFFLINE
from tests.connectors.oidc.case import KNOWN, OTHER_KEY, PERSON, OIDCTestCase
from tests.upstreams.oauth import Granted
from tests.upstreams.oidc_provider import signed
from tests.upstreams.served import Answer

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
STAFF = {"insecureEnableGroups": True, "allowedGroups": ["staff"]}


class RefreshTests(OIDCTestCase):
    def test_7_with_and_without_an_id_token(self) -> None:
        kept = Identity(claims=KNOWN, connector_data=b'{"RefreshToken":"asdf"}')
        # What dex keeps is base64: these are the bytes of `asdf`.
        self.upstream.scripted["/token"] = lambda call: Answer.json(
            self.upstream.tokens(Granted(person=PERSON), refresh=False)
            | ({} if self.upstream.id_token_on_refresh else {"id_token": ""})
        )
        kept = attrs.evolve(kept, connector_data=b'{"RefreshToken":"YXNkZg=="}')
        for with_id_token in (True, False):
            self.upstream.id_token_on_refresh = with_id_token
            connector = self.opened(getUserInfo=True, scopes=["openid", "offline_access"])
            self.assertEqual(self.refreshed(connector, kept).claims, KNOWN)
        self.assertEqual(self.upstream.calls_of("/token")[-1].form["refresh_token"], "asdf")

    def test_5_brings_what_is_true_now(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        self.upstream.person.update(name="newer", email="newer@example.org", email_verified=False)
        fresh = self.refreshed(connector, identity)
        self.assertEqual(
            fresh.claims, Claims(user_id="subvalue", username="newer", email="newer@example.org")
        )
        form = self.upstream.calls_of("/token")[-1].form
        self.assertEqual(form.keys(), {"grant_type", "refresh_token"})

    def test_5_rotated_token_is_kept_and_one_without_successor_stays(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        for rotates in (True, True, False, False):
            self.upstream.rotates = rotates
            fresh = self.refreshed(connector, identity)
            self.assertEqual(fresh.connector_data != identity.connector_data, rotates)
            identity = fresh

    def test_5_login_without_a_token_keeps_none(self) -> None:
        self.upstream.gives_refresh_token = False
        self.assertEqual(self.login(self.opened(), OFFLINE).connector_data, b"")

    def test_O18_login_without_offline_access_keeps_none(self) -> None:
        self.assertEqual(self.login(self.opened()).connector_data, b"")

    def test_5_what_the_provider_leaves_out_stays(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        for gone in (("name",), ("email", "email_verified"), ("email_verified",), ("name", "email")):
            self.upstream.person = {name: value for name, value in PERSON.items() if name not in gone}
            # The person of the refresh token is the one of the login.
            for granted in self.upstream.refresh_tokens.values():
                granted.person.clear()
                granted.person.update(self.upstream.person)
            identity = self.refreshed(connector, identity)
            self.assertEqual(identity.claims, KNOWN, gone)

    def test_FU_02_another_address_is_not_verified_by_what_was_said_of_the_old(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        self.upstream.person.pop("email_verified")
        self.upstream.person["email"] = "another@example.org"
        self.fails(connector.refresh(ALL, identity), RefreshInterrupted)

    def test_5_without_id_token_and_userinfo_there_is_nobody(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        self.upstream.id_token_on_refresh = False
        interrupted = self.fails(connector.refresh(ALL, identity), RefreshInterrupted)
        self.assertIsInstance(interrupted.cause, ConnectorError)

    def test_O20_renewed_token_is_kept_whatever_follows(self) -> None:
        connector = self.opened(**STAFF)
        self.upstream.person["groups"] = ["staff"]
        identity = self.login(connector, OFFLINE)
        self.upstream.person["groups"] = ["others"]
        interrupted = self.fails(connector.refresh(ALL, identity), RefreshInterrupted)
        self.assertIsInstance(interrupted.cause, LoginRefused)
        self.upstream.person["groups"] = ["staff"]
        renewed = attrs.evolve(identity, connector_data=interrupted.connector_data)
        self.assertEqual(self.refreshed(connector, renewed).claims.groups, ("staff",))

    def test_O21_answer_about_somebody_else(self) -> None:
        for config in ({}, {"getUserInfo": True}, STAFF):
            connector = self.opened(**config)
            self.upstream.person = {**PERSON, "groups": ["staff"]}
            identity = self.login(connector, OFFLINE)
            self.upstream.person.update(sub="another", name="mallory", groups=["others"])
            self.fails(connector.refresh(ALL, identity), IdentityGone)

    def test_upstream_that_honours_the_token_no_more(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        self.upstream.refresh_tokens.clear()
        self.fails(connector.refresh(ALL, identity), IdentityGone)

    def test_trouble_is_no_verdict_about_the_person(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        for answer in (
            Answer.json({}, 503),
            Answer.json({"error": "invalid_client"}, 401),
            Answer(body=b"{"),
        ):
            self.upstream.scripted["/token"] = answer
            self.fails(connector.refresh(ALL, identity), ConnectorError)

    def test_connector_data_that_cannot_be_read(self) -> None:
        connector = self.opened()
        for data in (
            b"x",
            b"[]",
            b"{}",
            b'{"RefreshToken": 7}',
            b'{"RefreshToken": "*"}',
            b'{"RefreshToken": "/w=="}',
        ):
            stored = Identity(claims=KNOWN, connector_data=data)
            self.fails(connector.refresh(ALL, stored), ConnectorError)
        for data in (b"", b'{"RefreshToken": null}', b'{"RefreshToken": ""}'):
            stored = Identity(claims=KNOWN, connector_data=data)
            self.assertIn("refresh token", str(self.fails(connector.refresh(ALL, stored), ConnectorError)))
        self.assertEqual(self.upstream.calls_of("/token"), [])

    def test_FU_01_id_token_of_a_refresh_is_verified(self) -> None:
        connector = self.opened()
        identity = self.login(connector, OFFLINE)
        for wrong in ({"aud": "another"}, {"iss": "https://other.test"}, {"exp": 1}):
            self.upstream.id_token = wrong
            interrupted = self.fails(connector.refresh(ALL, identity), RefreshInterrupted)
            identity = attrs.evolve(identity, connector_data=interrupted.connector_data)
        self.upstream.id_token = {}
        self.upstream.sign = lambda claims: signed(claims, OTHER_KEY)
        self.fails(connector.refresh(ALL, identity), RefreshInterrupted)


class TokenExchangeTests(OIDCTestCase):
    def exchanged(self, kind: str, token: str, **config: Any) -> Claims:
        identity: Identity = self.now(self.opened(**config).token_identity(kind, token))
        self.assertEqual(identity.connector_data, b"")
        return identity.claims

    def not_exchanged(self, kind: str, token: str, **config: Any) -> str:
        return str(self.fails(self.opened(**config).token_identity(kind, token), ConnectorError))

    def id_token(self, **claims: Any) -> str:
        self.upstream.id_token = claims
        return self.upstream.signed(self.upstream.claims(PERSON))

    def access_token(self, token: str = "opaque") -> str:
        self.upstream.access_tokens[token] = PERSON
        return token

    def test_7_id_token(self) -> None:
        self.assertEqual(self.exchanged(ID_TOKEN, self.id_token()), KNOWN)
        # Userinfo is for access tokens.
        self.assertEqual(self.exchanged(ID_TOKEN, self.id_token(), getUserInfo=True), KNOWN)
        self.assertEqual(self.upstream.calls_of("/userinfo"), [])

    def test_7_access_token_needs_userinfo(self) -> None:
        self.assertIn("getUserInfo", self.not_exchanged(ACCESS_TOKEN, self.access_token()))
        self.assertEqual(self.exchanged(ACCESS_TOKEN, self.access_token(), getUserInfo=True), KNOWN)
        self.assertIn("401", self.not_exchanged(ACCESS_TOKEN, "unknown", getUserInfo=True))

    def test_other_types_are_refused(self) -> None:
        for kind in ("", "id_token", "urn:ietf:params:oauth:token-type:saml2"):
            self.not_exchanged(kind, self.id_token(), getUserInfo=True)

    def test_OA_45_token_for_another_application(self) -> None:
        for aud in ("another", ["another", "third"], [], None):
            self.assertIn("audience", self.not_exchanged(ID_TOKEN, self.id_token(aud=aud)))
        several: dict[str, Any] = {"aud": ["clientID", "another"]}
        self.not_exchanged(ID_TOKEN, self.id_token(**several))
        self.not_exchanged(ID_TOKEN, self.id_token(**several, azp="another"))
        self.exchanged(ID_TOKEN, self.id_token(**several, azp="clientID"))

    def test_audiences_of_the_configuration(self) -> None:
        named = {"tokenExchangeAudiences": ["another"]}
        self.assertEqual(self.exchanged(ID_TOKEN, self.id_token(aud="another"), **named), KNOWN)
        self.not_exchanged(ID_TOKEN, self.id_token(), **named)
        any_audience = {"tokenExchangeAudiences": ["*"]}
        self.assertEqual(self.exchanged(ID_TOKEN, self.id_token(aud="whoever"), **any_audience), KNOWN)

    def test_OA_45_access_token_for_another_application(self) -> None:
        def token(**claims: Any) -> str:
            return self.access_token(self.upstream.signed({"iss": self.upstream.url, "aud": "api", **claims}))

        config = {"getUserInfo": True}
        for wrong in (
            {},
            {"azp": "another"},
            {"client_id": "another"},
            {"azp": "clientID", "iss": "https://x.test"},
        ):
            self.assertIn("audience", self.not_exchanged(ACCESS_TOKEN, token(**wrong), **config))
        self.not_exchanged(ACCESS_TOKEN, self.access_token(signed({"aud": "clientID"}, OTHER_KEY)), **config)
        for ours in (
            {"aud": "clientID"},
            {"aud": ["a", "clientID"]},
            {"azp": "clientID"},
            {"client_id": "clientID"},
        ):
            self.assertEqual(self.exchanged(ACCESS_TOKEN, token(**ours), **config), KNOWN)
        self.exchanged(ACCESS_TOKEN, token(), **config, tokenExchangeAudiences=["*"])

    def test_OA_45_wrong_id_tokens(self) -> None:
        now = int(self.clock.seconds())
        for claims in ({"iss": "https://other.test"}, {"exp": now}, {"exp": now - 30}, {"nbf": 2**33}):
            self.not_exchanged(ID_TOKEN, self.id_token(**claims))
        for token in ("nonsense", signed(self.upstream.claims(PERSON), OTHER_KEY), ""):
            self.not_exchanged(ID_TOKEN, token)

    def test_OA_45_access_token_is_no_id_token(self) -> None:
        for typ in ("at+jwt", "application/at+jwt", "AT+JWT"):
            self.not_exchanged(ID_TOKEN, self.upstream.signed(self.upstream.claims(PERSON), typ=typ))

    def test_OA_45_same_policy_as_a_login(self) -> None:
        for change in ({"groups": ["others"]}, {"groups": None}):
            error = self.fails(
                self.opened(**STAFF).token_identity(ID_TOKEN, self.id_token(**change)), LoginRefused
            )
            self.assertEqual(error.required_groups, ("staff",))
        for change in ({"email_verified": None}, {"name": None}, {"sub": None}):
            self.not_exchanged(ID_TOKEN, self.id_token(groups=["staff"], **change), **STAFF)
        claims = self.exchanged(ID_TOKEN, self.id_token(groups=["staff", "others"]), **STAFF)
        self.assertEqual(claims.groups, ("staff",))
