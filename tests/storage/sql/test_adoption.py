"""Databases that real releases of dex left, adopted."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import bcrypt
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.auth_session import AUTH_SESSIONS
from dextwist.model.claims import ProofKey
from dextwist.model.client import CLIENTS, Client
from dextwist.model.connector import CONNECTORS
from dextwist.model.device import DEVICE_REQUESTS, DEVICE_TOKENS, DeviceTokenStatus
from dextwist.model.keys import KEYS, KEYS_ID
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.times import EPOCH
from dextwist.model.user_identity import USER_IDENTITIES
from dextwist.storage.interface import Create, Delete, NotFound, StorageError, Update, every
from dextwist.storage.sql.sqlite import SqliteStorage

DATA = Path(__file__).parents[2] / "data" / "dex-db"

if TYPE_CHECKING:
    Base = TestCase
else:
    Base = object


def two_texts(encoded: str) -> list[str]:
    """The two texts of dex's protobuf in base64url: a refresh token's or a session cookie's id and secret."""
    data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    found = []
    while data:
        found.append(data[2 : 2 + data[1]].decode())
        data = data[2 + data[1] :]
    return found


def digest(file: Path, tables: Any) -> dict[str, str]:
    """What each of the tables holds, in a word."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        return {
            table: hashlib.sha256(
                repr(
                    [
                        database.execute("select sql from sqlite_master where name = ?", (table,)).fetchall(),
                        sorted(map(repr, database.execute(f'select *, rowid from "{table}"'))),
                    ]
                ).encode()
            ).hexdigest()
            for table in tables
        }


class AdoptingTestCase(TestCase):
    """Tests on a copy of a dex database."""

    release = "head"

    def setUp(self) -> None:
        self.facts = json.loads((DATA / self.release / "facts.json").read_text())
        self.file = Path(self.mktemp())
        shutil.copy(DATA / self.release / "dex.db", self.file)

    def change(self, *statements: str) -> None:
        """Change dex's database before it is adopted."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    def storage(self) -> SqliteStorage:
        return SqliteStorage(file=str(self.file), reactor=IReactorFromThreads(reactor), clock=reactor)

    async def opened(self) -> SqliteStorage:
        storage = self.storage()
        await storage.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(storage.stop()))
        return storage


class Releases(Base):
    """What must be found again, whichever release wrote it (RL-17)."""

    facts: dict[str, Any]
    file: Path
    opened: Callable[[], Any]

    async def test_RL_17_clients_are_whole(self) -> None:
        storage = await self.opened()
        facts = {fact.pop("id"): fact for fact in self.facts["clients"]}
        clients = await every(storage, CLIENTS)
        self.assertEqual([client.id for client in clients], sorted(facts))
        for client in clients:
            for name, value in facts[client.id].items():
                self.assertEqual(getattr(client, name), tuple(value) if isinstance(value, list) else value)
        # dex keeps a list that nobody set as null.
        public = await storage.get(CLIENTS, "grpc-public")
        self.assertEqual(
            (public.trusted_peers, public.allowed_connectors, public.mfa_chain, public.sso_shared_with),
            ((), (), None, None),
        )

    async def test_RL_17_refresh_tokens_are_live(self) -> None:
        storage = await self.opened()
        self.assertEqual(len(await every(storage, REFRESH_TOKENS)), len(self.facts["refresh_tokens"]))
        for fact in self.facts["refresh_tokens"]:
            token_id, secret = two_texts(fact["token"])
            token = await storage.get(REFRESH_TOKENS, token_id)
            self.assertEqual(
                (token.token, token.connector_id, token.client_id, token.claims.email),
                (secret, fact["connector"], fact["client"], fact["email"]),
            )
            user_id, connector_id = two_texts(fact["sub"])
            self.assertEqual((token.claims.user_id, token.connector_id), (user_id, connector_id))
            obsolete = two_texts(fact["obsolete"])[1] if "obsolete" in fact else ""
            self.assertEqual(token.obsolete_token, obsolete)
            self.assertEqual(token.rotated_at, token.last_used_at if obsolete else EPOCH)
            self.assertEqual(token.created_at.date().isoformat(), self.facts["made"])
            self.assertEqual(token.scopes[0], "openid")
            self.assertEqual(token.auth_time, EPOCH)

    async def test_RL_17_offline_sessions_name_their_tokens(self) -> None:
        storage = await self.opened()
        for fact in self.facts["refresh_tokens"]:
            user_id, connector_id = two_texts(fact["sub"])
            token = await storage.get(REFRESH_TOKENS, two_texts(fact["token"])[0])
            session = await storage.get(OFFLINE_SESSIONS, (user_id, connector_id))
            (ref,) = session.of_client(fact["client"])
            self.assertEqual(session.refresh, {token.id: ref})
            self.assertEqual((ref.created_at, ref.last_used_at), (token.created_at, token.last_used_at))

    async def test_RL_17_passwords_count(self) -> None:
        storage = await self.opened()
        (password,) = await every(storage, PASSWORDS)
        (fact,) = self.facts["passwords"]
        self.assertTrue(bcrypt.checkpw(fact["password"].encode(), password.hash))
        self.assertEqual(
            (password.email, password.username, password.user_id),
            (fact["email"], fact["username"], fact["user_id"]),
        )
        self.assertEqual((password.groups, password.email_verified), ((), None))

    async def test_RL_17_keys_verify_what_was_signed(self) -> None:
        storage = await self.opened()
        keys = await storage.get(KEYS, KEYS_ID)
        assert keys.signing_key is not None
        self.assertEqual(keys.signing_key.private["kid"], keys.signing_key.public["kid"])
        self.assertIn("d", keys.signing_key.private)
        self.assertEqual(keys.next_key, None)
        self.assertGreater(keys.next_rotation_at.year, 2030)
        public = [keys.signing_key.public, *(key.public_key for key in keys.verification_keys)]
        self.assertEqual(
            {(key["kid"], key["n"]) for key in public},
            {(key["kid"], key["n"]) for key in self.facts["keys"]["keys"]},
        )
        for token in self.facts["id_tokens"]:
            self.assertIn(token["kid"], [key["kid"] for key in public])
            if token["signed_by"] == "the signing key":
                self.assertEqual(token["kid"], keys.signing_key.public["kid"])

    async def test_RL_17_connectors_are_whole(self) -> None:
        storage = await self.opened()
        found = [
            {"id": connector.id, **json.loads(connector.config)}
            for connector in await every(storage, CONNECTORS)
        ]
        self.assertEqual(found, self.facts["connectors"])
        for connector in await every(storage, CONNECTORS):
            self.assertEqual((connector.type, connector.grant_types), ("mockPassword", ()))

    async def test_RL_17_what_was_under_way_is_there(self) -> None:
        storage = await self.opened()
        query = parse_qs(self.facts["pending_login"]["path"].partition("?")[2])
        request = await storage.get(AUTH_REQUESTS, query["state"][0])
        self.assertEqual(
            (request.client_id, request.connector_id, request.max_age), ("grpc-app", "local", -1)
        )
        self.assertEqual((request.proof_key, request.auth_time), (ProofKey(), EPOCH))
        self.assertEqual(request.expires_at.year, 2036)
        code = await storage.get(AUTH_CODES, self.facts["unused_code"])
        self.assertEqual((code.nonce, code.connector_data, code.redeemed), ("n-1", b"foobar", False))
        device = await storage.get(DEVICE_REQUESTS, self.facts["device"]["user_code"])
        self.assertEqual(device.device_code, self.facts["device"]["device_code"])
        token = await storage.get(DEVICE_TOKENS, device.device_code)
        self.assertEqual((token.status, token.token_response), (DeviceTokenStatus.PENDING, ""))

    async def test_RL_17_every_row_is_counted(self) -> None:
        with capturedLogs() as events:
            storage = await self.opened()
        (event,) = [event for event in events if "counts" in event]
        rows = {table: count for table, count in self.facts["rows"].items() if table != "migrations"}
        self.assertEqual(event["counts"], rows)
        for kind in ALL_KINDS:
            self.assertEqual(len(await every(storage, kind)), rows.get(kind.name, 0), kind)

    async def test_RL_17_dex_tables_are_left_as_they_were(self) -> None:
        before = digest(self.file, self.facts["rows"])
        storage = await self.opened()
        await storage.write(Delete(CLIENTS, "grpc-app"))
        await storage.stop()
        self.assertEqual(digest(self.file, self.facts["rows"]), before)

    async def test_RL_17_second_start_does_not_adopt_again(self) -> None:
        storage = await self.opened()
        await storage.write(
            Delete(CLIENTS, "grpc-public"),
            Update(CLIENTS, "grpc-app", lambda old: Client(id=old.id, name="renamed")),
        )
        await storage.stop()
        storage = await self.opened()
        self.assertEqual([client.name for client in await every(storage, CLIENTS)], ["renamed"])


class Dex2303Tests(Releases, AdoptingTestCase):
    """dex 2.30.3."""

    release = "2.30.3"


class Dex2353Tests(Releases, AdoptingTestCase):
    """dex 2.35.3."""

    release = "2.35.3"


class Dex2411Tests(Releases, AdoptingTestCase):
    """dex 2.41.1."""

    release = "2.41.1"


class Dex2451Tests(Releases, AdoptingTestCase):
    """dex 2.45.1."""

    release = "2.45.1"


class DexHeadTests(Releases, AdoptingTestCase):
    """dex after 2.45, with sessions."""

    release = "head"

    async def test_RL_17_session_cookie_is_known(self) -> None:
        storage = await self.opened()
        session_id, secret = two_texts(self.facts["session_cookie"]["dex_session"])
        session = await storage.get(AUTH_SESSIONS, session_id)
        self.assertEqual(
            (session.secret, session.user_id, session.logout_state), (secret, "user-carol", None)
        )
        self.assertEqual(session.expires_at.year, 2036)
        self.assertEqual(session.client_states["grpc-app"].via_sso, False)
        self.assertGreater(session.client_states["grpc-app"].last_activity_at, EPOCH)
        code = await storage.get(AUTH_CODES, self.facts["session_code"])
        self.assertEqual(code.session_id, session_id)

    async def test_RL_17_user_identities_are_known(self) -> None:
        storage = await self.opened()
        identity = await storage.get(USER_IDENTITIES, ("user-carol", "local"))
        self.assertEqual((identity.claims.email, identity.consents), ("carol@example.com", {}))
        self.assertEqual((identity.mfa_secrets, identity.webauthn_credentials), ({}, {}))
        self.assertEqual(identity.blocked_until, EPOCH)
        self.assertGreater(identity.last_login_at, identity.created_at)


class AdoptionTests(AdoptingTestCase):
    """What the recorded databases do not show."""

    async def test_RL_17_two_servers_at_once_adopt_once(self) -> None:
        storages = [self.storage(), self.storage()]
        with capturedLogs() as events:
            await gatherResults([Deferred.fromCoroutine(storage.start()) for storage in storages])
        for storage in storages:
            self.addCleanup(lambda stop: Deferred.fromCoroutine(stop()), storage.stop)
            self.assertEqual(len(await every(storage, PASSWORDS)), 1)
        self.assertEqual(len([event for event in events if "counts" in event]), 1)
        await storages[0].write(Create(CLIENTS, Client(id="new")))
        self.assertEqual((await storages[1].get(CLIENTS, "new")).id, "new")

    async def test_what_people_registered_is_adopted(self) -> None:
        self.change(
            """update user_identity set consents = '{"grpc-app":["openid","email"],"other":null}',
            mfa_secrets = '{"totp":{"authenticatorID":"totp","type":"TOTP","secret":"otpauth://x",
            "confirmed":true,"createdAt":"2026-11-23T16:42:33.5Z"}}', webauthn_credentials = '{"key":[{
            "credentialID":"+/8=","publicKey":"AQ==","attestationType":"none","aaguid":null,"signCount":4294967295,
            "cloneWarning":false,"transport":null,"backupEligible":true,"backupState":false,"displayName":"k",
            "createdAt":"0001-01-01T00:00:00Z"}],"none":null}' where user_id = 'user-carol'""",
            """update auth_session set logout_state = '{"PostLogoutRedirectURI":"https://a","State":"s",
            "ClientID":"c","ConnectorID":"local"}'""",
            """update client set mfa_chain = '[]', sso_shared_with = cast('["other"]' as blob)""",
            "update password set groups = '[\"staff\"]', email_verified = 0, email = 'Carol@Example.com'",
            "update refresh_token set token = '', obsolete_token = null",
            "update offline_session set refresh = 'null'",
        )
        storage = await self.opened()
        identity = await storage.get(USER_IDENTITIES, ("user-carol", "local"))
        self.assertEqual(identity.consents, {"grpc-app": ("openid", "email"), "other": ()})
        secret = identity.mfa_secrets["totp"]
        self.assertEqual(
            (secret.secret, secret.confirmed, secret.last_used_counter), ("otpauth://x", True, 0)
        )
        self.assertEqual(secret.created_at.isoformat(), "2026-11-23T16:42:33.500000+00:00")
        self.assertEqual(identity.webauthn_credentials["none"], ())
        (credential,) = identity.webauthn_credentials["key"]
        self.assertEqual((credential.credential_id, credential.public_key), (b"\xfb\xff", b"\x01"))
        self.assertEqual((credential.sign_count, credential.created_at), (2**32 - 1, EPOCH))
        for session in await every(storage, AUTH_SESSIONS):
            assert session.logout_state is not None
            self.assertEqual(session.logout_state.post_logout_redirect_uri, "https://a")
        client = await storage.get(CLIENTS, "grpc-app")
        self.assertEqual((client.mfa_chain, client.sso_shared_with), ((), ("other",)))
        password = await storage.get(PASSWORDS, "carol@example.com")
        self.assertEqual(
            (password.email, password.groups, password.email_verified),
            ("carol@example.com", ("staff",), False),
        )
        for token in await every(storage, REFRESH_TOKENS):
            self.assertEqual((token.token, token.obsolete_token), ("", ""))
        self.assertEqual((await storage.get(OFFLINE_SESSIONS, ("user-carol", "local"))).refresh, {})

    async def test_sessions_without_ids_are_left_behind(self) -> None:
        self.change(
            "drop table auth_session",
            "create table auth_session (user_id text, connector_id text, nonce text)",
            "insert into auth_session values ('user-carol', 'local', 'n')",
        )
        storage = await self.opened()
        self.assertEqual(await every(storage, AUTH_SESSIONS), [])

    async def test_database_without_keys_is_adopted(self) -> None:
        self.change("delete from keys")
        storage = await self.opened()
        await self.assertFailure(Deferred.fromCoroutine(storage.get(KEYS, KEYS_ID)), NotFound)

    async def refused(self) -> str:
        """Why the database is not adopted; it is left as it was."""
        before = self.file.read_bytes()
        start: Deferred[Any] = Deferred.fromCoroutine(self.storage().start())
        error = await self.assertFailure(start, StorageError)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(list(self.file.parent.glob(f"{self.file.name}-*")), [])
        self.assertIn(str(self.file.absolute()), str(error))
        return str(error)

    async def test_row_that_cannot_be_read_refuses_the_adoption_and_is_named(self) -> None:
        for statement, named in (
            (
                "update client set redirect_uris = '[1]' where id = 'grpc-app'",
                "row grpc-app of dex's table client",
            ),
            ("update refresh_token set created_at = 'soon' where rowid = 1", "of dex's table refresh_token"),
            (
                "update offline_session set refresh = '{\"c\":{}}' where user_id = 'user-carol'",
                "row user-carol, local of dex's table offline_session",
            ),
            ("update keys set verification_keys = '[{}]'", "row keys of dex's table keys"),
            ("update password set hash = 5", "row carol@example.com of dex's table password"),
            ("update device_token set status = 'new'", "of dex's table device_token"),
            ("update auth_request set max_age = 'x'", "of dex's table auth_request"),
        ):
            self.setUp()
            self.change(statement)
            self.assertIn(named, await self.refused())

    async def test_refusal_does_not_show_a_key_that_is_a_secret(self) -> None:
        code = self.facts["unused_code"]
        self.change(f"update auth_code set scopes = 'x' where id = '{code}'")
        reason = await self.refused()
        self.assertIn(f"row {code[:6]}... of dex's table auth_code", reason)
        self.assertNotIn(code[:7], reason)
