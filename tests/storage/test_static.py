"""Static objects over a storage."""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase, TestCase

from dextwist.model.client import CLIENTS, Client
from dextwist.model.connector import CONNECTORS
from dextwist.model.kind import Key
from dextwist.model.password import PASSWORDS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.interface import Create, Delete, NotFound, ReadOnly, Storage, Update, every
from dextwist.storage.memory import MemoryStorage
from dextwist.storage.static import StaticOverlay
from tests.storage.conformance import StorageConformance
from tests.storage.samples import CLIENT, CONNECTOR, PASSWORD, REFRESH_TOKEN

#: As an operator writes it: the address is found folded, and shown as written.
STATIC_PASSWORD = attrs.evolve(PASSWORD, email="Admin@Example.com")


class StaticOverlayContractTests(StorageConformance, TestCase):
    """A storage with static objects over it keeps the contract."""

    def build_storage(self) -> Storage:
        return StaticOverlay(storage=MemoryStorage(), static={CLIENTS: [Client(id="static")]})


class StaticOverlayTests(SynchronousTestCase):
    """What the overlay adds, over a storage with a client `stored` and a hidden one `b`."""

    def setUp(self) -> None:
        self.beneath = MemoryStorage()
        self.storage = StaticOverlay(
            storage=self.beneath,
            static={
                CLIENTS: [Client(id="c"), Client(id="b"), Client(id="a")],
                PASSWORDS: [STATIC_PASSWORD],
                CONNECTORS: [CONNECTOR],
            },
        )
        for client_id in ("b", "stored"):
            self.result(self.beneath.write(Create(CLIENTS, Client(id=client_id, name="from below"))))

    def result(self, work: Any) -> Any:
        return self.successResultOf(work)

    def test_static_object_is_found_first(self) -> None:
        self.assertEqual(self.result(self.storage.get(CLIENTS, "b")), Client(id="b"))
        self.assertEqual(self.result(self.storage.get(CLIENTS, "stored")).name, "from below")
        self.failureResultOf(self.storage.get(CLIENTS, "nobody"), NotFound)

    def test_static_object_is_found_without_the_storage(self) -> None:
        class Unreachable(MemoryStorage):
            async def get(self, kind: Any, key: Any) -> Any:
                raise AssertionError("the storage was asked")

        storage = StaticOverlay(storage=Unreachable(), static={CLIENTS: [CLIENT]})
        self.assertIs(self.result(storage.get(CLIENTS, "client")), CLIENT)

    def test_static_password_is_found_by_its_folded_address_as_it_was_written(self) -> None:
        for email in ("admin@example.com", "ADMIN@EXAMPLE.COM"):
            self.assertEqual(self.result(self.storage.get(PASSWORDS, email)), STATIC_PASSWORD)

    def test_static_objects_are_read_only(self) -> None:
        for change, reason in (
            (Create(CLIENTS, Client(id="a")), "static clients: read-only cannot create client"),
            (Update(CLIENTS, "b", lambda old: old), "static clients: read-only cannot update client"),
            (Delete(CLIENTS, "c"), "static clients: read-only cannot delete client"),
            (Delete(CLIENTS, "c", missing_ok=True), "static clients: read-only cannot delete client"),
            (Create(PASSWORDS, STATIC_PASSWORD), "static passwords: read-only cannot create password"),
            (Delete(PASSWORDS, "ADMIN@example.com"), "static passwords: read-only cannot delete password"),
            (
                Update(CONNECTORS, "stored", lambda old: old),
                "static connectors: read-only cannot update connector",
            ),
        ):
            failure = self.failureResultOf(self.storage.write(change), ReadOnly)
            self.assertEqual(str(failure.value), reason)

    def test_write_with_a_static_object_changes_nothing_else(self) -> None:
        write = self.storage.write(Create(REFRESH_TOKENS, REFRESH_TOKEN), Delete(CLIENTS, "a"))
        self.failureResultOf(write, ReadOnly)
        self.failureResultOf(self.storage.get(REFRESH_TOKENS, "refresh"), NotFound)

    def test_listing_has_the_stored_ones_first_then_the_static_in_their_order(self) -> None:
        clients = self.result(every(self.storage, CLIENTS))
        self.assertEqual([client.id for client in clients], ["stored", "c", "b", "a"])
        self.assertEqual(clients[2].name, "")

    def test_hidden_object_comes_back_when_the_static_one_goes(self) -> None:
        bare = StaticOverlay(storage=self.beneath, static={CLIENTS: []})
        self.assertEqual(self.result(bare.get(CLIENTS, "b")).name, "from below")
        self.assertEqual([client.id for client in self.result(every(bare, CLIENTS))], ["b", "stored"])

    def test_pages_of_any_size_follow_each_other(self) -> None:
        for client_id in ("A", "a", "bb", "c", "z"):
            self.result(self.beneath.write(Create(CLIENTS, Client(id=client_id))))
        for limit in range(1, 9):
            found: list[str] = []
            after: Key | None = None
            while True:
                page = self.result(self.storage.page(CLIENTS, after=after, limit=limit))
                self.assertLessEqual(len(page.values), limit)
                found += [client.id for client in page.values]
                after = page.after
                if after is None:
                    break
            self.assertEqual(found, ["A", "bb", "stored", "z", "c", "b", "a"], limit)
