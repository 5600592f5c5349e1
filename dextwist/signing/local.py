"""The built-in signer: keys of its own, kept in the storage and rotated there."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import attrs
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from dextwist.jose.errors import UnknownKey
from dextwist.jose.jws import verified
from dextwist.model.keys import KEYS, KEYS_ID, KeyPair, Keys
from dextwist.model.times import EPOCH, utc_now
from dextwist.signing.interface import PublishedKeys, Signature, SigningError, VerifiedToken
from dextwist.signing.jwk import generate
from dextwist.signing.keyset import KeySet
from dextwist.signing.rotation import RotationPolicy, Step, after_step, next_step, rotation_time
from dextwist.signing.threads import Threads
from dextwist.storage.interface import AlreadyExists, Conflict, NotFound, Storage, StorageError, Update

T = TypeVar("T")

#: The record is read so seldom on behalf of tokens with an unknown key: anybody can make such tokens.
_REREAD_PAUSE = timedelta(seconds=1)


def poll_pause() -> float:
    """Seconds between two looks at the record: 30, give or take 10, so that instances spread.

    Nothing wakes at the moment a rotation is due: it may be late, and all instances would make a key at once.
    """
    return random.uniform(20, 40)  # noqa: S311 - no secret


@attrs.frozen(eq=False)
class _NotDue(Exception):
    """The record needs no longer what it needed when it was read."""


@attrs.define(kw_only=True, eq=False, repr=False)
class LocalSigner:
    """Signs with the record's signing key; all instances on one storage share the record.

    Every log event carries its source, so the signer shows nothing of what it holds.
    """

    log: ClassVar[Logger] = Logger()

    storage: Storage
    clock: IReactorTime
    policy: RotationPolicy
    threads: Threads
    generate: Callable[[str], KeyPair] = generate
    poll_pause: Callable[[], float] = poll_pause

    _key_set: KeySet | None = attrs.field(default=None, init=False)
    #: the record was this, or newer, then.
    _read_at: datetime = attrs.field(default=EPOCH, init=False)
    _reread_at: datetime = attrs.field(default=EPOCH, init=False)
    #: held while the record is read or changed, so that what was read first is not believed last.
    _turn: DeferredLock = attrs.field(factory=DeferredLock, init=False)
    #: the successor has the configured algorithm, as far as that is this instance's doing.
    _settled: bool = attrs.field(default=False, init=False)
    _wake: IDelayedCall | None = attrs.field(default=None, init=False)
    _stopped: bool = attrs.field(default=False, init=False)

    async def start(self) -> None:
        """Have a key to sign with, rotated if that is due, and keep it so.

        Raises SigningError or StorageError where there is no key. A rotation that fails is tried again.
        """
        self.threads.start()
        try:
            await self._keep_up()
        except BaseException:
            self.threads.stop()
            raise

    async def stop(self) -> None:
        """End the background work; a rotation under way ends first."""
        self._stopped = True
        if self._wake is not None and self._wake.active():
            self._wake.cancel()
        await self._turn.run(self.threads.stop)

    async def with_signature(self, job: Callable[[Signature], T]) -> T:
        """Run the job with the signing key: RSA in a thread, ECDSA at once. Raises SigningError."""
        signature = self._keys().signature
        if signature.slow:
            return await self.threads.run(lambda: job(signature))
        return job(signature)

    async def verify(self, token: str) -> VerifiedToken:
        """What the token says, if a published key signed it. Raises InvalidToken; StorageError."""
        try:
            return verified(token, self._keys().verifying(utc_now(self.clock)))
        except UnknownKey:
            await self._turn.run(self._reread)
        return verified(token, self._keys().verifying(utc_now(self.clock)))

    async def published_keys(self) -> PublishedKeys:
        """The public keys, and for how long no others can sign."""
        now = utc_now(self.clock)
        # A key that was published since our last look signs one max-age after that look at the earliest.
        known_for = (self.policy.max_age - (now - self._read_at)) // timedelta(seconds=1)
        return PublishedKeys(keys=self._keys().published(now), max_age=max(1, known_for))

    async def algorithms(self) -> Sequence[str]:
        """The signing key's algorithm, and its successor's where that is another."""
        return self._keys().algorithms

    def key_age(self) -> float:
        """For how many seconds the signing key has been signing, by the present rotation period."""
        if self._key_set is None:
            return 0.0
        since = self._key_set.record.next_rotation_at - self.policy.rotation_period
        return (utc_now(self.clock) - since).total_seconds()

    def _keys(self) -> KeySet:
        if self._key_set is None:
            raise SigningError("there is no key to sign with")
        return self._key_set

    def _use(self, record: Keys, read_at: datetime) -> None:
        """Sign and verify with the record from now on; one without a key changes nothing."""
        if record.signing_key is None:
            return
        if self._key_set is None or self._key_set.record != record:
            self._key_set = KeySet.of(record)
        self._read_at = read_at

    async def _read(self) -> Keys:
        """The record, now also in use."""
        read_at = utc_now(self.clock)
        try:
            record = await self.storage.get(KEYS, KEYS_ID)
        except NotFound:
            record = Keys()
        self._use(record, read_at)
        return record

    async def _reread(self) -> None:
        """Look for keys that we do not know yet, unless we have just looked."""
        now = utc_now(self.clock)
        if now - self._reread_at >= _REREAD_PAUSE:
            self._reread_at = now
            await self._read()

    async def _renew(self) -> None:
        """Read the record, and do in one write what it needs. SigningError where it has no key then."""
        record = await self._read()
        step = self._next_step(record, utc_now(self.clock))
        if step is None:
            self._settled = True
            return
        self.log.info("rotating signing keys: {reason}", reason=step.value)
        # Outside the write, which must not wait.
        new_keys = await self.threads.run(
            lambda: [self.generate(self.policy.algorithm) for _ in range(step.new_keys)]
        )
        now = utc_now(self.clock)

        def change(fresh: Keys) -> Keys:
            if self._next_step(fresh, now) is not step:
                raise _NotDue
            return after_step(step, fresh, self.policy, now, new_keys)

        try:
            (changed,) = await self.storage.write(Update(KEYS, KEYS_ID, change, default=Keys()))
        except (_NotDue, Conflict, AlreadyExists):
            self.log.info("key rotation not needed: another instance was first")
            await self._read()
            self._keys()
            return
        self._use(changed.after, now)
        self._settled = True
        self.log.info(
            "keys rotated: {reason}; next rotation at {next_rotation}",
            reason=step.value,
            next_rotation=rotation_time(changed.after, self.policy).isoformat(),
        )

    def _next_step(self, record: Keys, now: datetime) -> Step | None:
        return next_step(record, self.policy, now, starting=not self._settled)

    def _poll(self) -> None:
        Deferred.fromCoroutine(self._keep_up())

    async def _keep_up(self) -> None:
        """Renew, now and later; whatever comes of it, go on with the key at hand."""
        try:
            await self._turn.run(self._renew)
        except Exception as error:
            if self._key_set is None:
                raise
            if isinstance(error, StorageError | SigningError):
                self.log.error("failed to rotate keys: {err}", err=error)
            else:
                self.log.failure("failed to rotate keys")
        if not self._stopped:
            self._wake = self.clock.callLater(self.poll_pause(), self._poll)
