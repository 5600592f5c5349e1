"""Creating, reading, changing and removing values of every kind."""

from __future__ import annotations

from datetime import timedelta

import attrs

from dextwist.model.auth_code import AUTH_CODES
from dextwist.model.auth_request import AUTH_REQUESTS
from dextwist.model.auth_session import AUTH_SESSIONS, ClientState
from dextwist.model.claims import Claims
from dextwist.model.client import CLIENTS
from dextwist.model.connector import CONNECTORS
from dextwist.model.device import DEVICE_TOKENS, DeviceTokenStatus
from dextwist.model.keys import KEYS, KEYS_ID, Keys
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.user_identity import USER_IDENTITIES
from dextwist.storage.interface import (
    AlreadyExists,
    Create,
    Delete,
    NotFound,
    StorageError,
    Update,
)
from tests.storage.conformance.base import StorageSuite
from tests.storage.samples import (
    AUTH_REQUEST,
    AUTH_SESSION,
    CLIENT,
    CONNECTOR,
    LATER,
    NOW,
    OFFLINE_SESSION,
    PASSWORD,
    REFRESH_TOKEN,
    REFRESH_TOKEN_REF,
    SAMPLES,
    SIGNING_KEYS,
    USER_IDENTITY,
)


class ValueSuite(StorageSuite):
    """dex's first suite: what comes back is what was stored."""

    # Create, get, delete: the same for every kind.

    async def test_what_is_created_is_read_back_with_every_member(self) -> None:
        storage = await self.opened()
        for kind, value in SAMPLES.items():
            (changed,) = await storage.write(Create(kind, value))
            self.assertEqual((changed.before, changed.after), (None, value))
            await self.assert_stored(storage, kind, value)

    async def test_created_again_is_already_there(self) -> None:
        storage = await self.opened(*SAMPLES.items())
        for kind, value in SAMPLES.items():
            await self.refusal(AlreadyExists, storage.write(Create(kind, value)))
            await self.assert_stored(storage, kind, value)

    async def test_of_two_creations_at_once_one_wins(self) -> None:
        storage = await self.opened()
        made, refused = await self.outcomes(
            storage.write(Create(CLIENTS, attrs.evolve(CLIENT, name="first"))),
            storage.write(Create(CLIENTS, attrs.evolve(CLIENT, name="second"))),
        )
        if isinstance(made, AlreadyExists):
            made, refused = refused, made
        self.assertIsInstance(refused, AlreadyExists)
        await self.assert_stored(storage, CLIENTS, made[0].after)

    async def test_what_is_deleted_is_gone(self) -> None:
        storage = await self.opened(*SAMPLES.items())
        for kind, value in SAMPLES.items():
            key = kind.key_of(value)
            (changed,) = await storage.write(Delete(kind, key))
            self.assertEqual((changed.before, changed.after), (value, None))
            await self.assert_gone(storage, kind, key)

    async def test_deleting_what_was_never_there_is_not_found(self) -> None:
        storage = await self.opened()
        for kind, value in SAMPLES.items():
            key = kind.key_of(value)
            await self.refusal(NotFound, storage.write(Delete(kind, key)))
            (changed,) = await storage.write(Delete(kind, key, missing_ok=True))
            self.assertEqual((changed.before, changed.after), (None, None))

    async def test_of_two_deletions_at_once_one_succeeds(self) -> None:
        storage = await self.opened((AUTH_CODES, SAMPLES[AUTH_CODES]))
        outcomes = await self.outcomes(*(storage.write(Delete(AUTH_CODES, "code")) for _ in range(2)))
        self.assertEqual(sorted(isinstance(outcome, NotFound) for outcome in outcomes), [False, True])

    async def test_updating_what_is_not_there_is_not_found(self) -> None:
        storage = await self.opened()
        for kind, value in SAMPLES.items():
            key = kind.key_of(value)
            await self.refusal(NotFound, storage.write(Update(kind, key, lambda old: old)))
            await self.assert_gone(storage, kind, key)

    async def test_key_that_is_no_unicode_is_not_found(self) -> None:
        storage = await self.opened()
        await self.assert_gone(storage, CLIENTS, "\ud800")
        await self.assert_gone(storage, USER_IDENTITIES, ("\ud800", "ldap"))

    async def test_two_part_keys_do_not_run_together(self) -> None:
        storage = await self.opened()
        pairs = [("ab", "c"), ("a", "bc"), ('a","b', "c"), ("a", 'b","c'), ("", "abc"), ("abc", "")]
        for user_id, connector_id in pairs:
            identity = attrs.evolve(USER_IDENTITY, user_id=user_id, connector_id=connector_id)
            await storage.write(Create(USER_IDENTITIES, identity))
        for pair in pairs:
            self.assertEqual((await storage.get(USER_IDENTITIES, pair)).user_id, pair[0])

    # Update: what changes and what stays.

    async def test_auth_request_update_replaces_claims(self) -> None:
        storage = await self.opened((AUTH_REQUESTS, AUTH_REQUEST))
        claims = Claims(username="only a name")
        await self.updated(storage, AUTH_REQUESTS, "request", claims=claims, connector_id="saml")

    async def test_client_update_changes_only_what_it_names(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT))
        await self.updated(storage, CLIENTS, "client", secret="new secret")
        await self.updated(
            storage,
            CLIENTS,
            "client",
            refresh_token_lifetime="standalone",
            backchannel_logout_uri="https://b",
        )

    async def test_none_and_an_empty_list_are_not_the_same(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT))
        for member in ("sso_shared_with", "mfa_chain", "client_credentials_groups"):
            for value in ((), None, ("one",), None, ()):
                await self.updated(storage, CLIENTS, "client", **{member: value})

    async def test_refresh_token_update_leaves_others_alone(self) -> None:
        other = attrs.evolve(REFRESH_TOKEN, id="other")
        storage = await self.opened((REFRESH_TOKENS, REFRESH_TOKEN), (REFRESH_TOKENS, other))
        await self.updated(storage, REFRESH_TOKENS, "refresh", token="spam", last_used_at=NOW)
        await self.assert_stored(storage, REFRESH_TOKENS, other)

    async def test_password_is_found_and_kept_by_its_folded_address(self) -> None:
        written = attrs.evolve(PASSWORD, email="Jane@Example.com")
        storage = await self.opened((PASSWORDS, written))
        for email in ("jane@example.com", "JANE@EXAMPLE.COM"):
            self.assertEqual(await storage.get(PASSWORDS, email), PASSWORD)
        await self.refusal(AlreadyExists, storage.write(Create(PASSWORDS, PASSWORD)))
        await self.updated(storage, PASSWORDS, "JANE@example.com", username="jane doe")
        await storage.write(Delete(PASSWORDS, "jAnE@example.com"))
        await self.assert_gone(storage, PASSWORDS, "jane@example.com")

    async def test_password_verified_has_three_values(self) -> None:
        storage = await self.opened((PASSWORDS, PASSWORD))
        for verified in (True, None, False):
            await self.updated(storage, PASSWORDS, "jane@example.com", email_verified=verified)

    async def test_offline_session_keeps_its_references(self) -> None:
        storage = await self.opened((OFFLINE_SESSIONS, attrs.evolve(OFFLINE_SESSION, refresh={})))
        key = ("user", "ldap")
        self.assertEqual((await storage.get(OFFLINE_SESSIONS, key)).refresh, {})
        await self.updated(storage, OFFLINE_SESSIONS, key, refresh={"refresh": REFRESH_TOKEN_REF})

    async def test_connector_update_keeps_its_config(self) -> None:
        storage = await self.opened((CONNECTORS, CONNECTOR))
        await self.updated(storage, CONNECTORS, "stored", type="oidc", grant_types=())

    async def test_device_token_is_completed(self) -> None:
        pending = attrs.evolve(SAMPLES[DEVICE_TOKENS], status=DeviceTokenStatus.PENDING, token_response="")
        storage = await self.opened((DEVICE_TOKENS, pending))
        await self.updated(
            storage, DEVICE_TOKENS, "device", status=DeviceTokenStatus.COMPLETE, token_response="{}"
        )

    async def test_user_identity_gains_a_consent(self) -> None:
        storage = await self.opened((USER_IDENTITIES, attrs.evolve(USER_IDENTITY, consents={})))
        key = ("user", "ldap")
        self.assertEqual((await storage.get(USER_IDENTITIES, key)).consents, {})
        await self.updated(storage, USER_IDENTITIES, key, consents={"client": ("openid",)})

    async def test_auth_session_moves_with_activity(self) -> None:
        storage = await self.opened((AUTH_SESSIONS, AUTH_SESSION))
        await self.updated(
            storage,
            AUTH_SESSIONS,
            "session",
            client_states={**AUTH_SESSION.client_states, "second": ClientState(authenticated_at=LATER)},
            last_activity_at=LATER,
            idle_expires_at=LATER + timedelta(hours=1),
            logout_state=None,
        )

    async def test_keys_are_created_by_their_first_update(self) -> None:
        storage = await self.opened()
        (changed,) = await storage.write(Update(KEYS, KEYS_ID, lambda _: SIGNING_KEYS, default=Keys()))
        self.assertEqual((changed.before, changed.after), (None, SIGNING_KEYS))
        await self.assert_stored(storage, KEYS, SIGNING_KEYS)
        rotated = attrs.evolve(SIGNING_KEYS, signing_key=SIGNING_KEYS.next_key, next_key=None)
        (changed,) = await storage.write(Update(KEYS, KEYS_ID, lambda _: rotated, default=Keys()))
        self.assertEqual(changed.before, SIGNING_KEYS)
        await self.assert_stored(storage, KEYS, rotated)

    async def test_default_is_what_the_change_starts_from(self) -> None:
        storage = await self.opened()
        default = attrs.evolve(OFFLINE_SESSION, refresh={}, connector_data=b"")
        update = Update(
            OFFLINE_SESSIONS,
            ("user", "ldap"),
            lambda session: attrs.evolve(session, connector_data=session.connector_data + b"+"),
            default=default,
        )
        for expected in (b"+", b"++"):
            await storage.write(update)
            stored = await storage.get(OFFLINE_SESSIONS, ("user", "ldap"))
            self.assertEqual(stored, attrs.evolve(default, connector_data=expected))

    async def test_change_must_keep_the_key(self) -> None:
        storage = await self.opened((CLIENTS, CLIENT))
        await self.refusal(
            StorageError, storage.write(Update(CLIENTS, "client", lambda old: attrs.evolve(old, id="new")))
        )
        await self.assert_gone(storage, CLIENTS, "new")
        await self.assert_stored(storage, CLIENTS, CLIENT)

    async def test_mutable_part_of_a_value_is_not_shared_with_the_storage(self) -> None:
        consents: dict[str, tuple[str, ...]] = {"client": ("openid",)}
        storage = await self.opened((USER_IDENTITIES, attrs.evolve(USER_IDENTITY, consents=consents)))
        consents["stranger"] = ()
        read = await storage.get(USER_IDENTITIES, ("user", "ldap"))
        self.assertEqual(read.consents, {"client": ("openid",)})
        assert isinstance(read.consents, dict)
        read.consents["stranger"] = ()
        self.assertEqual(
            (await storage.get(USER_IDENTITIES, ("user", "ldap"))).consents, {"client": ("openid",)}
        )
