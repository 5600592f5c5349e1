"""The `microsoft` connector, at a fake tenant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from dextwist.connectors.interface import (
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LoginCancelled,
    LoginRefused,
    LoginStart,
    LogoutConnector,
    RefreshConnector,
    RefreshInterrupted,
    TokenIdentityConnector,
)
from dextwist.connectors.microsoft import packed, unpacked
from dextwist.model.claims import Claims
from tests.connectors.federated import ALL, CALLBACK, GROUPS, OFFLINE, PLAIN, STATE, FederatedTestCase
from tests.upstreams.microsoft import BY_IDS, ME, MEMBER_GROUPS, FakeMicrosoft, graph_error
from tests.upstreams.served import Answer, Call

JANE = Claims(user_id="S56767889", username="Jane Doe", email="jane.doe@example.com", email_verified=True)
THROTTLED = graph_error(429, "TooManyRequests", "Too many requests", Retry_After="10")


class MicrosoftTestCase(FederatedTestCase):
    kind = "microsoft"

    def setUp(self) -> None:
        super().setUp()
        self.upstream: FakeMicrosoft = FakeMicrosoft()

    def config(self) -> dict[str, Any]:
        url = self.upstream.url
        return {**super().config(), "tenant": "acme", "apiURL": url, "graphURL": url}

    def refused(self, asking: ConnectorScopes = PLAIN, **config: Any) -> LoginRefused:
        return self.fails(self.log_in(self.opened(**config), asking), LoginRefused)

    def graph_calls(self, path: str) -> list[Call]:
        return self.upstream.calls_of(path)


class LoginURLTests(MicrosoftTestCase):
    def test_parameters_and_path(self) -> None:
        start: LoginStart = self.now(self.opened().login_url(PLAIN, CALLBACK, STATE))
        self.assertTrue(start.url.startswith("https://upstream.test/acme/oauth2/v2.0/authorize?client_id="))
        asked = dict(self.asked(self.opened()))
        self.assertEqual(asked.pop("code_challenge_method"), "S256")
        self.assertEqual(len(asked.pop("code_challenge")), 43)
        self.assertEqual(
            asked,
            {
                "client_id": "testClient",
                "redirect_uri": CALLBACK,
                "response_type": "code",
                "scope": "user.read",
                "state": STATE,
            },
        )

    def test_hints(self) -> None:
        asked = self.asked(self.opened(promptType="consent", domainHint="domain.hint"))
        self.assertEqual((asked["prompt"], asked["domain_hint"]), ("consent", "domain.hint"))
        hinted = ConnectorScopes(login_hint="jane@example.com")
        self.assertEqual(self.asked(self.opened(), hinted)["login_hint"], "jane@example.com")
        self.assertNotIn("login_hint", asked)

    def test_scopes_for_what_is_needed(self) -> None:
        for config, scopes, scope in (
            ({}, PLAIN, "user.read"),
            ({}, ALL, "user.read directory.read.all offline_access"),
            ({"groups": ["Admins"]}, PLAIN, "user.read directory.read.all"),
            ({"scopes": ["openid", "x.read"]}, OFFLINE, "openid x.read offline_access"),
            ({"scopes": ["offline_access"]}, OFFLINE, "offline_access"),
        ):
            self.assertEqual(self.asked(self.opened(**config), scopes)["scope"], scope)

    def test_O3_another_callback_url_is_an_error(self) -> None:
        self.fails(self.opened().login_url(PLAIN, CALLBACK + "/", STATE), ConnectorError)

    def test_slash_at_the_end_of_an_address_is_dropped(self) -> None:
        connector = self.opened(apiURL="https://upstream.test/", graphURL="https://upstream.test/")
        self.assertEqual(self.login(connector).claims, JANE)

    def test_tenant_is_one_segment_of_the_path(self) -> None:
        start: LoginStart = self.now(self.opened(tenant="a/../b").login_url(PLAIN, CALLBACK, STATE))
        self.assertIn("/a%2F..%2Fb/oauth2/", start.url)


class IdentityTests(MicrosoftTestCase):
    def test_who_it_is(self) -> None:
        self.upstream.lifetime = "30"
        identity = self.login(self.opened())
        self.assertEqual(identity.claims, JANE)
        self.assertEqual(identity.connector_data, b"")
        self.assertEqual(identity.upstream_claims, self.upstream.person)
        self.assertEqual(self.graph_calls(MEMBER_GROUPS), [])

    def test_graph_is_asked_in_these_very_characters(self) -> None:
        self.login(self.opened())
        (call,) = self.graph_calls(ME)
        self.assertEqual(
            call.target,
            f"{ME}?$select=id,displayName,userPrincipalName,mailNickname,onPremisesSamAccountName",
        )

    def test_preferred_username(self) -> None:
        for field, name in (
            (None, ""),
            ("name", "Jane Doe"),
            ("email", "jane.doe@example.com"),
            ("mailNickname", "janedoe"),
            ("onPremisesSamAccountName", "DOMAIN\\janedoe"),
        ):
            claims = self.login(self.opened(preferredUsernameField=field)).claims
            self.assertEqual(claims.preferred_username, name)

    def test_email_in_lower_case(self) -> None:
        self.upstream.person["userPrincipalName"] = "Jane.Doe@Example.COM"
        self.assertEqual(self.login(self.opened()).claims.email, "Jane.Doe@Example.COM")
        lower = self.opened(emailToLowercase=True, preferredUsernameField="email")
        claims = self.login(lower).claims
        self.assertEqual(claims.email, "jane.doe@example.com")
        self.assertEqual(claims.preferred_username, "jane.doe@example.com")

    def test_FU_02_address_of_the_mailbox(self) -> None:
        connector = self.opened(emailField="mail")
        self.upstream.person["mail"] = "j@example.com"
        self.assertEqual(self.login(connector).claims.email, "j@example.com")
        self.assertTrue(self.graph_calls(ME)[-1].target.endswith(",mail"))
        self.upstream.person["mail"] = None
        claims = self.login(connector).claims
        self.assertEqual((claims.email, claims.email_verified), ("", False))

    def test_FU_02_address_that_others_write_is_not_believed(self) -> None:
        for tenant in ("common", "organizations", "consumers", None):
            self.assertIn("emailField", self.unopened(emailField="mail", tenant=tenant))

    def test_missing_values_are_empty_and_those_of_other_kinds_errors(self) -> None:
        self.upstream.person = {"id": "1", "displayName": None}
        self.assertEqual(self.login(self.opened()).claims, Claims(user_id="1"))
        for name in ("displayName", "userPrincipalName"):
            self.upstream.person = {"id": "1", name: 7}
            self.fails(self.log_in(self.opened()), ConnectorError)

    def test_O16_user_without_an_id_is_an_error(self) -> None:
        people: list[dict[str, Any]] = [{}, {"id": ""}, {"id": None}, {"id": 0}, {"id": 7}]
        for person in people:
            self.upstream.person = {"displayName": "Jane", **person}
            self.fails(self.log_in(self.opened()), ConnectorError)

    def test_O15_graph_that_fails_ends_the_login(self) -> None:
        for answer in (
            graph_error(401, "InvalidAuthenticationToken", "Access token is empty."),
            THROTTLED,
            Answer.json({"id": "1"}, 201),
            Answer.html("<html>"),
            Answer.json(["a"]),
            Answer(),
        ):
            self.upstream.scripted[ME] = answer
            self.fails(self.log_in(self.opened()), ConnectorError)

    def test_O15_token_that_graph_throws_back_is_not_told(self) -> None:
        def echo(call: Call) -> Answer:
            return graph_error(400, "BadRequest", f"what is {call.token}?")

        self.upstream.scripted[ME] = echo
        self.assertIn("what is", str(self.fails(self.log_in(self.opened()), ConnectorError)))

    def test_errors_of_graph_are_told_to_the_log(self) -> None:
        self.upstream.scripted[ME] = graph_error(403, "Authorization_RequestDenied", "Not enough rights")
        self.assertIn("Not enough rights", str(self.fails(self.log_in(self.opened()), ConnectorError)))

    def test_O4_error_of_the_platform(self) -> None:
        error = self.fails(
            self.callback(self.opened(), error="server_error", error_description="AADSTS1"), ConnectorError
        )
        self.assertIn("server_error: AADSTS1", str(error))
        self.fails(self.callback(self.opened(), error="access_denied"), LoginCancelled)

    def test_proof_of_another_login_redeems_nothing(self) -> None:
        connector = self.opened()
        start: LoginStart = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        self.fails(self.callback(connector, **self.upstream.log_in(start.url)), ConnectorError)

    def test_FU_01_no_id_token_is_believed_because_none_is_asked(self) -> None:
        self.upstream.token_answer = {"id_token": "e30.eyJzdWIiOiJvdGhlciJ9.x"}
        self.assertEqual(self.login(self.opened()).claims, JANE)


class GroupTests(MicrosoftTestCase):
    def groups(self, asking: ConnectorScopes = GROUPS, **config: Any) -> tuple[str, ...]:
        return self.login(self.opened(**config), asking).claims.groups

    def test_names(self) -> None:
        self.assertEqual(self.groups(), ("Admins", "Developers"))
        (members,), (names,) = self.graph_calls(MEMBER_GROUPS), self.graph_calls(BY_IDS)
        self.assertEqual((members.method, members.json), ("POST", {"securityEnabledOnly": False}))
        self.assertEqual(names.json, {"ids": ["id-a", "id-b"], "types": ["group"]})

    def test_ids(self) -> None:
        self.assertEqual(self.groups(groupNameFormat="id"), ("id-a", "id-b"))
        self.assertEqual(self.graph_calls(BY_IDS), [])

    def test_no_groups_are_not_looked_up_by_name(self) -> None:
        self.upstream.groups = {}
        self.assertEqual(self.groups(), ())
        self.assertEqual(self.graph_calls(BY_IDS), [])

    def test_security_groups_alone(self) -> None:
        self.assertEqual(self.groups(onlySecurityGroups=True), ("Developers",))

    def test_groups_without_a_name_are_passed_over(self) -> None:
        self.upstream.groups["id-b"] = ""
        self.assertEqual(self.groups(), ("Admins",))

    def test_tenants_of_many_have_no_groups(self) -> None:
        for tenant in ("common", "organizations", "consumers"):
            self.upstream.tenant = tenant
            self.assertEqual(self.groups(tenant=tenant), ())
        self.assertEqual(self.graph_calls(MEMBER_GROUPS), [])

    def test_FU_03_every_page_is_read(self) -> None:
        self.upstream.page = 3
        self.upstream.groups = {f"id-{n:02}": f"Group {n:02}" for n in range(11)}
        self.assertEqual(self.groups(), tuple(self.upstream.groups.values()))
        self.assertEqual(self.groups(groupNameFormat="id"), tuple(self.upstream.groups))
        self.assertEqual(len({call.body for call in self.graph_calls(MEMBER_GROUPS)}), 1)

    def test_FU_03_names_of_many_groups_are_asked_for_in_parts(self) -> None:
        self.upstream.page = 1000
        self.upstream.groups = {f"id-{n:04}": f"Group {n:04}" for n in range(1500)}
        for batched in (True, False):
            self.upstream.calls.clear()
            self.assertEqual(self.groups(batchGroupLookups=batched), tuple(self.upstream.groups.values()))
            self.assertEqual([len(call.json["ids"]) for call in self.graph_calls(BY_IDS)], [1000, 500])

    def test_next_page_at_another_place_is_not_asked_for(self) -> None:
        for place in (
            "https://elsewhere.test",
            "http://upstream.test",
            "https://upstream.test:444",
            "https://upstream.test@elsewhere.test",
            "https://[",
            "//elsewhere.test",
        ):
            self.upstream.calls.clear()
            page = {"value": ["id-b"], "@odata.nextLink": f"{place}{MEMBER_GROUPS}?$skiptoken=1"}
            self.upstream.scripted[MEMBER_GROUPS] = Answer.json(page)
            self.fails(self.log_in(self.opened(), GROUPS), ConnectorError)
            self.assertEqual(len(self.graph_calls(MEMBER_GROUPS)), 1)

    def test_list_that_does_not_end_is_an_error(self) -> None:
        page = {"value": [], "@odata.nextLink": f"https://UPSTREAM.test:443{MEMBER_GROUPS}"}
        self.upstream.scripted[MEMBER_GROUPS] = Answer.json(page)
        self.fails(self.log_in(self.opened(), GROUPS), ConnectorError)

    def test_FU_03_groups_that_cannot_be_had_end_the_login(self) -> None:
        for path in (MEMBER_GROUPS, BY_IDS):
            for answer in (
                THROTTLED,
                Answer.json({"value": ["id-a"]}, 500),
                Answer.html("<html>"),
                Answer.json({"value": "id-a"}),
                Answer.json({"value": [7]}),
                Answer.json({"value": [], "@odata.nextLink": 7}),
            ):
                self.upstream.scripted = {path: answer}
                for config in ({}, {"groups": ["Admins"]}):
                    self.fails(self.log_in(self.opened(**config), GROUPS), ConnectorError)

    def test_FU_03_outside_the_required_groups(self) -> None:
        groups: list[dict[str, str]] = [
            {"id-c": "c", "id-d": "d"},
            {},
            {"id-x": "A"},
            {"id-x": "a "},
            {"a": "b"},
        ]
        for known in groups:
            self.upstream.groups = known
            for asking in (PLAIN, GROUPS):
                for cut in (True, False):
                    refusal = self.refused(asking, groups=["a"], useGroupsAsWhitelist=cut)
                    self.assertEqual((refusal.user_id, refusal.required_groups), ("S56767889", ("a",)))

    def test_FU_03_group_of_that_name_does_not_stand_for_the_id(self) -> None:
        self.upstream.groups = {"id-x": "id-b"}
        self.refused(groups=["id-b"], groupNameFormat="id")

    def test_FU_03_inside_the_required_groups(self) -> None:
        required = {"groups": ["Developers", "Operators"]}
        self.assertEqual(self.groups(PLAIN, **required), ("Admins", "Developers"))
        self.assertEqual(self.groups(PLAIN, **required, useGroupsAsWhitelist=True), ("Developers",))
        self.assertEqual(self.groups(PLAIN, groups=["id-b"], groupNameFormat="id"), ("id-a", "id-b"))

    def test_FU_03_limit_that_cannot_be_enforced_does_not_open(self) -> None:
        for tenant in ("common", "consumers", "organizations", "", None):
            self.assertIn("groups", self.unopened(groups=["Developers"], tenant=tenant))
        self.assertIn("useGroupsAsWhitelist", self.unopened(useGroupsAsWhitelist=True))


class AssertionTests(MicrosoftTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.statement = Path(self.mktemp())
        self.upstream.styles = {"assertion"}

    def test_assertion_in_place_of_the_secret_read_each_time(self) -> None:
        connector = self.opened(clientAssertion=str(self.statement))
        for text in ("first.assertion", "second.assertion"):
            self.statement.write_text(f"{text}\n")
            self.login(connector)
            call = self.upstream.token_calls[-1]
            self.assertEqual(call.form["client_assertion"], text)
            self.assertEqual(
                call.form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            )
            self.assertEqual(call.form["client_id"], "testClient")
            self.assertNotIn("client_secret", call.form)
            self.assertNotIn("authorization", call.headers)

    def test_refresh_has_it_too(self) -> None:
        self.statement.write_text("an.assertion")
        connector = self.opened(clientAssertion=str(self.statement), clientSecret=None)
        identity = self.login(connector, ALL)
        self.clock.advance(4000)
        self.refreshed(connector, identity)
        self.assertEqual(self.upstream.token_calls[-1].form["client_assertion"], "an.assertion")

    def test_file_that_cannot_be_read_ends_the_login(self) -> None:
        self.fails(self.log_in(self.opened(clientAssertion=str(self.statement))), ConnectorError)
        self.assertEqual(self.upstream.token_calls, [])

    def test_refused_assertion_is_not_told(self) -> None:
        self.statement.write_text("s3cr3t.assertion")

        def echo(call: Call) -> Answer:
            return Answer.json(
                {"error": "invalid_client", "error_description": call.form["client_assertion"]}, 401
            )

        connector = self.opened(clientAssertion=str(self.statement))
        self.upstream.scripted["/acme/oauth2/v2.0/token"] = echo
        self.assertNotIn("s3cr3t", str(self.fails(self.log_in(connector), ConnectorError)))


class RefreshTests(MicrosoftTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connector = self.opened()
        self.identity = self.login(self.connector, ALL)

    def kept(self, identity: Identity) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(identity.connector_data)
        return kept

    def grants(self) -> list[str]:
        return [call.form["grant_type"] for call in self.upstream.token_calls]

    def test_O18_what_is_kept(self) -> None:
        kept = self.kept(self.identity)
        self.assertEqual(kept.keys(), {"accessToken", "refreshToken", "expiry"})
        self.assertEqual(kept["expiry"], "2026-06-21T01:00:00Z")

    def test_live_access_token_serves(self) -> None:
        self.upstream.person |= {"displayName": "Jane Roe", "userPrincipalName": "roe@example.com"}
        self.upstream.groups = {"id-c": "New"}
        self.clock.advance(3589)
        identity = self.refreshed(self.connector, self.identity)
        self.assertEqual(
            identity.claims,
            attrs.evolve(JANE, username="Jane Roe", email="roe@example.com", groups=("New",)),
        )
        self.assertEqual(self.grants(), ["authorization_code"])
        self.assertEqual(self.kept(identity), self.kept(self.identity))

    def test_O11_access_token_counts_as_expired_ten_seconds_early(self) -> None:
        self.clock.advance(3590)
        self.refreshed(self.connector, self.identity)
        self.assertEqual(self.grants(), ["authorization_code", "refresh_token"])

    def test_rotation_is_followed(self) -> None:
        identity, seen = self.identity, {self.kept(self.identity)["refreshToken"]}
        for _ in range(3):
            self.clock.advance(4000)
            identity = self.refreshed(self.connector, identity)
            seen.add(self.kept(identity)["refreshToken"])
        self.assertEqual(len(seen), 4)

    def test_old_refresh_token_stays_where_no_new_one_comes(self) -> None:
        self.upstream.rotates = False
        self.clock.advance(4000)
        identity = self.refreshed(self.connector, self.identity)
        before, after = self.kept(self.identity), self.kept(identity)
        self.assertEqual(after["refreshToken"], before["refreshToken"])
        self.assertNotEqual(after["accessToken"], before["accessToken"])

    def test_lower_case_stays(self) -> None:
        self.upstream.person["userPrincipalName"] = "JANE@example.com"
        connector = self.opened(emailToLowercase=True)
        identity = self.refreshed(connector, self.login(connector, ALL))
        self.assertEqual(identity.claims.email, "jane@example.com")

    def test_groups_that_are_not_needed_are_gone(self) -> None:
        identity = self.refreshed(self.connector, self.identity, OFFLINE)
        self.assertEqual(identity.claims.groups, ())

    def test_OA_29_required_groups_hold(self) -> None:
        connector = self.opened(groups=["Developers"])
        identity = self.login(connector, OFFLINE)
        self.upstream.groups = {"id-b": "Developers"}
        self.assertEqual(self.refreshed(connector, identity, OFFLINE).claims.groups, ("Developers",))
        self.upstream.groups = {"id-a": "Admins"}
        refusal = self.fails(connector.refresh(OFFLINE, identity), LoginRefused)
        self.assertEqual(refusal.required_groups, ("Developers",))

    def test_OA_29_user_who_is_gone(self) -> None:
        for status in (401, 403, 404):
            self.upstream.scripted[ME] = graph_error(status, "Gone", "gone")
            self.fails(self.connector.refresh(ALL, self.identity), IdentityGone)
        del self.upstream.scripted[ME]
        self.upstream.refresh_tokens.clear()
        self.clock.advance(4000)
        self.fails(self.connector.refresh(ALL, self.identity), IdentityGone)

    def test_trouble_is_not_taken_for_a_no(self) -> None:
        for answer in (THROTTLED, Answer.html("down", 503), Answer.html("<html>")):
            self.upstream.scripted[ME] = answer
            self.fails(self.connector.refresh(ALL, self.identity), ConnectorError)
        self.upstream.scripted.clear()
        self.upstream.unreachable = True
        self.assertTrue(self.fails(self.connector.refresh(ALL, self.identity), ConnectorError).unreachable)

    def test_O21_another_user_is_refused_and_nothing_is_kept(self) -> None:
        self.upstream.person["id"] = "S2"
        self.fails(self.connector.refresh(ALL, self.identity), IdentityGone)
        self.clock.advance(4000)
        self.fails(self.connector.refresh(ALL, self.identity), IdentityGone)

    def test_O20_renewed_tokens_are_handed_over_when_the_rest_fails(self) -> None:
        connector = self.opened(groups=["Developers"])
        identity = self.identity
        for path, answer, cause in (
            (ME, THROTTLED, ConnectorError),
            (ME, graph_error(401, "Gone", "gone"), IdentityGone),
            (MEMBER_GROUPS, THROTTLED, ConnectorError),
            (MEMBER_GROUPS, Answer.json({"value": []}), LoginRefused),
        ):
            self.upstream.scripted[path] = answer
            self.clock.advance(4000)
            interrupted = self.fails(connector.refresh(ALL, identity), RefreshInterrupted)
            self.assertIsInstance(interrupted.cause, cause)
            identity = attrs.evolve(identity, connector_data=interrupted.connector_data)
            self.upstream.scripted.clear()
        self.refreshed(connector, identity)

    def test_O20_nothing_new_is_nothing_to_hand_over(self) -> None:
        self.upstream.scripted[MEMBER_GROUPS] = THROTTLED
        self.fails(self.connector.refresh(ALL, self.identity), ConnectorError)

    def test_without_tokens_there_is_no_refresh(self) -> None:
        for data in (b"", b"{", b"[]", b"null", b'{"accessToken": 7}', b'{"expiry": "soon"}', b"\xff"):
            identity = attrs.evolve(self.identity, connector_data=data)
            self.fails(self.connector.refresh(ALL, identity), ConnectorError)

    def test_O11_expired_token_without_a_refresh_token(self) -> None:
        self.upstream.gives_refresh_token = False
        identity = self.login(self.connector, ALL)
        self.refreshed(self.connector, identity)
        self.clock.advance(4000)
        self.fails(self.connector.refresh(ALL, identity), ConnectorError)

    def test_O19_times_of_dex_are_read(self) -> None:
        for expiry, expired in (
            ("2026-06-21T03:00:00.123456789+02:00", False),
            ("2026-06-21T00:00:10Z", True),
            ("0001-01-01T00:00:00Z", False),
            (None, False),
        ):
            kept = {"accessToken": "a", "refreshToken": "r", "expiry": expiry}
            tokens = unpacked(json.dumps(kept).encode())
            identity = attrs.evolve(self.identity, connector_data=packed(tokens))
            self.upstream.calls.clear()
            self.fails(self.connector.refresh(ALL, identity), IdentityGone)
            self.assertEqual(bool(self.upstream.token_calls), expired)


class OpeningTests(MicrosoftTestCase):
    def test_abilities(self) -> None:
        self.assertIsInstance(self.opened(), RefreshConnector)
        for ability in (TokenIdentityConnector, LogoutConnector):
            self.assertNotIsInstance(self.opened(), ability)

    def test_missing_keys_are_named(self) -> None:
        for key in ("clientID", "clientSecret", "redirectURI"):
            for value in (None, ""):
                self.assertIn(key, self.unopened(**{key: value}))

    def test_values_that_nobody_knows_are_named(self) -> None:
        for key, value in (
            ("groupNameFormat", "upn"),
            ("preferredUsernameField", "upn"),
            ("emailField", "upn"),
            ("apiURL", "login"),
            ("graphURL", "ftp://graph.test"),
            ("groups", "Admins"),
            ("rootCAs", ["no certificate"]),
        ):
            self.assertIn(key, self.unopened(**{key: value}))

    def test_addresses_are_those_of_the_public_cloud(self) -> None:
        connector = self.opened(apiURL=None, graphURL=None, tenant=None)
        start: LoginStart = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        self.assertTrue(
            start.url.startswith("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?")
        )
        self.assertEqual(connector.graph.url, "https://graph.microsoft.com")

    def test_page_shows_a_configuration_that_opens_and_every_key(self) -> None:
        self.opened(**self.documented())
        self.assert_documented()
