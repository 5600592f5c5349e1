"""Families of tokens."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.ids import new_uuid
from dextwist.model.revoked_token import REVOKED_TOKENS
from dextwist.model.times import EPOCH
from dextwist.storage.memory import MemoryStorage
from dextwist.tokens.families import family_of, last_expiry, member_id, revocable_ids, revocation


class FamilyTests(SynchronousTestCase):
    def test_a_member_is_revocable_alone_and_with_its_family(self) -> None:
        member = member_id("rid", "one")
        self.assertEqual(revocable_ids(member), (member, family_of("rid")))

    def test_a_token_without_a_refresh_token_is_revocable_alone(self) -> None:
        token_id = new_uuid()
        self.assertEqual(revocable_ids(token_id), (token_id,))

    def test_what_is_no_id_is_not_revocable(self) -> None:
        for nothing in ("", None, 7, ["x"]):
            self.assertEqual(revocable_ids(nothing), ())

    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4))
    def test_the_name_of_a_family_does_not_tell_the_refresh_tokens_id(self, refresh_token_id: str) -> None:
        self.assertNotIn(refresh_token_id, member_id(refresh_token_id, ""))

    def test_the_latest_end_counts(self) -> None:
        storage = MemoryStorage()
        for hours in (1, 3, 2):
            self.successResultOf(storage.write(revocation("x", EPOCH + timedelta(hours=hours))))
        revoked = self.successResultOf(storage.get(REVOKED_TOKENS, "x"))
        self.assertEqual(revoked.expires_at, EPOCH + timedelta(hours=3))

    def test_RL_03_an_end_outlives_what_is_still_being_signed(self) -> None:
        self.assertGreater(last_expiry(EPOCH, timedelta(hours=1)), EPOCH + timedelta(hours=1, minutes=1))
