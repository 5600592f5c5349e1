"""A case for tests of the built-in signer: instances that share a storage and a clock."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from dextwist.model.keys import KEYS, KEYS_ID, Keys
from dextwist.signing.interface import InvalidToken, Signer
from dextwist.signing.local import LocalSigner
from dextwist.signing.rotation import RotationPolicy
from dextwist.signing.threads import Threads
from dextwist.storage.interface import StorageUnavailable, Update
from tests.signing.fakes import InlineThreads, UnsteadyStorage, key_source
from tests.signing.forgeries import parts

T = TypeVar("T")

HOUR = 3600
START = 1_800_000_000.0


def policy(
    period: float = 6 * HOUR, algorithm: str = "ES256", token_lifetime: float = 24 * HOUR
) -> RotationPolicy:
    return RotationPolicy(
        rotation_period=timedelta(seconds=period),
        algorithm=algorithm,
        token_lifetime=timedelta(seconds=token_lifetime),
    )


DEFAULT = policy()


def fail() -> None:
    raise StorageUnavailable("the disk is full")


class LocalSignerCase(SynchronousTestCase):
    """Instances that share a storage and a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.storage = UnsteadyStorage()
        self.generate = key_source()
        self.threads = InlineThreads()

    def signer(self, policy: RotationPolicy = DEFAULT, threads: Threads | None = None) -> LocalSigner:
        return LocalSigner(
            storage=self.storage,
            clock=self.clock,
            policy=policy,
            threads=threads or self.threads,
            generate=self.generate,
            poll_pause=lambda: 30,
        )

    def started(self, policy: RotationPolicy = DEFAULT) -> LocalSigner:
        signer = self.signer(policy)
        self.outcome(signer.start())
        return signer

    def outcome(self, work: Coroutine[Deferred[Any], Any, T]) -> T:
        return self.successResultOf(Deferred.fromCoroutine(work))

    def record(self) -> Keys:
        return self.outcome(self.storage.get(KEYS, KEYS_ID))

    def store(self, keys: Keys) -> None:
        self.outcome(self.storage.write(Update(KEYS, KEYS_ID, lambda _: keys, default=Keys())))

    def token(self, signer: Signer) -> str:
        return self.outcome(signer.with_signature(lambda signature: signature.sign(b"{}", "JWT")))

    def kid(self, signer: Signer) -> str:
        """The id of the key that signs now."""
        return str(parts(self.token(signer))[0]["kid"])

    def kids(self, signer: Signer) -> list[str]:
        """The ids of the published keys."""
        return [jwk["kid"] for jwk in self.outcome(signer.published_keys()).keys]

    def max_age(self, signer: Signer) -> int:
        return self.outcome(signer.published_keys()).max_age

    def verifies(self, signer: Signer, token: str) -> bool:
        work = Deferred.fromCoroutine(signer.verify(token))
        result: list[bool] = []
        work.addCallbacks(lambda _: result.append(True), lambda f: result.append(not f.trap(InvalidToken)))
        return result.pop()

    def advance(self, seconds: float) -> None:
        """Let time pass in small steps: a `Clock` jumps, and would run late what is due in between."""
        self.clock.pump([10] * int(seconds // 10) + [seconds % 10])
