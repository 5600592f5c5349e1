"""What clients may do."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.client import Client
from dextwist.model.connector import ConnectorRecord
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.gate import (
    ProofKeyPolicy,
    check_authorization_scopes,
    check_challenge,
    check_connector,
    check_device,
    check_grant,
    check_introspection,
    check_machine_scopes,
    check_refresh_scopes,
    gives_refresh_token,
    may_use_connector,
    served_response_types,
    serves_grant,
    trusts,
    unknown_connector,
    untrusted_peers,
    usable_connectors,
)
from dextwist.oauth.grant_types import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    IMPLICIT,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    grant_type_of,
)

R1 = "https://app.test/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def connector(connector_id: str, *grant_types: str) -> ConnectorRecord:
    return ConnectorRecord(id=connector_id, type="mockCallback", name=connector_id, grant_types=grant_types)


def limited(*connector_ids: str) -> Client:
    return Client(id="c", allowed_connectors=connector_ids)


def scope_of(peer: str) -> str:
    return f"audience:server:client_id:{peer}"


class ConnectorTests(SynchronousTestCase):
    STORED = (connector("github"), connector("google"), connector("ldap"))

    def test_interface_9_allowed_connectors_filter_in_order(self) -> None:
        for allowed, expected in [
            ((), ["github", "google", "ldap"]),
            (("github",), ["github"]),
            (("ldap", "github"), ["github", "ldap"]),
            (("nonexistent",), []),
            (("google", "nonexistent"), ["google"]),
        ]:
            usable = usable_connectors(limited(*allowed), self.STORED, AUTHORIZATION_CODE)
            self.assertEqual([record.id for record in usable], expected)

    def test_interface_9_grant_types_filter(self) -> None:
        for of_mock, of_mock2, response_type, expected in [
            ((DEVICE_CODE,), (), "code", ["mock2"]),
            ((DEVICE_CODE,), (DEVICE_CODE,), "code", []),
            ((), (), "code", ["mock", "mock2"]),
            ((AUTHORIZATION_CODE,), (), "token", ["mock2"]),
            ((AUTHORIZATION_CODE,), (IMPLICIT,), "code id_token", ["mock2"]),
        ]:
            records = [connector("mock", *of_mock), connector("mock2", *of_mock2)]
            usable = usable_connectors(limited(), records, grant_type_of(response_type.split(), R1))
            self.assertEqual([record.id for record in usable], expected)

    def test_OA_31_interface_9_token_endpoint(self) -> None:
        for allowed, accepted in [(("a",), True), (("b", "a"), True), (("b",), False), ((), True)]:
            self.assertEqual(may_use_connector(limited(*allowed), "a"), accepted)
            if accepted:
                check_connector(limited(*allowed), connector("a"), REFRESH_TOKEN)
            else:
                with self.assertRaises(OAuthError) as raised:
                    check_connector(limited(*allowed), connector("a"), REFRESH_TOKEN)
                self.assertEqual((raised.exception.error, raised.exception.status), ("invalid_grant", 400))

    def test_15_3_connector_that_does_not_serve_the_grant(self) -> None:
        check_connector(limited(), connector("a", REFRESH_TOKEN), REFRESH_TOKEN)
        self.assertFalse(serves_grant(connector("a", AUTHORIZATION_CODE), REFRESH_TOKEN))
        error = self.assertRaises(
            OAuthError, check_connector, limited(), connector("a", AUTHORIZATION_CODE), REFRESH_TOKEN
        )
        self.assertEqual((error.error, error.status), ("invalid_request", 400))

    def test_15_4_refresh_token_needs_scope_ability_and_grant(self) -> None:
        scopes = ("openid", "offline_access")
        self.assertTrue(gives_refresh_token(connector("a"), True, scopes))
        self.assertTrue(gives_refresh_token(connector("a", REFRESH_TOKEN), True, scopes))
        self.assertFalse(gives_refresh_token(connector("a"), False, scopes))
        self.assertFalse(gives_refresh_token(connector("a", AUTHORIZATION_CODE), True, scopes))
        self.assertFalse(gives_refresh_token(connector("a"), True, ("openid",)))


class ResponseTypeTests(SynchronousTestCase):
    def test_what_is_enabled_is_served_where_the_grants_allow_all_of_it(self) -> None:
        for enabled in (("code",), ("token", "code", "id_token"), ("id_token token", "code")):
            for listed in ((), (AUTHORIZATION_CODE, IMPLICIT)):
                self.assertEqual(served_response_types(enabled, listed), enabled)
        self.assertEqual(served_response_types(("code",), (AUTHORIZATION_CODE,)), ("code",))

    def test_codes_need_authorization_code_and_answers_without_one_implicit(self) -> None:
        single = ("code", "token", "id_token")
        for enabled, listed, served in [
            (("code",), (IMPLICIT,), ()),
            (("code",), (CLIENT_CREDENTIALS,), ()),
            (single, (IMPLICIT, REFRESH_TOKEN), ("token", "id_token", "id_token token")),
            (
                single,
                (AUTHORIZATION_CODE,),
                ("code", "code token", "code id_token", "code id_token token"),
            ),
            (("code id_token", "id_token"), (AUTHORIZATION_CODE,), ("code id_token",)),
            (("code id_token", "id_token"), (IMPLICIT,), ("id_token",)),
        ]:
            self.assertEqual(served_response_types(enabled, listed), served)


class DeviceTests(SynchronousTestCase):
    def may(self, client: Client, path: str = "/dex") -> bool:
        try:
            check_device(client, path)
        except OAuthError as error:
            self.assertEqual(error.error, "unauthorized_client")
            return False
        return True

    def test_21_3_registered_callback(self) -> None:
        for public in (True, False):
            client = Client(id="tv", secret="s", public=public, redirect_uris=(R1, "/dex/device/callback"))
            self.assertTrue(self.may(client))
            self.assertFalse(self.may(client, ""))

    def test_21_3_30_63_public_client_without_redirect_uris(self) -> None:
        for path in ("", "/dex", "/a/b"):
            self.assertTrue(self.may(Client(id="tv", public=True), path))

    def test_OA_18_others_cannot_sign_in_devices(self) -> None:
        for client in (
            Client(id="app", secret="s", redirect_uris=(R1,)),
            Client(id="app", secret="s"),
            Client(id="app", public=True, redirect_uris=(R1,)),
            Client(id="app", secret="s", redirect_uris=("https://evil.test/dex/device/callback",)),
        ):
            self.assertFalse(self.may(client))


class ScopeTests(SynchronousTestCase):
    CLIENT = Client(id="app")
    PEERS = {
        "trusting": Client(id="trusting", trusted_peers=("other", "app")),
        "closed": Client(id="closed", trusted_peers=("other",)),
    }

    def refused(self, *scopes: str) -> OAuthError:
        error: OAuthError = self.assertRaises(
            OAuthError, check_authorization_scopes, self.CLIENT, scopes, self.PEERS
        )
        self.assertEqual((error.error, error.status), ("invalid_scope", 400))
        return error

    def test_5_3_8_known_scopes(self) -> None:
        scopes = ("openid", "offline_access", "email", "profile", "groups", "federated:id")
        check_authorization_scopes(self.CLIENT, scopes, {})

    def test_5_3_8b_openid_is_needed(self) -> None:
        self.refused("email")
        self.refused()

    def test_5_3_8c_30_12_unknown_scopes_are_refused(self) -> None:
        self.assertIn("bogus", self.refused("openid", "bogus", "email").description)

    def test_5_5_trusting_peer(self) -> None:
        check_authorization_scopes(self.CLIENT, ("openid", scope_of("trusting")), self.PEERS)

    def test_5_5_client_itself_is_trusted_unseen(self) -> None:
        check_authorization_scopes(self.CLIENT, ("openid", scope_of("app")), {})

    def test_5_5_peer_without_trust_and_unknown_peer_look_alike(self) -> None:
        closed = self.refused("openid", scope_of("closed")).description
        unknown = self.refused("openid", scope_of("nobody")).description
        self.assertEqual(closed.replace("closed", "nobody"), unknown)

    def test_5_5_empty_peer_is_untrusted(self) -> None:
        self.refused("openid", scope_of(""))

    def test_5_5_trust_has_a_direction(self) -> None:
        self.assertTrue(trusts(self.PEERS["trusting"], "app"))
        self.assertFalse(trusts(Client(id="app"), "trusting"))
        self.assertTrue(trusts(Client(id="app"), "app"))

    def test_untrusted_scopes_are_named(self) -> None:
        scopes = ("openid", scope_of("closed"), scope_of("trusting"), scope_of("nobody"), scope_of("app"))
        self.assertEqual(untrusted_peers("app", scopes, self.PEERS), [scope_of("closed"), scope_of("nobody")])

    def test_OA_27_refresh_may_ask_for_less_and_not_for_more(self) -> None:
        granted = ("openid", "email", "offline_access")
        check_refresh_scopes(("email",), granted)
        check_refresh_scopes((), granted)
        check_refresh_scopes(granted[::-1], granted)
        error = self.assertRaises(OAuthError, check_refresh_scopes, ("openid", "groups"), granted)
        self.assertEqual((error.error, error.status), ("invalid_scope", 400))


class ChallengeTests(SynchronousTestCase):
    """`oauth2.pkce`, as it is by default and with what dex allows."""

    DEFAULT = ProofKeyPolicy(methods=("S256",), required_for_all=False, required_for_public_clients=True)
    AS_DEX = ProofKeyPolicy(
        methods=("S256", "plain"), required_for_all=False, required_for_public_clients=False
    )
    ENFORCED = ProofKeyPolicy(methods=("S256",), required_for_all=True, required_for_public_clients=True)
    APP, CLI = Client(id="app", secret="s"), Client(id="cli", public=True)

    def accepted(self, client: Client, challenge: str, method: str, policy: ProofKeyPolicy) -> bool:
        try:
            check_challenge(client, challenge, method, policy, client_gets_code=True)
        except OAuthError as error:
            self.assertEqual(error.error, "invalid_request")
            return False
        return True

    def test_OA_12_s256(self) -> None:
        for policy in (self.DEFAULT, self.AS_DEX, self.ENFORCED):
            for client in (self.APP, self.CLI):
                self.assertTrue(self.accepted(client, VERIFIER, "S256", policy))

    def test_OA_13_public_clients_need_a_challenge(self) -> None:
        self.assertFalse(self.accepted(self.CLI, "", "", self.DEFAULT))
        self.assertFalse(self.accepted(self.CLI, "", "S256", self.DEFAULT))
        self.assertTrue(self.accepted(self.APP, "", "", self.DEFAULT))

    def test_OA_13_refusal_names_the_key_that_restores_dex(self) -> None:
        with self.assertRaises(OAuthError) as raised:
            check_challenge(self.CLI, "", "", self.DEFAULT, client_gets_code=True)
        self.assertIn("oauth2.pkce.requiredForPublicClients", raised.exception.description)

    def test_OA_13_unless_told_otherwise(self) -> None:
        self.assertTrue(self.accepted(self.CLI, "", "", self.AS_DEX))

    def test_OA_14_plain_only_where_it_is_listed(self) -> None:
        for method in ("plain", ""):
            self.assertFalse(self.accepted(self.APP, VERIFIER, method, self.DEFAULT))
            self.assertTrue(self.accepted(self.APP, VERIFIER, method, self.AS_DEX))

    def test_OA_14_s256_may_be_off(self) -> None:
        only_plain = ProofKeyPolicy(
            methods=("plain",), required_for_all=False, required_for_public_clients=False
        )
        self.assertFalse(self.accepted(self.APP, VERIFIER, "S256", only_plain))
        self.assertTrue(self.accepted(self.APP, VERIFIER, "", only_plain))

    def test_31_4_unknown_methods(self) -> None:
        for method in ("invalid_method", "S512", "s256", "PLAIN", "none"):
            for challenge in (VERIFIER, ""):
                self.assertFalse(self.accepted(self.APP, challenge, method, self.AS_DEX))

    def test_5_3_6_description_names_the_method(self) -> None:
        for method, named in [("S512", "S512"), ("", "plain")]:
            with self.assertRaises(OAuthError) as raised:
                check_challenge(self.APP, VERIFIER, method, self.DEFAULT, client_gets_code=True)
            self.assertIn(f"code_challenge_method {named} ", raised.exception.description)

    def test_31_4_enforced_for_everyone(self) -> None:
        for client in (self.APP, self.CLI):
            self.assertFalse(self.accepted(client, "", "", self.ENFORCED))

    def test_30_15_without_a_code_in_the_browser_no_challenge_is_demanded(self) -> None:
        for client in (self.APP, self.CLI):
            check_challenge(client, "", "", self.ENFORCED, client_gets_code=False)

    def test_methods_that_are_off_are_refused_all_the_same(self) -> None:
        with self.assertRaises(OAuthError):
            check_challenge(self.CLI, VERIFIER, "plain", self.ENFORCED, client_gets_code=False)


class MachineTests(SynchronousTestCase):
    """What clients may do in their own name."""

    def refusal(self, work: Callable[..., object], *arguments: object) -> tuple[str, int]:
        error = self.assertRaises(OAuthError, work, *arguments)
        return error.error, error.status

    def test_16_4_public_client(self) -> None:
        check_grant(Client(id="c", secret="s"), CLIENT_CREDENTIALS)
        check_grant(Client(id="c", public=True), AUTHORIZATION_CODE)
        public = Client(id="c", public=True, secret="s")
        self.assertEqual(self.refusal(check_grant, public, CLIENT_CREDENTIALS), ("unauthorized_client", 400))

    def test_15_2_scopes_of_a_machine(self) -> None:
        client = Client(id="c")
        peers = {"friend": Client(id="friend", trusted_peers=("c",)), "stranger": Client(id="stranger")}
        for scopes in ((), ("openid", "email", "profile", "groups"), (scope_of("friend"),), (scope_of("c"),)):
            check_machine_scopes(client, scopes, peers)
        for scope in ("offline_access", "federated:id", "wings", scope_of("stranger"), scope_of("nobody")):
            refused = self.refusal(check_machine_scopes, client, ("openid", scope), peers)
            self.assertEqual(refused, ("invalid_scope", 400), scope)

    def test_OA_23_introspection_is_for_clients_that_prove_who_they_are(self) -> None:
        for client in (Client(id="c", secret="s"), Client(id="c", public=True, secret="s"), Client(id="c")):
            check_introspection(client)
        refused = self.refusal(check_introspection, Client(id="c", public=True))
        self.assertEqual(refused, ("invalid_client", 401))

    def test_15_3_connector_that_does_not_exist(self) -> None:
        for grant_type, error in (
            (AUTHORIZATION_CODE, "invalid_grant"),
            (REFRESH_TOKEN, "invalid_grant"),
            (PASSWORD, "invalid_request"),
            (TOKEN_EXCHANGE, "invalid_request"),
        ):
            told = unknown_connector(grant_type)
            self.assertEqual((told.error, told.status), (error, 400))
