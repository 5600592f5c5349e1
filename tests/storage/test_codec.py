"""Documents: what a value looks like in a storage, and how it comes back."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.auth_session import AUTH_SESSIONS
from dextwist.model.client import CLIENTS, Client
from dextwist.model.device import DEVICE_TOKENS
from dextwist.model.keys import KEYS
from dextwist.model.kind import Kind
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.model.times import EPOCH, from_milliseconds
from dextwist.model.user_identity import USER_IDENTITIES
from dextwist.storage.codec import decode, encode, expiry, key_text
from dextwist.storage.interface import NotFound, StorageError
from tests.storage.samples import AUTH_SESSION, CLIENT, LATER, NOW, REFRESH_TOKEN, SAMPLES

#: Years 1 to 9999.
INSTANTS = st.integers(-62135596800000, 253402300799999).map(from_milliseconds)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@functools.cache
def values_of(wanted: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that models use, which may hold another of its own."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        return st.one_of(*(values_of(each) for each in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(st.text(max_size=5), values_of(arguments[1]), max_size=3)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return st.sampled_from(wanted)
    if attrs.has(wanted):
        hints = get_type_hints(wanted)
        return st.deferred(
            lambda: st.builds(
                wanted, **{field.name: values_of(hints[field.name]) for field in attrs.fields(wanted)}
            )
        )
    return {
        str: st.text(max_size=8),
        bytes: st.binary(max_size=8),
        bool: st.booleans(),
        int: st.integers(-(2**63), 2**63 - 1),
        datetime: INSTANTS,
        NoneType: st.none(),
        Any: JSON,
    }[wanted]


STORED = st.sampled_from(ALL_KINDS).flatmap(
    lambda kind: values_of(kind.model).map(lambda value: (kind, value))
)


def members(kind: Kind[Any], value: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(encode(kind, value))
    return found


class DocumentTests(SynchronousTestCase):
    """Encoding and decoding."""

    @settings(max_examples=300, deadline=None)
    @given(STORED)
    def test_every_value_comes_back_equal(self, stored: tuple[Kind[Any], Any]) -> None:
        kind, value = stored
        self.assertEqual(decode(kind, encode(kind, value)), value)

    def test_document_has_the_members_of_the_model(self) -> None:
        for kind, value in SAMPLES.items():
            names = {field.name for field in attrs.fields(kind.model)}
            self.assertEqual(set(members(kind, value)), names, kind)

    def test_instants_are_milliseconds(self) -> None:
        self.assertEqual(members(REFRESH_TOKENS, REFRESH_TOKEN)["created_at"], 1785587415123)
        self.assertEqual(
            members(REFRESH_TOKENS, attrs.evolve(REFRESH_TOKEN, created_at=EPOCH))["created_at"], 0
        )

    def test_bytes_are_base64url_without_padding(self) -> None:
        token = attrs.evolve(REFRESH_TOKEN, connector_data=b"\xfb\xff\xfe\x00")
        self.assertEqual(members(REFRESH_TOKENS, token)["connector_data"], "-__-AA")
        self.assertEqual(decode(REFRESH_TOKENS, encode(REFRESH_TOKENS, token)), token)

    def test_enums_are_their_values_and_tuples_lists(self) -> None:
        self.assertEqual(members(DEVICE_TOKENS, SAMPLES[DEVICE_TOKENS])["status"], "complete")
        self.assertEqual(members(REFRESH_TOKENS, REFRESH_TOKEN)["scopes"], ["openid", "email", "profile"])

    def test_null_and_empty_list_are_told_apart(self) -> None:
        client = attrs.evolve(CLIENT, mfa_chain=None, sso_shared_with=())
        self.assertEqual(members(CLIENTS, client)["mfa_chain"], None)
        self.assertEqual(members(CLIENTS, client)["sso_shared_with"], [])
        self.assertEqual(decode(CLIENTS, encode(CLIENTS, client)), client)

    def test_absent_members_are_the_defaults(self) -> None:
        self.assertEqual(decode(CLIENTS, '{"id":"client"}'), Client(id="client"))

    def test_unknown_members_survive_an_update_and_known_ones_are_replaced(self) -> None:
        stored = '{"id":"client","name":"old","from_the_future":{"a":[1]}}'
        value = attrs.evolve(decode(CLIENTS, stored), name="new")
        self.assertEqual(
            orjson.loads(encode(CLIENTS, value, over=stored)),
            {**members(CLIENTS, value), "from_the_future": {"a": [1]}},
        )

    def test_garbage_is_a_storage_error(self) -> None:
        for document in (
            "",
            "no json",
            "null",
            "[]",
            '"text"',
            "{}",
            '{"id":null}',
            '{"id":7}',
            '{"id":"a","public":"yes"}',
            '{"id":"a","public":0}',
            '{"id":"a","redirect_uris":"text"}',
            '{"id":"a","redirect_uris":null}',
            '{"id":"a","redirect_uris":[null]}',
            '{"id":"a","mfa_chain":{}}',
        ):
            self.assertRaises(StorageError, decode, CLIENTS, document)

    def test_garbage_inside_is_a_storage_error(self) -> None:
        for kind, member, wrong in (
            (REFRESH_TOKENS, "created_at", None),
            (REFRESH_TOKENS, "created_at", "2026-08-01"),
            (REFRESH_TOKENS, "created_at", 2**62),
            (REFRESH_TOKENS, "connector_data", "!!!"),
            (REFRESH_TOKENS, "connector_data", "ä"),
            (REFRESH_TOKENS, "connector_data", 5),
            (REFRESH_TOKENS, "claims", None),
            (REFRESH_TOKENS, "claims", {"groups": [1]}),
            (DEVICE_TOKENS, "status", "unheard of"),
            (DEVICE_TOKENS, "poll_interval", True),
            (OFFLINE_SESSIONS, "refresh", None),
            (OFFLINE_SESSIONS, "refresh", {"refresh": {}}),
            (KEYS, "verification_keys", [{}]),
            (USER_IDENTITIES, "consents", []),
        ):
            document = orjson.dumps({**members(kind, SAMPLES[kind]), member: wrong}).decode()
            self.assertRaises(StorageError, decode, kind, document)

    @settings(max_examples=300, deadline=None)
    @given(STORED, st.data())
    def test_any_other_member_is_a_value_or_a_storage_error(
        self, stored: tuple[Kind[Any], Any], data: st.DataObject
    ) -> None:
        kind, value = stored
        document = members(kind, value)
        document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON)
        try:
            decode(kind, orjson.dumps(document).decode())
        except StorageError as error:
            self.assertIn(kind.name, str(error))

    def test_error_does_not_show_what_was_stored(self) -> None:
        error = self.assertRaises(StorageError, decode, CLIENTS, '{"id":"a","secret":["hush"]}')
        self.assertNotIn("hush", str(error))

    def test_value_that_json_cannot_hold_is_a_storage_error(self) -> None:
        self.assertRaises(StorageError, encode, CLIENTS, Client(id="client", name="\ud800"))


class KeyTests(SynchronousTestCase):
    """Keys as text."""

    def test_key_of_one_part_is_itself(self) -> None:
        self.assertEqual(key_text("grpc-app"), "grpc-app")

    @given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
    def test_different_pairs_have_different_texts(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        self.assertEqual(key_text(one) == key_text(other), one == other)

    def test_no_unicode_is_no_key(self) -> None:
        self.assertRaises(NotFound, key_text, "\udc80")
        self.assertRaises(NotFound, key_text, ("user", "\udc80"))


class ExpiryTests(SynchronousTestCase):
    """When a value may be collected."""

    def test_expiry_is_in_milliseconds(self) -> None:
        session = attrs.evolve(AUTH_SESSION, absolute_expires_at=LATER, idle_expires_at=NOW)
        self.assertEqual(expiry(AUTH_SESSIONS, session), 1785587415123)

    def test_kind_without_expiry_has_none(self) -> None:
        self.assertIs(expiry(CLIENTS, CLIENT), None)
