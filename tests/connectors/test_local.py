"""The built-in password database as a connector."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import (
    CallbackConnector,
    ConnectorError,
    ConnectorScopes,
    Identity,
    IdentityGone,
    LogoutConnector,
    PasswordConnector,
    RefreshConnector,
    TokenIdentityConnector,
)
from dextwist.connectors.local import LocalConnector
from dextwist.model.claims import Claims
from dextwist.model.password import PASSWORDS, Password
from dextwist.storage.interface import StorageUnavailable
from tests.connectors.fakes import CountedHashing, FakeStorage, fake_hash, immediate_checker, started

SAM = Password(
    email="Sam@example.com",
    hash=fake_hash("secret"),
    user_id="1b9d6bcd",
    username="sam",
    name="Sam Rivera",
    preferred_username="samr",
    email_verified=False,
    groups=("ops", "ops/admins"),
)
KIM = Password(email="kim@example.com", hash=fake_hash("secret"), user_id="2002", username="kim")
SCOPES = ConnectorScopes()


class LocalConnectorTests(SynchronousTestCase):
    """Logging in and refreshing."""

    def setUp(self) -> None:
        self.storage = FakeStorage()
        self.storage.put(PASSWORDS, SAM, KIM)
        self.hashing = CountedHashing()
        self.connector = LocalConnector(storage=self.storage, passwords=immediate_checker(self.hashing))

    def login(self, username: str, password: str = "secret") -> Identity | None:
        return self.successResultOf(started(self.connector.login(SCOPES, username, password)))

    def logged_in(self, username: str) -> Identity:
        identity = self.login(username)
        assert identity is not None
        return identity

    def refresh(self, identity: Identity) -> Identity:
        return self.successResultOf(started(self.connector.refresh(SCOPES, identity)))

    def test_its_abilities_are_password_and_refresh(self) -> None:
        self.assertIsInstance(self.connector, PasswordConnector)
        self.assertIsInstance(self.connector, RefreshConnector)
        for ability in (CallbackConnector, TokenIdentityConnector, LogoutConnector):
            self.assertNotIsInstance(self.connector, ability)

    def test_the_form_asks_for_an_email_address(self) -> None:
        self.assertEqual(self.connector.prompt, "Email Address")

    def test_login_gives_everything_that_is_stored(self) -> None:
        self.assertEqual(
            self.login("Sam@example.com"),
            Identity(
                claims=Claims(
                    user_id="1b9d6bcd",
                    username="Sam Rivera",
                    preferred_username="samr",
                    email="Sam@example.com",
                    email_verified=False,
                    groups=("ops", "ops/admins"),
                )
            ),
        )

    def test_user_without_a_name_is_called_by_the_username(self) -> None:
        self.assertEqual(self.logged_in("kim@example.com").claims.username, "kim")

    def test_email_counts_as_verified_unless_the_record_says_otherwise(self) -> None:
        self.assertTrue(self.logged_in("kim@example.com").claims.email_verified)

    def test_email_may_be_typed_in_other_case_and_between_blanks(self) -> None:
        for typed in ("sam@example.com", "SAM@EXAMPLE.COM", " Sam@example.com\t"):
            self.assertEqual(self.logged_in(typed).claims.email, "Sam@example.com")

    def test_username_and_user_id_are_no_login_names(self) -> None:
        for typed in ("sam", "samr", "1b9d6bcd", ""):
            self.assertIsNone(self.login(typed))

    def test_TB_02_wrong_password_and_unknown_email_give_the_same_answer(self) -> None:
        self.assertIsNone(self.login("sam@example.com", "wrong"))
        self.assertIsNone(self.login("nobody@example.com", "wrong"))

    def test_TB_01_unknown_email_takes_the_same_hash_work_as_a_wrong_password(self) -> None:
        self.login("sam@example.com", "wrong")
        self.login("nobody@example.com", "wrong")
        self.assertEqual(self.hashing.costs, [10, 10])

    def test_TB_06_password_longer_than_bcrypt_sees_is_refused(self) -> None:
        self.storage.put(PASSWORDS, attrs.evolve(KIM, hash=fake_hash("p" * 53)))
        self.assertIsNotNone(self.login("kim@example.com", "p" * 53))
        self.assertIsNone(self.login("kim@example.com", "p" * 80))

    def test_empty_password_is_refused_at_once(self) -> None:
        self.assertIsNone(self.login("sam@example.com", ""))
        self.assertEqual(self.hashing.costs, [])

    def test_hash_of_unusable_cost_or_none_at_all_is_an_error(self) -> None:
        for unusable in (fake_hash("secret", 4), fake_hash("secret", 17), b""):
            self.storage.put(PASSWORDS, attrs.evolve(KIM, hash=unusable))
            self.failureResultOf(
                started(self.connector.login(SCOPES, "kim@example.com", "secret")), ConnectorError
            )

    def test_storage_failure_is_an_error_and_no_wrong_password(self) -> None:
        identity = self.logged_in("sam@example.com")
        self.storage.failure = StorageUnavailable()
        self.failureResultOf(
            started(self.connector.login(SCOPES, "sam@example.com", "secret")), StorageUnavailable
        )
        self.failureResultOf(started(self.connector.refresh(SCOPES, identity)), StorageUnavailable)

    def test_refresh_reads_names_verification_and_groups_again(self) -> None:
        identity = self.logged_in("sam@example.com")
        self.storage.put(
            PASSWORDS,
            attrs.evolve(
                SAM,
                email="sam@EXAMPLE.com",
                name="",
                preferred_username="rivera",
                email_verified=None,
                groups=("dev",),
            ),
        )
        self.assertEqual(
            self.refresh(identity).claims,
            Claims(
                user_id="1b9d6bcd",
                username="sam",
                preferred_username="rivera",
                email="Sam@example.com",
                email_verified=True,
                groups=("dev",),
            ),
        )

    def test_refresh_keeps_the_connector_data(self) -> None:
        identity = attrs.evolve(self.logged_in("sam@example.com"), connector_data=b"kept")
        self.assertEqual(self.refresh(identity).connector_data, b"kept")

    def test_refresh_goes_on_after_the_password_changed(self) -> None:
        identity = self.logged_in("sam@example.com")
        self.storage.put(PASSWORDS, attrs.evolve(SAM, hash=fake_hash("another")))
        self.assertEqual(self.refresh(identity), identity)

    def test_refresh_of_a_deleted_user_says_that_they_are_gone(self) -> None:
        identity = self.logged_in("sam@example.com")
        self.storage.remove(PASSWORDS, "sam@example.com")
        self.failureResultOf(started(self.connector.refresh(SCOPES, identity)), IdentityGone)

    def test_refresh_of_an_address_given_to_somebody_else_says_that_the_user_is_gone(self) -> None:
        identity = self.logged_in("sam@example.com")
        self.storage.put(PASSWORDS, attrs.evolve(SAM, user_id="another"))
        self.failureResultOf(started(self.connector.refresh(SCOPES, identity)), IdentityGone)
