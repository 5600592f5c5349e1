"""Values that stand for the documents they were read from."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.keys import KEYS, Keys
from dextwist.model.kinds import ALL_KINDS
from dextwist.model.mappings import frozen_mapping
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.recent import RecentValues, is_immutable
from tests.storage.samples import REFRESH_TOKEN


@attrs.frozen
class Inner:
    names: tuple[str, ...]
    again: Inner | None = None


@attrs.frozen
class Outer:
    inner: Inner
    more: tuple[Inner, ...] = ()


@attrs.frozen
class HoldsAFrozenMapping:
    names: Mapping[str, Inner] = attrs.field(converter=frozen_mapping)


@attrs.frozen
class HoldsADictionary:
    inner: tuple[Mapping[str, str], ...]


@attrs.frozen
class HoldsFrozenDictionaries:
    names: Mapping[str, dict[str, str]] = attrs.field(converter=frozen_mapping)


@attrs.define
class Changeable:
    name: str


@attrs.frozen
class HoldsAChangeable:
    changeable: Changeable


class ImmutableTests(SynchronousTestCase):
    def test_frozen_through_and_through(self) -> None:
        for declared in (str, bytes | None, tuple[str, ...], Inner, Outer, HoldsAFrozenMapping):
            self.assertTrue(is_immutable(declared), declared)

    def test_something_in_it_can_change(self) -> None:
        for declared in (
            dict,
            list[str],
            Mapping[str, str],
            HoldsADictionary,
            HoldsFrozenDictionaries,
            Changeable,
            HoldsAChangeable,
        ):
            self.assertFalse(is_immutable(declared), declared)

    def test_kinds_of_a_login_are_immutable_and_those_with_open_mappings_are_not(self) -> None:
        immutable = {kind.name for kind in ALL_KINDS if is_immutable(kind.model)}
        self.assertLessEqual({"auth_request", "auth_code", "refresh_token", "offline_session"}, immutable)
        self.assertFalse({KEYS.name, "auth_session", "user_identity"} & immutable)


class RecentValuesTests(SynchronousTestCase):
    def test_document_that_was_kept_gives_that_very_value(self) -> None:
        recent = RecentValues(REFRESH_TOKENS)
        self.assertIsNone(recent.get("{}"))
        recent.keep("{}", REFRESH_TOKEN)
        self.assertIs(recent.get("{}"), REFRESH_TOKEN)
        self.assertIsNone(recent.get("{ }"))

    def test_oldest_is_forgotten(self) -> None:
        recent = RecentValues(REFRESH_TOKENS, most=2)
        for document in ("1", "2", "3"):
            recent.keep(document, REFRESH_TOKEN)
        self.assertEqual([recent.get(each) is not None for each in ("1", "2", "3")], [False, True, True])

    def test_values_that_can_change_are_not_shared(self) -> None:
        keys = RecentValues(KEYS)
        keys.keep("{}", Keys())
        self.assertIsNone(keys.get("{}"))

    def test_values_do_not_show(self) -> None:
        recent = RecentValues(REFRESH_TOKENS)
        recent.keep("secret", REFRESH_TOKEN)
        self.assertNotIn("secret", repr(recent))
