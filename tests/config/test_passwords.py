"""Users that the file declares."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import bcrypt

from dextwist.model.password import Password
from tests.config.case import PASSWORD_HASH, USER, ConfigCase


def of_cost(cost: int) -> str:
    """A hash that names this cost."""
    return f"$2a${cost:02}${PASSWORD_HASH[7:]}"


def users(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"enablePasswordDB": True, "staticPasswords": list(entries)}


def with_hash(**keys: Any) -> dict[str, Any]:
    return users({"email": "a@b.c", "userID": "1", **keys})


class PasswordsTest(ConfigCase):
    def hash_of(self, environ: dict[str, str] | None = None, **keys: Any) -> bytes:
        return self.load(with_hash(**keys), environ=environ or {}).static_passwords[0].hash

    def test_4_2_all_keys(self) -> None:
        hashed = bcrypt.hashpw(b"password", bcrypt.gensalt(10)).decode()
        entry = {
            "email": "Sam@example.com",
            "hash": hashed,
            "username": "sam",
            "name": "Sam Rivera",
            "preferredUsername": "samr",
            "emailVerified": False,
            "userID": "1b9d6bcd",
            "groups": ["ops", "ops/admins"],
        }
        self.assertEqual(
            self.load(users(entry)).static_passwords,
            (
                Password(
                    email="Sam@example.com",
                    hash=hashed.encode(),
                    username="sam",
                    name="Sam Rivera",
                    preferred_username="samr",
                    email_verified=False,
                    user_id="1b9d6bcd",
                    groups=("ops", "ops/admins"),
                ),
            ),
        )

    def test_4_2_verified_is_unsaid_unless_said(self) -> None:
        self.assertIsNone(self.load(users({**USER})).static_passwords[0].email_verified)

    def test_4_2_a_hash_in_base64_is_the_hash(self) -> None:
        encoded = base64.b64encode(PASSWORD_HASH.encode()).decode()
        for written in (encoded, encoded + "\n", f"{encoded[:40]}\n{encoded[40:]}"):
            self.assertEqual(self.hash_of(hash=written), PASSWORD_HASH.encode())

    def test_1_2_a_hash_from_the_environment(self) -> None:
        for text in (PASSWORD_HASH, base64.b64encode(PASSWORD_HASH.encode()).decode()):
            self.assertEqual(self.hash_of({"HASH": text}, hashFromEnv="HASH"), PASSWORD_HASH.encode())

    def test_1_2_the_hash_itself_wins_and_the_variable_is_not_looked_at(self) -> None:
        for environ in ({}, {"HASH": of_cost(12)}):
            self.assertEqual(
                self.hash_of(environ, hash=PASSWORD_HASH, hashFromEnv="HASH"), PASSWORD_HASH.encode()
            )
        self.assertEqual(
            self.hash_of({"HASH": PASSWORD_HASH}, hash="", hashFromEnv="HASH"), PASSWORD_HASH.encode()
        )

    def test_1_2_an_unset_variable_is_refused(self) -> None:
        for environ in ({}, {"HASH": ""}):
            over = with_hash(hashFromEnv="HASH")
            self.assert_refused(over, "staticPasswords[0].hashFromEnv", "HASH", environ=environ)

    def test_a_hash_from_a_file(self) -> None:
        path = str(Path(self.file(PASSWORD_HASH + "\n")).absolute())
        self.assertEqual(self.hash_of(hashFile=path), PASSWORD_HASH.encode())
        self.assert_refused(with_hash(hashFile="/nonexistent"), "staticPasswords[0].hashFile", "cannot read")

    def test_2_no_hash_is_refused(self) -> None:
        for keys in ({}, {"hash": ""}, {"hash": None, "hashFromEnv": ""}):
            self.assert_refused(with_hash(**keys), "staticPasswords[0].hash", "no password hash provided")

    def test_2_what_is_no_hash_is_refused(self) -> None:
        for wrong in (
            "plain-text",
            base64.b64encode(b"garbage").decode(),
            PASSWORD_HASH[:58],
            "$1$" + PASSWORD_HASH[3:],
            "$2a$1$" + "x" * 60,
            of_cost(3),
            of_cost(32),
        ):
            self.assert_refused(with_hash(hash=wrong), "staticPasswords[0].hash", "malformed bcrypt hash: ")

    def test_4_2_costs_that_cannot_be_logged_in_with_are_refused(self) -> None:
        for cost in (10, 12, 16):
            self.assertEqual(self.hash_of(hash=of_cost(cost)), of_cost(cost).encode())
        for cost in (4, 9, 17, 31):
            self.assert_refused(with_hash(hash=of_cost(cost)), "staticPasswords[0].hash", f"cost {cost}")

    def test_2_users_need_the_password_db(self) -> None:
        message = "cannot specify static passwords without enabling password db"
        self.assert_refused({"staticPasswords": [USER]}, "staticPasswords", message)
        self.load({"staticPasswords": []})

    def test_an_email_is_needed(self) -> None:
        entry = {key: value for key, value in USER.items() if key != "email"}
        self.assert_refused(users(entry), "staticPasswords[0].email", "required")

    def test_a_user_without_an_id_is_warned_about(self) -> None:
        entry = {key: value for key, value in USER.items() if key != "userID"}
        self.assert_warned(users(entry), "staticPasswords[0].userID", "empty")

    def test_4_2_an_email_that_is_taken_in_any_case_is_refused(self) -> None:
        entries = ({**USER, "email": "a@b.c"}, {**USER, "email": "A@B.c"})
        self.assert_refused(users(*entries), "staticPasswords[1]", "a@b.c", "staticPasswords[0]")

    def test_1_1_hashes_are_not_expanded(self) -> None:
        self.assertEqual(self.hash_of({"2b": "x", "10": "y"}, hash=PASSWORD_HASH), PASSWORD_HASH.encode())
