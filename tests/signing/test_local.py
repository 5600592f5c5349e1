"""The built-in signer: what it signs and verifies, how it starts and stops."""

from __future__ import annotations

from datetime import timedelta

import attrs
from twisted.internet.defer import Deferred

from dextwist.model.keys import KEYS, KEYS_ID, KeyPair, Keys, VerificationKey
from dextwist.model.times import EPOCH, from_milliseconds
from dextwist.signing.interface import Signer, SigningError
from dextwist.storage.interface import Conflict, Delete, StorageUnavailable
from tests.signing.conformance import SignerConformance
from tests.signing.fakes import UnsteadyStorage
from tests.signing.forgeries import compact, parts
from tests.signing.local_case import HOUR, START, LocalSignerCase, fail, policy


class ES256Tests(SignerConformance, LocalSignerCase):
    def build_signer(self) -> Signer:
        return self.started()

    def test_signs_in_the_reactor_thread(self) -> None:
        signer = self.started()
        self.threads.runs = 0
        self.token(signer)
        self.assertEqual(self.threads.runs, 0)


class RS256Tests(SignerConformance, LocalSignerCase):
    def build_signer(self) -> Signer:
        return self.started(policy(algorithm="RS256"))

    def test_all_signatures_of_a_job_are_made_in_one_visit_to_a_thread(self) -> None:
        signer = self.build_signer()
        self.threads.runs = 0
        self.outcome(signer.with_signature(lambda signature: [signature.sign(b"{}") for _ in range(2)]))
        self.assertEqual(self.threads.runs, 1)


class ConformanceAfterRotations(SignerConformance, LocalSignerCase):
    def build_signer(self) -> Signer:
        """Signs with ES256 after RS256, whose keys verify still."""
        self.outcome(self.started(policy(algorithm="RS256")).stop())
        signer = self.started(policy())
        self.advance(12 * HOUR + 5)
        return signer


class StartTests(LocalSignerCase):
    def test_empty_storage_gets_a_signing_key_and_its_successor_in_one_write(self) -> None:
        signer = self.started()
        self.assertEqual(self.storage.writes, 1)
        record = self.record()
        assert record.signing_key is not None
        assert record.next_key is not None
        self.assertEqual(self.kids(signer), [record.signing_key.public["kid"], record.next_key.public["kid"]])
        self.assertEqual(self.kid(signer), record.signing_key.private["kid"])
        self.assertEqual(record.next_rotation_at, from_milliseconds(int((START + 6 * HOUR) * 1000)))

    def test_signing_4_keys_survive_a_restart(self) -> None:
        for algorithm in ("RS256", "ES256"):
            self.storage = UnsteadyStorage()
            signer = self.started(policy(algorithm=algorithm))
            kids, token = self.kids(signer), self.token(signer)
            self.outcome(signer.stop())
            again = self.started(policy(algorithm=algorithm))
            self.assertEqual((self.kids(again), self.kid(again)), (kids, kids[0]))
            self.assertTrue(self.verifies(again, token))
            self.assertEqual(self.storage.writes, 1)

    def test_due_rotation_happens_before_the_start_ends(self) -> None:
        first = self.started()
        kids = self.kids(first)
        self.outcome(first.stop())
        self.clock.advance(6 * HOUR)
        second = self.started()
        self.assertEqual(self.kid(second), kids[1])
        published = self.kids(second)
        self.assertEqual((published[0], published[2]), (kids[1], kids[0]))
        self.assertNotIn(published[1], kids)

    def test_without_a_key_and_a_storage_the_start_fails(self) -> None:
        self.storage.before_write = fail
        signer = self.signer()
        self.failureResultOf(Deferred.fromCoroutine(signer.start()), StorageUnavailable)
        self.assertFalse(self.threads.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.failureResultOf(Deferred.fromCoroutine(signer.with_signature(lambda _: None)), SigningError)
        self.failureResultOf(Deferred.fromCoroutine(signer.published_keys()), SigningError)

    def test_start_whose_lost_race_leaves_no_key_fails(self) -> None:
        def conflict() -> None:
            raise Conflict

        self.storage.before_write = conflict
        self.failureResultOf(Deferred.fromCoroutine(self.signer().start()), SigningError)

    def test_with_a_key_the_start_survives_a_rotation_that_fails(self) -> None:
        first = self.started()
        kids = self.kids(first)
        self.outcome(first.stop())
        self.clock.advance(6 * HOUR)
        self.storage.before_write = fail
        second = self.started()
        self.assertEqual(self.kid(second), kids[0])
        self.storage.before_write = lambda: None
        self.clock.advance(30)
        self.assertEqual(self.kid(second), kids[1])

    def test_key_that_cannot_be_read_ends_the_start(self) -> None:
        pair = self.generate("ES256")
        broken = attrs.evolve(pair, private={**pair.private, "d": "!"})
        self.store(Keys(signing_key=broken, next_key=self.generate("ES256")))
        self.failureResultOf(Deferred.fromCoroutine(self.signer().start()), SigningError)


class AdoptedKeysTests(LocalSignerCase):
    """Records that dex wrote have no successor."""

    def adopted(self, due_in: float) -> KeyPair:
        old = self.generate("RS256")
        dex, before = (
            KeyPair(
                private={k: v for k, v in pair.private.items() if k != "alg"},
                public={k: v for k, v in pair.public.items() if k != "alg"},
            )
            for pair in (old, self.generate("RS256"))
        )
        later = VerificationKey(public_key=before.public, expires_at=EPOCH + timedelta(seconds=START + HOUR))
        self.store(
            Keys(
                signing_key=dex,
                verification_keys=(later,),
                next_rotation_at=EPOCH + timedelta(seconds=START + due_in),
            )
        )
        return dex

    def test_adopted_key_signs_on_and_a_successor_is_published_at_once(self) -> None:
        dex = self.adopted(HOUR)
        before = self.record()
        signer = self.started(policy(algorithm="RS256"))
        self.assertEqual(self.kid(signer), dex.public["kid"])
        self.assertEqual(len(self.kids(signer)), 3)
        record = self.record()
        self.assertEqual(
            attrs.evolve(record, next_key=None, next_published_at=EPOCH),
            before,
        )
        self.assertEqual(self.outcome(signer.published_keys()).keys[0]["alg"], "RS256")

    def test_RL_13_adopted_key_that_is_due_signs_until_the_successor_is_known(self) -> None:
        dex = self.adopted(-HOUR)
        signer = self.started(policy(algorithm="RS256"))
        successor = self.kids(signer)[1]
        self.advance(10 * 60 - 1)
        self.assertEqual(self.kid(signer), dex.public["kid"])
        self.advance(1)
        self.assertEqual(self.kid(signer), successor)

    def test_successor_of_an_adopted_key_has_the_configured_algorithm(self) -> None:
        self.adopted(HOUR)
        signer = self.started(policy(algorithm="ES256"))
        self.assertEqual(self.outcome(signer.algorithms()), ("RS256", "ES256"))
        self.assertEqual(self.storage.writes, 2)


class UnknownKeyTests(LocalSignerCase):
    def setUp(self) -> None:
        super().setUp()
        self.ours = self.started()
        self.advance(10)
        #: another instance's record, not seen by ours yet.
        self.outcome(self.storage.write(Delete(KEYS, KEYS_ID)))
        self.other = self.started()
        self.gets = self.storage.gets

    def unknown(self, kid: str) -> str:
        header, payload, signature = parts(self.token(self.other))
        return compact(header | {"kid": kid}, payload, signature)

    def test_unknown_key_is_looked_up(self) -> None:
        self.assertTrue(self.verifies(self.ours, self.token(self.other)))
        self.assertEqual(self.storage.gets, self.gets + 1)

    def test_lookups_are_at_most_one_a_second(self) -> None:
        for number in range(20):
            self.assertFalse(self.verifies(self.ours, self.unknown(str(number))))
        self.assertEqual(self.storage.gets, self.gets + 1)
        self.clock.advance(1)
        self.assertFalse(self.verifies(self.ours, self.unknown("x")))
        self.assertEqual(self.storage.gets, self.gets + 2)

    def test_tokens_that_wait_for_the_same_lookup_are_verified_by_it(self) -> None:
        slow: Deferred[None] = Deferred()
        self.storage.before_get = lambda: slow
        token = self.token(self.other)
        waiting = [Deferred.fromCoroutine(self.ours.verify(token)) for _ in range(3)]
        for work in waiting:
            self.assertNoResult(work)
        slow.callback(None)
        for work in waiting:
            self.assertEqual(self.successResultOf(work).payload, b"{}")
        self.assertEqual(self.storage.gets, self.gets + 1)

    def test_known_keys_with_bad_signatures_and_foreign_algorithms_are_not_looked_up(self) -> None:
        header, payload, signature = parts(self.token(self.ours))
        for forged in (
            compact(header, payload, bytes(64)),
            compact({"alg": "none", "kid": "x"}, payload),
            compact({"alg": "HS256", "kid": "x"}, payload, signature),
            compact({"alg": "ES256"}, payload, bytes(64)),
        ):
            self.assertFalse(self.verifies(self.ours, forged))
        self.assertEqual(self.storage.gets, self.gets)

    def test_lookup_that_fails_is_the_storages_error(self) -> None:
        self.storage.before_get = fail
        work = Deferred.fromCoroutine(self.ours.verify(self.token(self.other)))
        self.failureResultOf(work, StorageUnavailable)
        self.storage.before_get = lambda: None
        self.clock.advance(1)
        self.assertTrue(self.verifies(self.ours, self.token(self.other)))


class StopTests(LocalSignerCase):
    def test_stop_ends_the_background_work(self) -> None:
        signer = self.started()
        self.outcome(signer.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertFalse(self.threads.running)

    def test_stop_waits_for_a_rotation_under_way(self) -> None:
        signer = self.started()
        kids = self.kids(signer)
        slow: Deferred[None] = Deferred()
        self.storage.before_write = lambda: slow
        self.advance(6 * HOUR)
        stop = Deferred.fromCoroutine(signer.stop())
        self.assertNoResult(stop)
        self.assertTrue(self.threads.running)
        slow.callback(None)
        self.successResultOf(stop)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        record = self.record()
        assert record.signing_key is not None
        self.assertEqual(record.signing_key.public["kid"], kids[1])
