"""Password hashes: equal work for all names, a bounded queue, and what is refused."""

from __future__ import annotations

import os
import threading

import bcrypt
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase

from dextwist.connectors.interface import ConnectorError, Overloaded
from dextwist.connectors.password_hash import HashThreads, PasswordChecker, cost_of, usable_cost
from tests.connectors.fakes import CountedHashing, HeldThreads, fake_hash, immediate_checker, started

HASH = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(10))


class CostTests(SynchronousTestCase):
    """What a stored hash may look like."""

    def test_costs_from_10_to_16_are_usable(self) -> None:
        for cost in (10, 12, 16):
            self.assertEqual(usable_cost(fake_hash("x", cost)), cost)

    def test_weaker_and_slower_hashes_are_refused(self) -> None:
        for cost in (4, 9, 17, 31):
            self.assertEqual(cost_of(fake_hash("x", cost)), cost)
            self.assertRaises(ConnectorError, usable_cost, fake_hash("x", cost))

    def test_refusal_names_the_cost_and_the_bound(self) -> None:
        weak = self.assertRaises(ConnectorError, usable_cost, fake_hash("x", 4))
        self.assertEqual(str(weak), "given hash cost = 4 does not meet minimum cost requirement = 10")
        slow = self.assertRaises(ConnectorError, usable_cost, fake_hash("x", 17))
        self.assertEqual(
            str(slow), "given hash cost = 17 is above upper bound cost = 16, recommended cost = 12"
        )

    def test_every_spelling_of_the_version_is_read(self) -> None:
        for version in (b"2", b"2a", b"2b", b"2x", b"2y"):
            self.assertEqual(cost_of(b"$" + version + b"$12$" + b"." * 53), 12)

    def test_what_is_no_bcrypt_hash_is_refused(self) -> None:
        for text in (b"", b"plaintext", b"$1$10$" + b"." * 53, b"$2b$1x$" + b"." * 53, HASH[:58]):
            self.assertRaises(ConnectorError, cost_of, text)
        for cost in (b"03", b"32"):
            self.assertRaises(ConnectorError, cost_of, b"$2b$" + cost + b"$" + b"." * 53)

    @given(st.binary(max_size=80))
    @example(HASH)
    def test_any_bytes_have_a_cost_or_are_refused(self, text: bytes) -> None:
        try:
            cost = cost_of(text)
        except ConnectorError:
            return
        self.assertIn(cost, range(4, 32))


class RealHashTests(SynchronousTestCase):
    """bcrypt itself."""

    def checked(self, password_hash: bytes | None, password: str) -> bool:
        checker = PasswordChecker(run=lambda work: succeed(work()), at_once=1)
        return self.successResultOf(started(checker.check(password_hash, password)))

    def test_right_password_is_right_and_another_is_not(self) -> None:
        self.assertTrue(self.checked(HASH, "correct horse"))
        self.assertFalse(self.checked(HASH, "wrong horse"))

    def test_hashes_made_by_htpasswd_are_understood(self) -> None:
        self.assertTrue(self.checked(HASH.replace(b"$2b$", b"$2y$"), "correct horse"))

    def test_unknown_user_is_compared_with_a_hash_that_bcrypt_accepts(self) -> None:
        compared: list[bytes] = []

        def recorded(secret: bytes, password_hash: bytes) -> bool:
            matched = bcrypt.checkpw(secret, password_hash)
            compared.append(secret)
            return matched

        checker = immediate_checker(recorded)
        self.assertFalse(self.successResultOf(started(checker.check(None, "anything"))))
        self.assertEqual(compared, [b"anything"])

    def test_hash_that_bcrypt_cannot_read_matches_nothing(self) -> None:
        self.assertFalse(self.checked(b"$2b$10$" + b"!" * 53, "anything"))

    def test_TB_06_password_of_which_bcrypt_sees_only_the_start_is_refused(self) -> None:
        hashed = bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(10))
        self.assertTrue(self.checked(hashed, "p" * 72))
        self.assertFalse(self.checked(hashed, "p" * 80))


class EqualWorkTests(SynchronousTestCase):
    """An attempt costs the same whoever it is for."""

    def setUp(self) -> None:
        self.hashing = CountedHashing()
        self.checker = immediate_checker(self.hashing)

    def check(self, password_hash: bytes | None, password: str) -> bool:
        return self.successResultOf(started(self.checker.check(password_hash, password)))

    def test_TB_01_unknown_user_takes_one_comparison_of_the_same_cost(self) -> None:
        self.assertFalse(self.check(fake_hash("right"), "wrong"))
        self.assertFalse(self.check(None, "wrong"))
        self.assertEqual(self.hashing.costs, [10, 10])

    def test_TB_01_unknown_user_costs_what_most_known_users_do(self) -> None:
        for cost in (10, 12, 12):
            self.check(fake_hash("right", cost), "wrong")
        self.check(None, "wrong")
        self.assertEqual(self.hashing.costs, [10, 12, 12, 12])

    def test_TB_01_first_unknown_user_costs_what_the_operator_expects(self) -> None:
        self.checker.assumed_cost = 13
        self.check(None, "wrong")
        self.assertEqual(self.hashing.costs, [13])

    def test_TB_01_unknown_user_never_matches(self) -> None:
        self.assertFalse(self.check(None, "." * 53))
        checker = immediate_checker(lambda secret, password_hash: True)
        self.assertFalse(self.successResultOf(started(checker.check(None, "anything"))))

    def test_TB_06_password_that_bcrypt_would_cut_costs_as_much_as_a_wrong_one(self) -> None:
        for password in ("p" * 73, "p" * 1024, "\N{SNOWMAN}" * 25):
            self.assertFalse(self.check(fake_hash("p"), password))
            self.assertFalse(self.check(None, password))
        self.assertEqual(self.hashing.costs, [10] * 6)

    def test_TB_06_huge_password_is_refused_without_hash_work(self) -> None:
        for password in ("p" * 1025, "p" * 1_000_000, "\N{SNOWMAN}" * 342):
            self.assertFalse(self.check(fake_hash("p"), password))
            self.assertFalse(self.check(None, password))
        self.assertEqual(self.hashing.costs, [])

    def test_empty_password_is_refused_without_hash_work(self) -> None:
        self.assertFalse(self.check(fake_hash(""), ""))
        self.assertFalse(self.check(None, ""))
        self.assertEqual(self.hashing.costs, [])

    def test_cost_out_of_range_is_an_error_before_the_password_is_looked_at(self) -> None:
        for password in ("right", "", "p" * 2000):
            self.failureResultOf(
                started(self.checker.check(fake_hash("right", 17), password)), ConnectorError
            )
        self.assertEqual(self.hashing.costs, [])

    @given(st.text(max_size=1100))
    @example("p" * 72)
    @example("p" * 73)
    def test_TB_06_only_what_bcrypt_sees_whole_can_match(self, password: str) -> None:
        checker = immediate_checker(lambda secret, password_hash: True)
        matched = self.successResultOf(started(checker.check(fake_hash("x"), password)))
        self.assertEqual(matched, 1 <= len(password.encode()) <= 72)


class QueueTests(SynchronousTestCase):
    """How much hash work there can be at once."""

    def setUp(self) -> None:
        self.threads = HeldThreads()
        self.checker = PasswordChecker(
            run=self.threads.run, at_once=2, queue_limit=3, compare=CountedHashing()
        )

    def check(self, password: str = "right") -> Deferred[bool]:
        return started(self.checker.check(fake_hash("right"), password))

    def test_only_so_many_comparisons_happen_at_once(self) -> None:
        checks = [self.check() for _ in range(4)]
        self.assertEqual((self.threads.busy, self.checker.waiting), (2, 2))
        self.threads.finish_one()
        self.assertTrue(self.successResultOf(checks[0]))
        self.assertEqual((self.threads.busy, self.checker.waiting), (2, 1))

    def test_check_beyond_the_queue_is_refused_and_counted(self) -> None:
        checks = [self.check() for _ in range(5)]
        refusal = self.failureResultOf(self.check(), Overloaded)
        self.assertGreaterEqual(refusal.value.retry_after, 1)
        self.assertEqual(self.checker.refused, 1)
        for check in checks:
            self.assertNoResult(check)
            self.threads.finish_one()
            self.assertTrue(self.successResultOf(check))
        self.assertEqual(self.checker.refused, 1)

    def test_default_queue_holds_64(self) -> None:
        checker = PasswordChecker(run=self.threads.run, at_once=1, compare=CountedHashing())
        checks = [started(checker.check(None, "x")) for _ in range(65)]
        self.failureResultOf(started(checker.check(None, "x")), Overloaded)
        self.assertEqual(checker.waiting, 64)
        for check in checks:
            self.threads.finish_one()
            self.assertFalse(self.successResultOf(check))

    def test_request_cancelled_in_the_queue_gives_its_place_back(self) -> None:
        checks = [self.check() for _ in range(5)]
        checks[3].cancel()
        self.failureResultOf(checks[3], CancelledError)
        self.assertEqual(self.checker.waiting, 2)
        self.assertNoResult(self.check())

    def test_request_cancelled_in_its_turn_keeps_the_turn_until_the_thread_is_done(self) -> None:
        checks = [self.check() for _ in range(3)]
        checks[0].cancel()
        self.failureResultOf(checks[0], CancelledError)
        self.assertEqual((self.threads.busy, self.checker.waiting), (2, 1))
        self.threads.finish_one()
        self.assertEqual((self.threads.busy, self.checker.waiting), (2, 0))
        self.threads.finish_one()
        self.assertTrue(self.successResultOf(checks[1]))
        self.threads.finish_one()
        self.assertTrue(self.successResultOf(checks[2]))

    def test_work_that_breaks_gives_its_turn_back(self) -> None:
        def broken(secret: bytes, password_hash: bytes) -> bool:
            raise RuntimeError("out of order")

        checker = PasswordChecker(run=lambda work: succeed(work()), at_once=1, compare=broken)
        for _ in range(2):
            self.failureResultOf(started(checker.check(fake_hash("x"), "x")), RuntimeError)


class HashThreadsTests(TestCase):
    """The threads themselves."""

    async def test_work_happens_in_another_thread(self) -> None:
        from twisted.internet import reactor

        threads = HashThreads(reactor=reactor, count=1)  # type: ignore[arg-type] # its type says nothing
        threads.start()
        self.addCleanup(threads.stop)
        names: list[str] = []

        def work() -> bool:
            names.append(threading.current_thread().name)
            return True

        self.assertTrue(await threads.run(work))
        self.assertIn("password-hashes", names[0])

    def test_there_is_a_thread_a_core_unless_told_otherwise(self) -> None:
        from twisted.internet import reactor

        self.assertEqual(HashThreads(reactor=reactor).count, os.cpu_count())  # type: ignore[arg-type] # as above
