"""Offline sessions list one person's refresh tokens."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.offline_session import OFFLINE_SESSIONS, OfflineSession, RefreshTokenRef
from dextwist.model.times import EPOCH


def ref(token_id: str, client_id: str, created: int, used: int) -> RefreshTokenRef:
    return RefreshTokenRef(
        id=token_id,
        client_id=client_id,
        created_at=EPOCH + timedelta(seconds=created),
        last_used_at=EPOCH + timedelta(seconds=used),
    )


class OfflineSessionTests(SynchronousTestCase):
    SESSION = OfflineSession(
        user_id="u",
        connector_id="c",
        refresh={
            "r1": ref("r1", "app", 1, 9),
            "r2": ref("r2", "other", 2, 2),
            "r3": ref("r3", "app", 3, 5),
            "r5": ref("r5", "app", 4, 6),
            "r4": ref("r4", "app", 4, 6),
        },
    )

    def test_OA_30_client_may_have_several_and_the_least_recently_used_comes_first(self) -> None:
        self.assertEqual([r.id for r in self.SESSION.of_client("app")], ["r3", "r4", "r5", "r1"])

    def test_clients_are_kept_apart(self) -> None:
        self.assertEqual([r.id for r in self.SESSION.of_client("other")], ["r2"])
        self.assertEqual(self.SESSION.of_client("nobody"), [])

    def test_key_is_person_and_connector(self) -> None:
        self.assertEqual(OFFLINE_SESSIONS.key_of(self.SESSION), ("u", "c"))

    def test_references_never_change(self) -> None:
        refs = {"r1": ref("r1", "app", 1, 9)}
        session = OfflineSession(user_id="u", connector_id="c", refresh=refs)
        refs.clear()
        self.assertEqual([*session.refresh], ["r1"])
        self.assertFalse(hasattr(session.refresh, "__setitem__"))

    def test_WB_15_connector_data_is_not_in_the_repr(self) -> None:
        self.assertNotIn(
            "upstream", repr(OfflineSession(user_id="u", connector_id="c", connector_data=b"upstream"))
        )
