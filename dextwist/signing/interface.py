"""The signing seam: what signs tokens and says which keys verify them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from dextwist.jose.errors import InvalidToken as InvalidToken
from dextwist.jose.jws import VerifiedToken as VerifiedToken
from dextwist.model.client import Client
from dextwist.model.keys import JWKDict

T = TypeVar("T")


@attrs.frozen(eq=False)
class SigningError(Exception):
    """Nothing can be signed now, for the reason given; the text is for the log."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class Signature(Protocol):
    """One key at work: makes compact JWS, synchronously, in whichever thread it is called."""

    @property
    def algorithm(self) -> str:
        """The JOSE name, e.g. RS256: it also decides the hash of at_hash and c_hash."""

    def sign(self, payload: bytes, typ: str | None = None) -> str:
        """The compact JWS of the payload (RFC 7515 §7.1); `typ` goes into the protected header."""


@attrs.frozen(kw_only=True)
class PublishedKeys:
    """What `/keys` answers."""

    #: the signing key first, then the next one, then those that signed before.
    keys: Sequence[JWKDict]
    #: seconds for which a relying party may keep the answer.
    max_age: int


class AssertionReader(Protocol):
    """Reads JWTs by which clients say who they are."""

    def unverified_claims(self, assertion: str) -> Mapping[str, Any]:
        """What the assertion says, to find out whose it claims to be. Raises InvalidToken."""

    def claims(self, assertion: str, client: Client) -> Mapping[str, Any]:
        """What the assertion says, if the client signed it, with its secret or a key of its set.

        Only the algorithms of those keys count. Raises InvalidToken.
        """


class Signer(Protocol):
    """Signs with the current key and verifies with every published one."""

    async def start(self) -> None:
        """Have a key to sign with. Raises SigningError or StorageError."""

    async def stop(self) -> None:
        """End the background work."""

    async def with_signature(self, job: Callable[[Signature], T]) -> T:
        """Run `job` with the current key where signing belongs: in a thread for slow algorithms.

        All signatures of one answer are made in one job, so that they share a key and a hash.
        """

    async def verify(self, token: str) -> VerifiedToken:
        """What a compact JWS says that one of our published keys verifies.

        Only the algorithms of our own keys count, the key is found by `kid` (all are tried without
        one), and nothing inside the token is believed before. Raises InvalidToken.
        """

    async def published_keys(self) -> PublishedKeys:
        """The public keys that verify tokens now, or will soon."""

    async def algorithms(self) -> Sequence[str]:
        """The algorithms of tokens that are issued now; more than one during a change."""
