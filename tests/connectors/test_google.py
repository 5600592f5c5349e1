"""The `google` connector, at a fake Google."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dextwist.connectors.google.directory import MAX_DEPTH, MAX_GROUPS
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
from dextwist.model.claims import Claims
from tests.connectors.federated import ALL, CALLBACK, GROUPS, NOW, OFFLINE, PLAIN, STATE, FederatedTestCase
from tests.upstreams.google import (
    DIRECTORY,
    METADATA,
    QUOTA_EXCEEDED,
    ROBOT,
    FakeGoogle,
    api_error,
    new_key,
    signed,
)
from tests.upstreams.served import Answer, Call

#: Making a key takes a while, and one serves all.
KEY, ROBOT_KEY, OTHER_KEY = new_key("google-1"), new_key("robot-1"), new_key("google-1")
JANE = Claims(
    user_id="110169484474386276334", username="Jane Doe", email="jane@example.org", email_verified=True
)
ME = "jane@example.org"
ADMINS = {"domainToAdminEmail": {"*": "admin@example.org"}}
READ_GROUPS = "https://www.googleapis.com/auth/admin.directory.group.readonly"
#: Who is in which group.
TREE = {
    "user_1@dexidp.com": ["groups_2@dexidp.com", "groups_1@dexidp.com"],
    "user_2@dexidp.com": ["groups_1@dexidp.com"],
    "groups_1@dexidp.com": ["groups_0@dexidp.com"],
    "groups_2@dexidp.com": ["groups_0@dexidp.com"],
}


class GoogleTestCase(FederatedTestCase):
    kind = "google"

    def setUp(self) -> None:
        super().setUp()
        self.upstream: FakeGoogle = FakeGoogle(clock=self.clock, key=KEY, robot_key=ROBOT_KEY)
        self.key_file = Path(self.mktemp())
        self.write_key()
        self.environ["HOME"] = self.mktemp()

    def write_key(self, **other: Any) -> None:
        self.key_file.write_text(json.dumps({**self.upstream.key_file(), **other}))

    def directory(self, **config: Any) -> Any:
        """A connector that can look groups up."""
        return self.opened(**{"serviceAccountFilePath": str(self.key_file), **ADMINS, **config})

    def refused(
        self, connector: Any, asking: ConnectorScopes = PLAIN, kind: type[Exception] = LoginRefused
    ) -> Any:
        return self.fails(self.log_in(connector, asking), kind)


class LoginURLTests(GoogleTestCase):
    def test_parameters(self) -> None:
        asked = dict(self.asked(self.opened()))
        self.assertEqual((asked.pop("code_challenge_method"), len(asked.pop("code_challenge"))), ("S256", 43))
        self.assertGreaterEqual(len(asked.pop("nonce")), 20)
        self.assertEqual(
            asked,
            {
                "client_id": "testClient",
                "redirect_uri": CALLBACK,
                "response_type": "code",
                "scope": "openid profile email",
                "state": STATE,
            },
        )

    def test_scopes_are_replaced_and_openid_is_once(self) -> None:
        self.assertEqual(self.asked(self.opened(scopes=["email", "openid"]))["scope"], "openid email")

    def test_login_hint_is_passed_on(self) -> None:
        hinted = ConnectorScopes(login_hint="jane@example.org")
        self.assertEqual(self.asked(self.opened(), hinted)["login_hint"], "jane@example.org")
        self.assertNotIn("login_hint", self.asked(self.opened()))

    def test_domain_is_hinted(self) -> None:
        for domains, hint in ((["example.org"], "example.org"), (["example.org", "example.com"], "*")):
            self.upstream.calls.clear()
            self.assertEqual(self.asked(self.opened(hostedDomains=domains))["hd"], hint)

    def test_prompt_with_offline_access_alone(self) -> None:
        for given, prompt in ((None, "consent"), ("", ""), ("login", "login")):
            connector = self.opened(promptType=given)
            asked = self.asked(connector, OFFLINE)
            self.assertEqual((asked["access_type"], asked["prompt"]), ("offline", prompt))
            self.assertNotIn("offline_access", asked["scope"])
            self.assertFalse({"access_type", "prompt"} & self.asked(connector).keys())

    def test_O3_another_callback_url_is_an_error(self) -> None:
        self.fails(self.opened().login_url(PLAIN, CALLBACK + "/", STATE), ConnectorError)


class IdentityTests(GoogleTestCase):
    def test_who_it_is(self) -> None:
        identity = self.login(self.opened(), ALL)
        self.assertEqual(identity.claims, JANE)
        self.assertEqual(identity.upstream_claims["hd"], "example.org")

    def test_O18_refresh_token_is_kept_as_it_is_where_it_is_wanted(self) -> None:
        self.assertEqual(self.login(self.opened()).connector_data, b"")
        self.assertIn(
            self.login(self.opened(), OFFLINE).connector_data.decode(), self.upstream.refresh_tokens
        )
        self.upstream.gives_refresh_token = False
        self.assertEqual(self.login(self.opened(), OFFLINE).connector_data, b"")

    def test_preferred_username(self) -> None:
        for field, name in ((None, ""), ("email", ME), ("emailLocalPart", "jane")):
            self.assertEqual(
                self.login(self.opened(preferredUsernameField=field)).claims.preferred_username, name
            )

    def test_FU_02_verified_is_what_google_says(self) -> None:
        values: list[Any] = [None, False, "true", "false", 1]
        for value in values:
            self.upstream.person["email_verified"] = value
            self.assertFalse(self.login(self.opened()).claims.email_verified)

    def test_missing_claims_are_empty(self) -> None:
        self.upstream.person = {"sub": "1"}
        self.assertEqual(self.login(self.opened()).claims, Claims(user_id="1"))

    def test_FU_01_id_token_must_be_googles_for_us_alive_and_of_this_login(self) -> None:
        for wrong in (
            {"aud": "other"},
            {"aud": ["testClient", "other"], "azp": "other"},
            {"azp": "other"},
            {"iss": "https://evil.test"},
            {"iss": "https://accounts.google.com/"},
            {"exp": NOW - 61},
            {"exp": None},
            {"nonce": "other"},
            {"nonce": None},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"at_hash": "other"},
        ):
            self.upstream.id_token = wrong
            self.refused(self.opened(), kind=ConnectorError)
        self.upstream.id_token = {"iss": "accounts.google.com"}
        self.assertEqual(self.login(self.opened()).claims, JANE)

    def test_FU_01_signature_must_be_googles(self) -> None:
        connector = self.opened()
        self.login(connector)
        usual = self.upstream.token

        def forged(header: dict[str, Any]) -> Callable[[Call], Answer]:
            def answer(call: Call) -> Answer:
                content = json.loads(usual(call).body)
                _, payload, signature = content["id_token"].split(".")
                content["id_token"] = ".".join((part(header), payload, signature))
                return Answer.json(content)

            return answer

        for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256", "kid": "google-1", "x": 1}):
            self.upstream.scripted["/token"] = forged(header)
            self.refused(connector, kind=ConnectorError)
        self.upstream.scripted.clear()
        self.upstream.scripted["/oauth2/v3/certs"] = self.upstream.certificates(
            Call(method="GET", target="/")
        )
        self.upstream.key = OTHER_KEY
        self.refused(connector, kind=ConnectorError)

    def test_no_id_token_is_an_error(self) -> None:
        self.upstream.scripted["/token"] = Answer.json({"access_token": "a", "token_type": "Bearer"})
        self.refused(self.opened(), kind=ConnectorError)

    def test_O4_error_of_the_upstream(self) -> None:
        self.fails(self.callback(self.opened(), error="server_error"), ConnectorError)
        self.fails(self.callback(self.opened(), error="access_denied"), LoginCancelled)
        self.assertEqual(self.upstream.calls_of("/token"), [])

    def test_proof_of_another_login_redeems_nothing(self) -> None:
        connector = self.opened()
        start: LoginStart = self.now(connector.login_url(PLAIN, CALLBACK, STATE))
        self.fails(self.callback(connector, **self.upstream.log_in(start.url)), ConnectorError)


class DomainTests(GoogleTestCase):
    def test_FU_02_people_of_other_domains_stay_out(self) -> None:
        connector = self.opened(hostedDomains=["example.org"])
        for hd in (
            None,
            "",
            "example.com",
            "sub.example.org",
            "notexample.org",
            "example.org ",
            "example.org.evil.test",
            "*",
            ["example.org"],
            True,
        ):
            self.upstream.person["hd"] = hd
            refusal = self.refused(connector)
            self.assertEqual((refusal.user_id, refusal.required_groups), (JANE.user_id, ()))
            self.assertIn("domain", refusal.message)

    def test_FU_02_letter_case_is_none_of_a_domains_business(self) -> None:
        self.upstream.person["hd"] = "Example.ORG"
        self.assertEqual(self.login(self.opened(hostedDomains=["EXAMPLE.org"])).claims, JANE)

    def test_FU_02_each_of_several_domains(self) -> None:
        connector = self.opened(hostedDomains=["example.com", "example.org"])
        for domain in ("example.com", "example.org"):
            self.upstream.person["hd"] = domain
            self.assertEqual(self.login(connector).claims, JANE)

    def test_FU_02_domain_is_looked_at_before_groups(self) -> None:
        connector = self.directory(hostedDomains=["example.com"], groups=["staff@example.org"])
        self.refused(connector)
        self.assertEqual(self.upstream.lookups, [])


class GroupTests(GoogleTestCase):
    def groups(self, email: str, **config: Any) -> tuple[str, ...]:
        self.upstream.person["email"] = email
        self.upstream.member_of = TREE
        return self.login(self.directory(**config), GROUPS).claims.groups

    def test_direct_and_transitive(self) -> None:
        for email, transitive, groups in (
            ("user_1@dexidp.com", False, ["groups_1", "groups_2"]),
            ("user_1@dexidp.com", True, ["groups_0", "groups_1", "groups_2"]),
            ("user_2@dexidp.com", False, ["groups_1"]),
            ("user_2@dexidp.com", True, ["groups_0", "groups_1"]),
        ):
            found = self.groups(email, fetchTransitiveGroupMembership=transitive)
            self.assertEqual(sorted(found), [f"{name}@dexidp.com" for name in groups])
            self.assertEqual(len(self.upstream.lookups), len(set(self.upstream.lookups)))
            self.upstream.lookups.clear()

    def test_cycles_end(self) -> None:
        self.upstream.member_of = {
            ME: ["a@example.org"],
            "a@example.org": ["b@example.org", "a@example.org"],
            "b@example.org": ["a@example.org"],
        }
        connector = self.directory(fetchTransitiveGroupMembership=True)
        self.assertEqual(self.login(connector, GROUPS).claims.groups, ("a@example.org", "b@example.org"))
        self.assertEqual(len(self.upstream.lookups), 3)

    def test_admin_of_the_domain(self) -> None:
        config = {"domainToAdminEmail": {"dexidp.com": "admin@dexidp.com"}}
        self.groups("user_1@dexidp.com", **config)
        self.assertEqual(self.upstream.lookups, [("admin@dexidp.com", "user_1@dexidp.com")])
        self.groups("user_1@DEXIDP.com", **config)
        self.upstream.lookups.clear()
        for email in ("user_1@foo.bar", "user_1_foo.bar", "user_1@dexidp.com@foo.bar", "a@x.dexidp.com"):
            self.upstream.person["email"] = email
            error = self.refused(self.directory(**config), GROUPS, ConnectorError)
            self.assertIn("domainToAdminEmail", str(error))
        self.assertEqual(self.upstream.lookups, [])

    def test_admin_of_any_other_domain(self) -> None:
        admins = {"domainToAdminEmail": {"DEXIDP.com": "admin@dexidp.com", "*": "any@example.org"}}
        for email, admin in (
            ("user_1@dexidp.com", "admin@dexidp.com"),
            ("a@b.test", "any@example.org"),
            ("a@b.test@dexidp.com", "admin@dexidp.com"),
            ("no-domain", "any@example.org"),
        ):
            self.upstream.lookups.clear()
            self.groups(email, **admins)
            self.assertEqual(self.upstream.lookups, [(admin, email)])

    def test_groups_of_foreign_domains_are_not_climbed(self) -> None:
        self.upstream.member_of = {
            ME: ["f@foreign.test", "g@example.org"],
            "g@example.org": ["h@example.org"],
        }
        connector = self.directory(
            domainToAdminEmail={"example.org": "admin@example.org"}, fetchTransitiveGroupMembership=True
        )
        groups = self.login(connector, GROUPS).claims.groups
        self.assertEqual(groups, ("f@foreign.test", "g@example.org", "h@example.org"))
        self.assertNotIn("f@foreign.test", [who for _, who in self.upstream.lookups])

    def test_FU_03_every_page_is_read(self) -> None:
        self.upstream.page = 3
        self.upstream.member_of = {ME: [f"g{n:02}@example.org" for n in range(11)]}
        groups = self.login(self.directory(), GROUPS).claims.groups
        self.assertEqual(list(groups), self.upstream.member_of[ME])
        calls = self.upstream.calls_of(DIRECTORY)
        self.assertEqual([call.query.get("pageToken") for call in calls], [None, "3", "6", "9"])
        self.assertEqual({call.query["userKey"] for call in calls}, {ME})

    def test_lists_that_do_not_end_are_errors(self) -> None:
        connector = self.directory(fetchTransitiveGroupMembership=True)
        self.upstream.scripted[DIRECTORY] = Answer.json({"nextPageToken": "again"})
        self.refused(connector, GROUPS, ConnectorError)
        self.upstream.scripted.clear()
        chain = [f"g{n}@example.org" for n in range(MAX_DEPTH + 2)]
        self.upstream.member_of = {ME: chain[:1]} | {a: [b] for a, b in pairwise(chain)}
        self.refused(connector, GROUPS, ConnectorError)
        self.upstream.member_of = {ME: [f"g{n}@example.org" for n in range(MAX_GROUPS + 1)]}
        self.upstream.lookups.clear()
        self.refused(connector, GROUPS, ConnectorError)
        self.assertEqual({who for _, who in self.upstream.lookups}, {ME})

    def test_directory_that_fails_ends_the_login(self) -> None:
        connector = self.directory(fetchTransitiveGroupMembership=True)
        self.upstream.member_of = {ME: ["a@example.org", "b@example.org"]}

        def half(call: Call) -> Answer:
            return QUOTA_EXCEEDED if call.query["userKey"] != ME else self.upstream.directory(call)

        for answer in (
            QUOTA_EXCEEDED,
            half,
            api_error(403, "Not Authorized to access this resource/api", "forbidden"),
            api_error(404, "Resource Not Found: userKey", "notFound"),
            Answer.json({"groups": []}, 500),
            Answer.html("<"),
            Answer.json({"groups": "all"}),
            Answer.json({"groups": [{}]}),
            Answer.json({"groups": ["a@example.org"]}),
            Answer.json({"groups": [], "nextPageToken": 7}),
        ):
            self.upstream.scripted[DIRECTORY] = answer
            self.refused(connector, GROUPS, ConnectorError)

    def test_FU_03_groups_only_where_they_are_needed(self) -> None:
        self.upstream.member_of = {ME: ["a@example.org"]}
        self.assertEqual(self.login(self.directory()).claims.groups, ())
        self.assertEqual(self.login(self.opened(), GROUPS).claims.groups, ())
        self.assertEqual(self.upstream.lookups, [])

    def test_FU_03_required_groups_cut_the_list(self) -> None:
        self.upstream.page = 1
        self.upstream.member_of = {ME: ["a@example.org", "staff@example.org", "b@example.org"]}
        connector = self.directory(groups=["staff@example.org", "other@example.org"])
        for asking in (PLAIN, GROUPS):
            self.assertEqual(self.login(connector, asking).claims.groups, ("staff@example.org",))

    def test_FU_03_outside_the_required_groups(self) -> None:
        connector = self.directory(groups=["staff@example.org"])
        groups: list[list[str]] = [
            [],
            ["others@example.org"],
            ["staff@example.com"],
            ["staff"],
            ["STAFF@example.org"],
            ["notstaff@example.org"],
        ]
        for known in groups:
            self.upstream.member_of = {ME: known}
            for asking in (PLAIN, GROUPS):
                refusal = self.refused(connector, asking)
                self.assertEqual(refusal.user_id, JANE.user_id)
                self.assertEqual(refusal.required_groups, ("staff@example.org",))

    def test_FU_02_address_that_is_not_verified_or_not_there_has_no_groups(self) -> None:
        self.upstream.member_of = {ME: ["staff@example.org"]}
        people: list[dict[str, Any]] = [
            {"email_verified": False},
            {"email_verified": "true"},
            {"email": None},
        ]
        for person in people:
            self.upstream.id_token = person
            for groups in ([], ["staff@example.org"]):
                self.refused(self.directory(groups=groups), GROUPS, ConnectorError)
        self.assertEqual(self.upstream.lookups, [])


class ServiceAccountTests(GoogleTestCase):
    def test_what_is_asserted(self) -> None:
        self.login(self.directory(), GROUPS)
        ((header, claims),) = self.upstream.assertions
        self.assertEqual(header, {"alg": "RS256", "typ": "JWT", "kid": "robot-1"})
        self.assertEqual(
            claims,
            {
                "iss": ROBOT,
                "sub": "admin@example.org",
                "scope": READ_GROUPS,
                "aud": "https://accounts.google.com/token",
                "iat": NOW,
                "exp": NOW + 3600,
            },
        )

    def test_token_is_kept_until_shortly_before_its_end(self) -> None:
        connector = self.directory()
        for seconds, tokens in ((0, 1), (3539, 1), (1, 2), (0, 2)):
            self.clock.advance(seconds)
            self.login(connector, GROUPS)
            self.assertEqual(len(self.upstream.assertions), tokens)

    def test_token_that_google_ends_early_is_replaced_at_the_next_login(self) -> None:
        connector = self.directory()
        self.login(connector, GROUPS)
        self.upstream.admins.clear()
        self.refused(connector, GROUPS, ConnectorError)
        self.login(connector, GROUPS)

    def test_refused_assertion_ends_the_login_and_is_not_told(self) -> None:
        connector = self.directory()
        usual = self.upstream.token

        def echo(call: Call) -> Answer:
            if "assertion" not in call.form:
                return usual(call)
            return Answer.json({"error": "invalid_grant", "error_description": call.form["assertion"]}, 400)

        self.upstream.scripted["/token"] = echo
        self.assertNotIn("eyJ", str(self.refused(connector, GROUPS, ConnectorError)))
        for answer in (Answer.json({"expires_in": 1}), Answer.json({"access_token": "", "expires_in": 1})):

            def other(call: Call, answer: Answer = answer) -> Answer:
                return answer if "assertion" in call.form else usual(call)

            self.upstream.scripted["/token"] = other
            self.refused(connector, GROUPS, ConnectorError)

    def test_other_address_for_tokens(self) -> None:
        self.login(self.directory(tokenURL="https://token.test/token"), GROUPS)
        self.assertEqual(self.upstream.assertions[-1][1]["aud"], "https://token.test/token")
        self.assertEqual(self.upstream.calls_of("/token")[-1].headers["host"], "token.test")

    def test_old_name_of_the_admin(self) -> None:
        self.login(self.directory(domainToAdminEmail=None, adminEmail="old@example.org"), GROUPS)
        self.login(self.directory(adminEmail="old@example.org"), GROUPS)
        self.assertEqual({said["sub"] for _, said in self.upstream.assertions}, {"old@example.org"})

    def test_addresses_are_googles(self) -> None:
        self.login(self.directory(), GROUPS)
        self.assertEqual(self.upstream.calls_of(DIRECTORY)[-1].headers["host"], "admin.googleapis.com")

    def test_machine_account(self) -> None:
        self.upstream.member_of = {ME: ["a@example.org"]}
        for host in ("169.254.169.254", "metadata.test:8080"):
            if host != "169.254.169.254":
                self.environ["GCE_METADATA_HOST"] = host
            connector = self.directory(serviceAccountFilePath=None)
            self.assertEqual(self.login(connector, GROUPS).claims.groups, ("a@example.org",))
            self.assertEqual(self.upstream.calls_of(f"{METADATA}/email")[-1].headers["host"], host)
            ((_, said),) = self.upstream.assertions
            self.assertEqual((said["iss"], said["sub"]), (ROBOT, "admin@example.org"))
            self.upstream.assertions.clear()

    def test_machine_that_is_not_googles_does_not_open(self) -> None:
        for answer in (Answer.html("", 404), Answer.html("<html>"), Answer()):
            self.upstream.scripted[f"{METADATA}/email"] = answer
            self.unopened(**ADMINS)

    def test_machine_that_may_not_sign_ends_the_login(self) -> None:
        for path in (f"{METADATA}/token", f"/v1/projects/-/serviceAccounts/{ROBOT}:signJwt"):
            for answer in (
                api_error(403, "Permission denied", "forbidden"),
                Answer.json({}),
                Answer.json([]),
            ):
                self.upstream.scripted = {path: answer}
                connector = self.directory(serviceAccountFilePath=None)
                self.refused(connector, GROUPS, ConnectorError)

    def test_order_of_the_places_where_keys_are_looked_for(self) -> None:
        other = Path(self.mktemp())
        well_known = Path(self.environ["HOME"]) / ".config/gcloud/application_default_credentials.json"
        well_known.parent.mkdir(parents=True)
        for name, path in (("env", other), ("home", well_known)):
            self.write_key(client_email=f"{name}@p.iam.gserviceaccount.com")
            path.write_text(self.key_file.read_text())
        self.write_key()

        def asserted(**config: Any) -> str:
            self.login(self.directory(**config), GROUPS)
            return str(self.upstream.assertions[-1][1]["iss"])

        self.assertEqual(asserted(serviceAccountFilePath=None), "home@p.iam.gserviceaccount.com")
        self.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(other)
        self.assertEqual(asserted(serviceAccountFilePath=None), "env@p.iam.gserviceaccount.com")
        self.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/dev/null"
        self.assertEqual(asserted(), ROBOT)
        self.assertIn("/dev/null", self.unopened(**ADMINS))


class RefreshTests(GoogleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connector = self.directory(hostedDomains=["example.org"])
        self.identity = self.login(self.connector, ALL)

    def refreshing(self, **change: Any) -> Any:
        return self.connector.refresh(ALL, attrs.evolve(self.identity, **change))

    def test_person_is_as_google_knows_them_now(self) -> None:
        self.upstream.person |= {"name": "Jane Roe", "email": "roe@example.org"}
        self.upstream.member_of = {"roe@example.org": ["a@example.org"]}
        identity = self.refreshed(self.connector, self.identity)
        self.assertEqual(
            identity.claims,
            attrs.evolve(JANE, username="Jane Roe", email="roe@example.org", groups=("a@example.org",)),
        )

    def test_rotation_is_followed(self) -> None:
        identity, seen = self.identity, {self.identity.connector_data}
        for _ in range(3):
            identity = self.refreshed(self.connector, identity)
            seen.add(identity.connector_data)
        self.assertEqual(len(seen), 4)

    def test_old_refresh_token_stays_where_no_new_one_comes(self) -> None:
        self.upstream.rotates = False
        identity = self.refreshed(self.connector, self.identity)
        self.assertEqual(identity.connector_data, self.identity.connector_data)

    def test_name_that_is_left_out_stays(self) -> None:
        self.upstream.id_token = {"name": None}
        self.assertEqual(self.refreshed(self.connector, self.identity).claims.username, "Jane Doe")

    def test_preferred_username_stays(self) -> None:
        for field, name in (("email", ME), ("emailLocalPart", "jane")):
            connector = self.opened(preferredUsernameField=field)
            self.upstream.id_token = {}
            identity = self.login(connector, OFFLINE)
            self.upstream.id_token = {"email": None}
            self.assertEqual(self.refreshed(connector, identity, OFFLINE).claims.preferred_username, name)

    def test_answer_without_an_id_token_is_an_error(self) -> None:
        self.upstream.id_token_on_refresh = False
        interrupted = self.fails(self.refreshing(), RefreshInterrupted)
        self.assertIsInstance(interrupted.cause, ConnectorError)

    def test_FU_01_id_token_is_verified(self) -> None:
        for wrong in ({"aud": "other"}, {"iss": "https://evil.test"}, {"exp": NOW - 61}):
            identity = self.login(self.connector, ALL)
            self.upstream.id_token = wrong
            self.fails(self.connector.refresh(ALL, identity), RefreshInterrupted)
            self.upstream.id_token = {}

    def test_O21_another_person_is_refused_and_nothing_is_kept(self) -> None:
        self.upstream.id_token = {"sub": "2"}
        self.fails(self.refreshing(), IdentityGone)

    def test_person_whom_google_forgot(self) -> None:
        self.upstream.refresh_tokens.clear()
        self.fails(self.refreshing(), IdentityGone)

    def test_without_a_refresh_token_nobody_is_asked(self) -> None:
        self.upstream.calls.clear()
        error = self.fails(self.refreshing(connector_data=b""), ConnectorError)
        self.assertIn("refresh token", str(error))
        self.assertEqual(self.upstream.calls, [])

    def test_O20_renewed_token_is_handed_over_when_the_rest_fails(self) -> None:
        connector = self.directory(hostedDomains=["example.org"], groups=["staff@example.org"])
        identity: Identity = self.identity
        for change, cause in (
            ({"id_token": {"hd": "example.com"}}, LoginRefused),
            ({"scripted": {DIRECTORY: QUOTA_EXCEEDED}}, ConnectorError),
            ({"member_of": {ME: []}}, LoginRefused),
        ):
            for name, value in change.items():
                setattr(self.upstream, name, value)
            interrupted = self.fails(connector.refresh(ALL, identity), RefreshInterrupted)
            self.assertIsInstance(interrupted.cause, cause)
            identity = attrs.evolve(identity, connector_data=interrupted.connector_data)
            self.upstream.id_token, self.upstream.scripted = {}, {}
        self.upstream.member_of = {ME: ["staff@example.org"]}
        self.refreshed(connector, identity)

    def test_O20_nothing_new_is_nothing_to_hand_over(self) -> None:
        self.upstream.rotates = False
        self.upstream.id_token = {"hd": "example.com"}
        self.fails(self.refreshing(), LoginRefused)

    def test_trouble_is_not_taken_for_a_no(self) -> None:
        self.upstream.unreachable = True
        self.assertTrue(self.fails(self.refreshing(), ConnectorError).unreachable)


class OpeningTests(GoogleTestCase):
    def test_abilities(self) -> None:
        self.assertIsInstance(self.opened(), RefreshConnector)
        for ability in (TokenIdentityConnector, LogoutConnector):
            self.assertNotIsInstance(self.opened(), ability)

    def test_missing_keys_are_named(self) -> None:
        for key in ("clientID", "clientSecret", "redirectURI"):
            for value in (None, ""):
                self.assertIn(key, self.unopened(**{key: value}))

    def test_values_that_cannot_be_are_named(self) -> None:
        for key, value in (
            ("preferredUsernameField", "name"),
            ("issuer", "accounts"),
            ("hostedDomains", "example.org"),
            ("domainToAdminEmail", ["admin@example.org"]),
            ("fetchTransitiveGroupMembership", "yes"),
            ("rootCAs", ["no certificate"]),
        ):
            self.assertIn(
                key, self.unopened(**{"serviceAccountFilePath": str(self.key_file), **ADMINS, key: value})
            )

    def test_FU_03_what_needs_an_admin_does_not_open_without(self) -> None:
        for config in ({"serviceAccountFilePath": str(self.key_file)}, {"groups": ["staff@example.org"]}):
            reason = self.unopened(**config)
            self.assertIn("domainToAdminEmail", reason)
            self.assertIn(next(iter(config)), reason)

    def test_key_files_that_are_none(self) -> None:
        path = str(self.key_file)
        curve = ec.generate_private_key(ec.SECP256R1())
        pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.unopened(serviceAccountFilePath="not_found.json", **ADMINS)
        for text in ("", "{", "[]", '"text"', '{"type": "authorized_user"}', '{"type": "service_account"}'):
            self.key_file.write_text(text)
            self.assertIn(path, self.unopened(serviceAccountFilePath=path, **ADMINS))
        for wrong in (
            {"private_key": "s3cr3t"},
            {"private_key": 7},
            {"private_key": pem},
            {"client_email": 7},
            {"token_uri": 7},
        ):
            self.write_key(**wrong)
            reason = self.unopened(serviceAccountFilePath=path, **ADMINS)
            self.assertIn(path, reason)
            self.assertNotIn("s3cr3t", reason)

    def test_FU_05_provider_that_is_another_does_not_open(self) -> None:
        self.upstream.url = "https://evil.test"
        self.assertIn("another issuer", self.unopened())

    def test_provider_that_cannot_be_reached_does_not_open(self) -> None:
        self.upstream.unreachable = True
        self.unopened()

    def test_page_shows_a_configuration_that_opens_and_every_key(self) -> None:
        self.opened(**{**self.documented(), "serviceAccountFilePath": str(self.key_file)})
        self.assert_documented()


def part(members: dict[str, Any]) -> str:
    """A part of a JWT."""
    return signed(members, KEY).split(".")[1]
