"""A Keys record made ready for use: loaded once, used until the record changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import attrs

from dextwist.jose.errors import UnusableKey
from dextwist.jose.jws import VerifyingKey
from dextwist.model.keys import JWKDict, Keys
from dextwist.signing.interface import SigningError
from dextwist.signing.jwk import public_members
from dextwist.signing.jws import KeySignature

_NEVER = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class _Entry:
    """A published key, loaded."""

    jwk: JWKDict
    key: VerifyingKey
    expires_at: datetime = _NEVER

    @classmethod
    def of(cls, jwk: JWKDict, expires_at: datetime = _NEVER) -> _Entry:
        return cls(public_members(jwk), VerifyingKey.of(jwk), expires_at)


@attrs.frozen(kw_only=True)
class KeySet:
    """The keys of a record: the one that signs, and all that verify, in the order of publication."""

    record: Keys = attrs.field(repr=False)
    signature: KeySignature
    #: of the signing key and, where it differs, its successor.
    algorithms: Sequence[str]
    _entries: tuple[_Entry, ...]

    @classmethod
    def of(cls, record: Keys) -> KeySet:
        """Load the record's keys. SigningError where one is malformed or none can sign."""
        if record.signing_key is None:
            raise SigningError("there is no key to sign with")
        try:
            signature = KeySignature.of(record.signing_key.private)
            lasting = [_Entry.of(pair.public) for pair in (record.signing_key, record.next_key) if pair]
            retired = [_Entry.of(old.public_key, old.expires_at) for old in record.verification_keys]
        except UnusableKey as unusable:
            raise SigningError(str(unusable)) from None
        return cls(
            record=record,
            signature=signature,
            algorithms=tuple(dict.fromkeys(entry.key.algorithm for entry in lasting)),
            entries=(*lasting, *retired),
        )

    def published(self, now: datetime) -> tuple[JWKDict, ...]:
        """The public keys: the signing one, its successor, then those that signed before, oldest first."""
        return tuple(entry.jwk for entry in self._live(now))

    def verifying(self, now: datetime) -> Iterator[VerifyingKey]:
        """The same keys, to verify with."""
        return (entry.key for entry in self._live(now))

    def _live(self, now: datetime) -> Iterator[_Entry]:
        return (entry for entry in self._entries if entry.expires_at >= now)
