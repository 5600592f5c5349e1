"""Refresh tokens: what a client gets for one, and when it gets nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from twisted.logger import LogLevel
from twisted.logger import capturedLogs as captured_logs

from dextwist.connectors.interface import (
    ConnectorError,
    Identity,
    IdentityGone,
    LoginRefused,
    RefreshInterrupted,
)
from dextwist.model.claims import Claims
from dextwist.model.client import CLIENTS, Client
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.times import EPOCH
from dextwist.oauth.errors import OAuthError
from dextwist.oauth.hashes import half_hash
from dextwist.oauth.packed import packed
from dextwist.signing.interface import SigningError
from dextwist.storage.interface import Create, Delete, StorageUnavailable, Update
from dextwist.tokens.recheck import RecheckPolicy
from dextwist.tokens.refresh_policy import RefreshPolicy
from dextwist.tokens.refresh_tokens import parse_refresh_token
from tests.grants.fakes import BEGAN, KILGORE, opened
from tests.grants.refreshing import (
    FIRST,
    NO_WINDOW,
    OTHER,
    REPLAYED,
    SCOPES,
    SESSION_KEY,
    RefreshTestCase,
)
from tests.signing.fakes import FakeSigner


class AnswerTests(RefreshTestCase):
    def test_31_9_whole_set_and_another_string(self) -> None:
        response = self.refreshed()
        self.assertEqual(response.expires_in, 3600)
        token_id, secret = parse_refresh_token(response.refresh_token)
        self.assertEqual((token_id, secret), ("rid", self.token().token))
        self.assertNotEqual(secret, "s0")
        for token in (response.access_token, response.id_token):
            claims = self.read(token).claims
            self.assertEqual(claims["sub"], "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr")
            self.assertEqual((claims["groups"], claims["email"]), (["authors"], "kilgore@kilgore.trout"))
        claims = self.read(response.id_token).claims
        self.assertEqual(claims["at_hash"], half_hash("ES256", response.access_token))
        self.assertNotIn("c_hash", claims)

    def test_30_48_nonce_and_auth_time_stay(self) -> None:
        text = FIRST
        for _ in range(3):
            self.clock.advance(1000)
            response = self.refreshed(text)
            text = response.refresh_token
            for token in (response.access_token, response.id_token):
                claims = self.read(token).claims
                self.assertEqual((claims["nonce"], claims["auth_time"]), ("n", int(BEGAN.timestamp()) - 7))

    def test_30_48_auth_time_that_dex_did_not_keep_is_not_made_up(self) -> None:
        self.store("old", auth_time=EPOCH)
        response = self.refreshed(packed("old", "s0"))
        self.assertNotIn("auth_time", self.read(response.id_token).claims)

    def test_18_1_id_stays_and_every_secret_is_new(self) -> None:
        texts = [FIRST]
        for _ in range(4):
            texts.append(self.refreshed(texts[-1]).refresh_token)
        ids, secrets = zip(*map(parse_refresh_token, texts), strict=True)
        self.assertEqual((set(ids), len(set(secrets))), ({"rid"}, 5))

    def test_18_2_use_is_written_down(self) -> None:
        self.clock.advance(100)
        self.refreshed()
        now = BEGAN + timedelta(seconds=100)
        token = self.token()
        self.assertEqual((token.last_used_at, token.rotated_at, token.created_at), (now, now, BEGAN))
        self.assertEqual(token.obsolete_token, "s0")
        ref = self.session().refresh["rid"]
        self.assertEqual((ref.last_used_at, ref.created_at, ref.session_id), (now, BEGAN, "sid-1"))

    def test_OA_27_31_9_same_scopes_however_written(self) -> None:
        text = FIRST
        for scope in ("", " ", " ".join(SCOPES), "  " + "  ".join(SCOPES[::-1])):
            response = self.refreshed(text, scope)
            text = response.refresh_token
            self.assertIn("groups", self.read(response.id_token).claims)

    def test_OA_27_fewer_scopes_for_once(self) -> None:
        less = self.refreshed(scope="openid email")
        self.assertFalse({"groups", "name"} & self.read(less.id_token).claims.keys())
        self.assertIn("groups", self.read(self.refreshed(less.refresh_token).id_token).claims)
        self.assertEqual(self.token().scopes, SCOPES)

    def test_30_48_id_token_comes_whatever_the_scopes(self) -> None:
        self.assertNotEqual(self.refreshed(scope="email").id_token, "")

    def test_OA_27_never_more_scopes(self) -> None:
        self.refused(scope="openid federated:id", error="invalid_scope")
        self.refused(scope="audience:server:client_id:other", error="invalid_scope")
        self.assertEqual(self.token().token, "s0")
        self.refreshed()

    def test_trust_is_checked_before_the_secret_is_spent(self) -> None:
        self.store("cross", scopes=(*SCOPES, "audience:server:client_id:peer"))
        text = packed("cross", "s0")
        self.refused(text, error="invalid_scope")
        self.clock.advance(86400)
        self.refused(text, error="invalid_scope")
        self.refreshed(text, scope="openid")
        peer = Client(id="peer", trusted_peers=("app",))
        self.successResultOf(self.storage.write(Create(CLIENTS, peer)))
        self.refreshed(text)


class RefusalTests(RefreshTestCase):
    policy = NO_WINDOW

    def test_16_2_missing_token(self) -> None:
        self.refused("", error="invalid_request")

    def test_OA_25_30_47_tokens_that_are_none(self) -> None:
        for text in (
            "nonsense",
            "existedrefrestoken",
            packed("test", "bar"),
            "====",
            "a" * 5000,
            "ünï",
            FIRST + "==",
            packed("", "s0"),
            packed("\0", "s0"),
            "\n",
        ):
            self.refused(text)

    def test_16_2_secret_must_match_and_a_guess_ends_nothing(self) -> None:
        for text in (
            packed("rid", ""),
            packed("rid", "s"),
            packed("rid", "s00"),
            packed("rid", "rid"),
            "rid",
        ):
            self.refused(text)
        self.refreshed()

    def test_OA_09_token_of_another_client(self) -> None:
        self.refused(client=OTHER)
        self.refreshed()

    def test_31_9_bare_id_of_another_clients_old_token(self) -> None:
        self.store("existedrefrestoken", token="", client_id="other")
        self.refused("existedrefrestoken")

    def test_16_2_bare_id_of_an_old_token(self) -> None:
        self.store("veryoldrefreshtoken", token="")
        response = self.refreshed("veryoldrefreshtoken")
        self.assertEqual(parse_refresh_token(response.refresh_token)[0], "veryoldrefreshtoken")
        self.refused("veryoldrefreshtoken")

    def test_30_57_reference_is_missing(self) -> None:
        def emptied(session: OfflineSession) -> OfflineSession:
            return attrs.evolve(session, refresh={})

        self.successResultOf(self.storage.write(Update(OFFLINE_SESSIONS, SESSION_KEY, emptied)))
        self.refused()
        self.assertEqual(self.token().token, "s0")

    def test_30_57_offline_session_is_missing(self) -> None:
        self.successResultOf(self.storage.write(Delete(OFFLINE_SESSIONS, SESSION_KEY)))
        self.refused()
        self.assertEqual(self.token().token, "s0")
        self.assertEqual(self.upstream.asked, [])

    def test_refusals_do_not_tell_unknown_from_used_or_expired(self) -> None:
        unknown = self.refused("nonsense").description
        self.assertEqual(self.refused(packed("rid", "guess")).description, unknown)
        self.refreshed()
        self.assertEqual(self.refused().description, unknown)


class ReplayTests(RefreshTestCase):
    def test_OA_25_window_gives_the_same_successor(self) -> None:
        second = self.refreshed().refresh_token
        for _ in range(3):
            self.clock.advance(10)
            self.assertEqual(self.refreshed().refresh_token, second)
        self.assertEqual(len(self.upstream.asked), 1)
        self.assertEqual(self.token().last_used_at, BEGAN)

    def test_OA_25_successor_goes_on(self) -> None:
        second = self.refreshed().refresh_token
        self.refreshed()
        third = self.refreshed(second).refresh_token
        self.assertNotIn(third, (FIRST, second))
        self.assertEqual(self.refreshed(second).refresh_token, third)

    def test_OA_26_replay_after_the_window_ends_the_family(self) -> None:
        second = self.refreshed().refresh_token
        self.clock.advance(30.001)
        self.refused()
        self.assert_ended()
        self.refused(second)

    def test_OA_26_secret_before_the_predecessor_is_a_replay(self) -> None:
        second = self.refreshed().refresh_token
        third = self.refreshed(second).refresh_token
        self.refused(FIRST)
        self.refused(third)
        self.assert_ended()

    def test_OA_30_other_families_of_the_person_live_on(self) -> None:
        self.store("rid2")
        self.refreshed()
        self.clock.advance(31)
        self.refused()
        self.refreshed(packed("rid2", "s0"))
        self.assertEqual(set(self.session().refresh), {"rid2"})

    def test_OA_26_replay_is_audited_without_secrets(self) -> None:
        second = self.refreshed().refresh_token
        self.clock.advance(31)
        with captured_logs() as events:
            self.refused()
        (event,) = events
        self.assertIn(REPLAYED, event["log_format"])
        self.assertEqual((event["client_id"], event["user_id"]), ("app", KILGORE.user_id))
        for text in (FIRST, second, parse_refresh_token(second)[1]):
            self.assertNotIn(text, repr({k: v for k, v in event.items() if k != "log_source"}))

    def test_OA_26_replay_that_cannot_be_acted_upon_is_told_as_such(self) -> None:
        self.refreshed()
        self.clock.advance(31)
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.refresh(), StorageUnavailable)
        self.storage.write_failure = None
        self.refused()
        self.assert_ended()

    def test_RL_01_answer_that_was_lost_is_given_again(self) -> None:
        unsigned = self.new_grant(issuer=attrs.evolve(self.grant.issuer, signer=NoSigner()))
        self.failureResultOf(self.refresh(grant=unsigned), SigningError)
        self.assertEqual(self.refreshed().refresh_token, packed("rid", self.token().token))


class NoSigner(FakeSigner):
    """Has no key to sign with."""

    async def with_signature(self, job: Any) -> Any:
        raise SigningError("sealed")


class NoWindowTests(RefreshTestCase):
    policy = NO_WINDOW

    def test_31_9_same_token_twice(self) -> None:
        self.refreshed()
        self.refused()

    def test_OA_26_it_ends_the_family(self) -> None:
        second = self.refreshed().refresh_token
        self.refused()
        self.refused(second)
        self.assert_ended()


class NoRotationTests(RefreshTestCase):
    policy = RefreshPolicy(rotate=False)

    def test_31_9_same_string(self) -> None:
        for elapsed in (0, 10, 1000):
            self.clock.advance(elapsed)
            self.assertEqual(self.refreshed().refresh_token, FIRST)
        self.assertEqual(len(self.upstream.asked), 3)
        self.assertEqual(self.token().last_used_at, BEGAN + timedelta(seconds=1010))

    def test_OA_27_scopes_count_all_the_same(self) -> None:
        self.refused(scope="federated:id", error="invalid_scope")


class LifetimeTests(RefreshTestCase):
    def test_OA_28_30_47_idle_and_absolute_limits_are_invalid_grants(self) -> None:
        for rotate in (True, False):
            for policy in (
                RefreshPolicy(rotate=rotate, valid_if_not_used_for=timedelta(seconds=60)),
                RefreshPolicy(rotate=rotate, absolute_lifetime=timedelta(seconds=60)),
            ):
                self.setUp()
                self.grant = self.new_grant(policy=policy)
                self.clock.advance(60.001)
                self.refused()
                self.assertEqual(self.upstream.asked, [])

    def test_OA_28_window_does_not_outlive_the_absolute_limit(self) -> None:
        self.grant = self.new_grant(policy=RefreshPolicy(absolute_lifetime=timedelta(seconds=20)))
        self.refreshed()
        self.clock.advance(25)
        self.refused()

    def test_OA_28_token_that_expires_while_the_person_is_looked_up(self) -> None:
        self.grant = self.new_grant(policy=RefreshPolicy(absolute_lifetime=timedelta(seconds=20)))
        self.upstream.turnstile.shut = True
        redeeming = self.begun()
        self.clock.advance(25)
        self.upstream.turnstile.open()
        self.assertEqual(self.failureResultOf(redeeming, OAuthError).value.error, "invalid_grant")
        self.assertEqual(self.token().token, "s0")


class LookingAgainTests(RefreshTestCase):
    """OA-29: a refresh looks the person up again."""

    def test_OA_29_31_9_new_claims(self) -> None:
        self.upstream.claims = attrs.evolve(KILGORE, username="K. Trout", groups=("new",))
        claims = self.read(self.refreshed().id_token).claims
        self.assertEqual((claims["name"], claims["groups"]), ("K. Trout", ["new"]))
        self.assertEqual(self.token().claims, self.upstream.claims)

    def test_OA_29_refresh_through_a_connector_that_cannot_look_again(self) -> None:
        self.connector = opened(object())
        self.assertEqual(self.read(self.refreshed().id_token).claims["groups"], ["authors"])

    def test_interface_4_5_what_the_connector_is_told(self) -> None:
        self.refreshed()
        ((scopes, identity),) = self.upstream.asked
        self.assertEqual((scopes.offline_access, scopes.groups), (True, True))
        self.assertEqual(identity, Identity(claims=KILGORE, connector_data=b"data-0"))

    def test_interface_4_5_groups_only_where_they_were_granted(self) -> None:
        self.store("few", scopes=("openid", "offline_access"))
        self.refreshed(packed("few", "s0"))
        self.assertFalse(self.upstream.asked[0][0].groups)

    def test_narrowed_scopes_do_not_narrow_what_is_stored(self) -> None:
        second = self.refreshed(scope="openid").refresh_token
        self.assertTrue(self.upstream.asked[0][0].groups)
        self.assertIn("groups", self.read(self.refreshed(second).id_token).claims)

    def test_interface_4_5_new_connector_data_goes_to_the_session(self) -> None:
        second = self.refreshed().refresh_token
        self.assertEqual(self.session().connector_data, b"data-1")
        self.refreshed(second)
        self.assertEqual(self.upstream.asked[1][1].connector_data, b"data-1")

    def test_interface_4_5_no_new_connector_data_leaves_the_old(self) -> None:
        self.upstream.gives_data = False
        self.refreshed()
        self.assertEqual(self.session().connector_data, b"data-0")

    def test_interface_4_5_data_that_dex_kept_on_the_token_comes_first_and_moves(self) -> None:
        self.upstream.gives_data = False
        self.store("legacy", connector_data=b"legacy")
        self.refreshed(packed("legacy", "s0"))
        self.assertEqual(self.upstream.asked[0][1].connector_data, b"legacy")
        self.assertEqual(self.token("legacy").connector_data, b"")
        self.assertEqual(self.session().connector_data, b"legacy")

    def test_OA_29_30_47_upstream_says_no(self) -> None:
        for failure in (IdentityGone("disabled"), LoginRefused("kilgore", ("staff",))):
            for recheck in (RecheckPolicy(), RecheckPolicy(keep_on_error=True)):
                self.setUp()
                self.grant = self.new_grant(rechecks={"mock": recheck})
                self.upstream.failure = failure
                description = self.refused().description
                self.assertNotIn("disabled", description)
                self.assertNotIn("staff", description)
                self.assertEqual(self.token().token, "s0")

    def test_person_who_may_log_in_again_may_refresh_again(self) -> None:
        self.upstream.failure = IdentityGone("disabled for a while")
        self.refused()
        self.upstream.failure = None
        self.refreshed()

    def test_OA_29_upstream_answers_about_somebody_else(self) -> None:
        for keep_on_error in (False, True):
            self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(keep_on_error=keep_on_error)})
            for user_id in ("somebody-else", ""):
                self.upstream.claims = attrs.evolve(KILGORE, user_id=user_id)
                self.refused()
        self.assertEqual((self.token().token, self.token().claims), ("s0", KILGORE))
        self.assertEqual(self.session().connector_data, b"data-0")

    def test_RL_09_upstream_that_does_not_answer_is_told_as_such(self) -> None:
        for failure in (ConnectorError("10.0.0.7 timed out", timed_out=True), ConnectorError("garbage")):
            self.upstream.failure = failure
            error = self.failureResultOf(self.refresh(), OAuthError).value
            self.assertEqual((error.error, error.status), ("temporarily_unavailable", 503))
            self.assertIsNotNone(error.retry_after)
            self.assertNotIn("10.0.0.7", error.description)
        self.assertEqual(self.token().token, "s0")
        self.upstream.failure = None
        self.refreshed()

    def test_RL_11_upstream_that_does_not_answer_and_is_not_needed(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(keep_on_error=True)})
        self.upstream.failure = ConnectorError("unreachable", unreachable=True)
        self.clock.advance(100)
        with captured_logs() as events:
            response = self.refreshed()
        self.assertEqual(self.read(response.id_token).claims["groups"], ["authors"])
        self.assertEqual(self.session().connector_data, b"data-0")
        self.assertEqual(self.token().rechecked_at, BEGAN)
        self.assertEqual([event["reason"] for event in events], ["unreachable"])
        self.upstream.failure = None
        self.refreshed(response.refresh_token)
        self.assertEqual(self.token().rechecked_at, BEGAN + timedelta(seconds=100))

    def test_RL_11_connector_that_cannot_be_opened_matters_only_where_it_is_asked(self) -> None:
        self.connector = attrs.evolve(self.connector, connector=None)
        error = self.failureResultOf(self.refresh(), OAuthError).value
        self.assertEqual((error.error, error.status), ("temporarily_unavailable", 503))
        token = FIRST
        for recheck in (RecheckPolicy(keep_on_error=True), RecheckPolicy(interval=None)):
            self.grant = self.new_grant(rechecks={"mock": recheck})
            response = self.refreshed(token)
            token = response.refresh_token
            self.assertEqual(self.read(response.id_token).claims["groups"], ["authors"])

    def test_O20_renewed_upstream_token_is_kept_when_the_rest_fails(self) -> None:
        for failure in (ConnectorError("no answer"), IdentityGone("disabled"), LoginRefused("kilgore")):
            self.upstream.failure = RefreshInterrupted(failure, str(failure).encode())
            self.failureResultOf(self.refresh(), OAuthError)
            self.assertEqual(self.session().connector_data, str(failure).encode())
            self.assertEqual((self.token().token, self.token().rechecked_at), ("s0", BEGAN))
        self.upstream.failure = None
        self.refreshed()
        self.assertEqual(self.upstream.asked[-1][1].connector_data, str(failure).encode())

    def test_O20_renewed_upstream_token_replaces_the_one_that_dex_kept_on_the_token(self) -> None:
        self.store("legacy", connector_data=b"legacy")
        self.upstream.failure = RefreshInterrupted(ConnectorError("no answer"), b"renewed")
        self.failureResultOf(self.refresh(packed("legacy", "s0")), OAuthError)
        self.assertEqual(self.token("legacy").connector_data, b"")
        self.upstream.failure = None
        self.refreshed(packed("legacy", "s0"))
        self.assertEqual(self.upstream.asked[-1][1].connector_data, b"renewed")

    def test_O20_renewed_upstream_token_is_kept_where_the_rest_is_not_needed(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(keep_on_error=True)})
        self.upstream.failure = RefreshInterrupted(ConnectorError("no answer"), b"renewed")
        for legacy in (b"", b"legacy"):
            self.store("other", connector_data=legacy)
            self.refreshed(packed("other", "s0"))
            self.assertEqual(self.session().connector_data, b"renewed")
            self.assertEqual(self.token("other").rechecked_at, BEGAN)
            self.successResultOf(self.storage.write(Delete(REFRESH_TOKENS, "other")))

    def test_O20_renewed_upstream_token_is_not_logged(self) -> None:
        self.upstream.failure = RefreshInterrupted(IdentityGone("disabled"), b"renewed")
        with captured_logs() as events:
            self.refused()
        self.assertEqual([event["reason"] for event in events], ["disabled"])
        self.assertNotIn("renewed", repr(events) + repr(self.upstream.failure))

    def test_fault_of_a_connector_spends_nothing(self) -> None:
        self.upstream.failure = ZeroDivisionError()
        self.failureResultOf(self.refresh(), ZeroDivisionError)
        self.assertEqual(self.token().token, "s0")

    def test_refusals_are_logged_for_the_operator_without_connector_data(self) -> None:
        self.upstream.failure = IdentityGone("disabled")
        with captured_logs() as events:
            self.refused()
        (event,) = events
        self.assertEqual((event["log_level"], event["reason"]), (LogLevel.info, "disabled"))
        self.assertNotIn("data-0", repr(event))


class RecheckTests(RefreshTestCase):
    """`connectors[].refreshPolicy.recheck`."""

    def test_always_is_the_default_also_for_connectors_without_a_policy(self) -> None:
        self.grant = self.new_grant(rechecks={})
        text = FIRST
        for _ in range(3):
            text = self.refreshed(text).refresh_token
        self.assertEqual(len(self.upstream.asked), 3)

    def test_never(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(interval=None)})
        self.upstream.failure = IdentityGone("nobody asks")
        self.clock.advance(10_000_000)
        self.refreshed()
        self.assertEqual(self.upstream.asked, [])
        self.assertEqual((self.token().rechecked_at, self.session().connector_data), (BEGAN, b"data-0"))

    def test_interval_counts_from_the_last_look_up(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(interval=timedelta(hours=1))})
        text = FIRST
        looked_up: list[int] = []
        for minutes in range(0, 150, 10):
            text = self.refreshed(text).refresh_token
            looked_up += [minutes] * (len(self.upstream.asked) - len(looked_up))
            self.clock.advance(600)
        self.assertEqual(looked_up, [60, 120])

    def test_OA_29_change_is_seen_when_it_is_time(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(interval=timedelta(hours=1))})
        self.upstream.claims = attrs.evolve(KILGORE, groups=())
        text = self.refreshed().refresh_token
        self.assertEqual(self.token().claims, KILGORE)
        self.clock.advance(3600)
        self.assertNotIn("groups", self.read(self.refreshed(text).id_token).claims)

    def test_token_of_dex_is_looked_up_at_once(self) -> None:
        self.grant = self.new_grant(rechecks={"mock": RecheckPolicy(interval=timedelta(hours=1))})
        self.store("old", rechecked_at=EPOCH, claims=Claims(user_id=KILGORE.user_id))
        self.refreshed(packed("old", "s0"))
        self.assertEqual(self.token("old").claims, KILGORE)
