"""Making and ending refresh tokens."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.claims import Claims
from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession
from dextwist.model.refresh_token import REFRESH_TOKENS, RefreshToken
from dextwist.model.times import EPOCH
from dextwist.storage.interface import NotFound, every
from dextwist.storage.memory import MemoryStorage
from dextwist.tokens.claims import TokenSubject
from dextwist.tokens.refresh_tokens import (
    RefreshTokenMaker,
    ending,
    parse_refresh_token,
    refresh_token_string,
    session_key,
)

BEGAN = EPOCH + timedelta(days=1)
KEY = session_key("u", "mock")


def subject(client_id: str = "app", user_id: str = "u") -> TokenSubject:
    return TokenSubject(
        client_id=client_id,
        scopes=("openid", "offline_access"),
        claims=Claims(user_id=user_id, email="u@x.test"),
        connector_id="mock",
        nonce="n",
        auth_time=BEGAN,
        session_id="sid-1",
    )


class StringTests(SynchronousTestCase):
    def test_4_2_vectors(self) -> None:
        for token_id, secret, text in [("test", "bar", "CgR0ZXN0EgNiYXI"), ("rid", "tok", "CgNyaWQSA3Rvaw")]:
            token = RefreshToken(
                id=token_id,
                token=secret,
                client_id="",
                connector_id="",
                scopes=(),
                created_at=BEGAN,
                last_used_at=BEGAN,
            )
            self.assertEqual(refresh_token_string(token), text)
            self.assertEqual(parse_refresh_token(text), (token_id, secret))

    def test_16_2_other_text_is_the_bare_id_of_an_old_token(self) -> None:
        for text in ("existedrefrestoken", "nonsense", "====", "ünï", "CgNyaWQSA3Rvaw=="):
            self.assertEqual(parse_refresh_token(text), (text, ""))

    @settings(deadline=None)
    @given(st.text())
    def test_any_text_can_be_parsed(self, text: str) -> None:
        token_id, secret = parse_refresh_token(text)
        self.assertTrue(secret == "" or token_id != text)


class RefreshTokenTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.storage = MemoryStorage()
        numbers = itertools.count(1)
        self.maker = RefreshTokenMaker(
            storage=self.storage, max_per_client=3, new_id=lambda: f"id{next(numbers)}"
        )

    def create(self, at: int = 0, of: TokenSubject | None = None, data: bytes = b"") -> RefreshToken:
        now = BEGAN + timedelta(seconds=at)
        token, changes = self.successResultOf(self.maker.creation(of or subject(), now, data))
        self.successResultOf(self.storage.write(*changes))
        assert isinstance(token, RefreshToken)
        return token

    def session(self) -> OfflineSession:
        session: OfflineSession = self.successResultOf(self.storage.get(OFFLINE_SESSIONS, KEY))
        return session

    def ids(self) -> set[str]:
        tokens = self.successResultOf(every(self.storage, REFRESH_TOKENS))
        return {token.id for token in tokens}


class MakerTests(RefreshTokenTestCase):
    def test_18_1_token_and_reference(self) -> None:
        token = self.create()
        self.assertEqual(self.successResultOf(self.storage.get(REFRESH_TOKENS, token.id)), token)
        self.assertEqual((token.id, token.token, token.obsolete_token), ("id1", "id2", ""))
        self.assertEqual((token.created_at, token.last_used_at, token.rechecked_at), (BEGAN,) * 3)
        self.assertEqual((token.client_id, token.connector_id, token.nonce), ("app", "mock", "n"))
        self.assertEqual((token.auth_time, token.claims.email), (BEGAN, "u@x.test"))
        ref = self.session().refresh[token.id]
        self.assertEqual((ref.id, ref.client_id, ref.created_at), (token.id, "app", BEGAN))
        self.assertEqual((ref.last_used_at, ref.session_id), (BEGAN, "sid-1"))

    def test_18_1_connector_data_is_kept_in_the_session(self) -> None:
        token = self.create(data=b"first")
        self.assertEqual((self.session().connector_data, token.connector_data), (b"first", b""))
        self.create(data=b"")
        self.assertEqual(self.session().connector_data, b"first")
        self.create(data=b"second")
        self.assertEqual(self.session().connector_data, b"second")

    def test_OA_30_31_9_second_login_leaves_the_first_token_alone(self) -> None:
        one, two = self.create(), self.create(1)
        self.assertEqual(self.ids(), {one.id, two.id})
        self.assertEqual(set(self.session().refresh), {one.id, two.id})

    def test_only_so_many_a_client_and_the_least_recently_used_goes(self) -> None:
        tokens = [self.create(at) for at in range(5)]
        self.assertEqual(self.ids(), {token.id for token in tokens[2:]})
        self.assertEqual(set(self.session().refresh), self.ids())

    def test_limit_counts_for_each_client_and_person(self) -> None:
        for at in range(3):
            self.create(at)
            self.create(at, subject("other"))
            self.create(at, subject("app", "v"))
        self.assertEqual(len(self.ids()), 9)

    def test_more_than_allowed_are_brought_down_at_once(self) -> None:
        for at in range(3):
            self.create(at)
        self.maker = RefreshTokenMaker(storage=self.storage, max_per_client=1, new_id=lambda: "last")
        self.create(3)
        self.assertEqual(self.ids(), {"last"})
        self.assertEqual(set(self.session().refresh), {"last"})

    def test_nothing_is_stored_before_the_changes_are_written(self) -> None:
        self.successResultOf(self.maker.creation(subject(), BEGAN, b""))
        self.assertEqual(self.ids(), set())

    def test_secrets_are_new_each_time(self) -> None:
        maker = RefreshTokenMaker(storage=self.storage, max_per_client=3)
        tokens = [self.successResultOf(maker.creation(subject(), BEGAN, b""))[0] for _ in range(20)]
        self.assertEqual(len({token.id for token in tokens} | {token.token for token in tokens}), 40)


class EndingTests(RefreshTokenTestCase):
    def end(self, token_id: str) -> None:
        changes = ending(token_id, "u", "mock", access_tokens_until=BEGAN + timedelta(hours=1))
        self.successResultOf(self.storage.write(*changes))

    def test_31_9_token_and_reference_go_and_the_rest_stays(self) -> None:
        one, two = self.create(data=b"kept"), self.create(of=subject("other"))
        self.end(one.id)
        self.failureResultOf(self.storage.get(REFRESH_TOKENS, one.id), NotFound)
        self.assertEqual(self.ids(), {two.id})
        session = self.session()
        self.assertEqual((set(session.refresh), session.connector_data), ({two.id}, b"kept"))

    def test_31_9_session_outlives_its_last_token(self) -> None:
        one = self.create(data=b"kept")
        self.end(one.id)
        self.assertEqual((dict(self.session().refresh), self.session().connector_data), ({}, b"kept"))

    def test_31_9_unknown_token_is_no_error(self) -> None:
        one = self.create()
        for _ in range(2):
            self.end("unknown")
        self.assertEqual(self.ids(), {one.id})

    def test_token_without_a_session_can_be_ended(self) -> None:
        self.end("orphan")
        self.assertEqual(dict(self.session().refresh), {})
