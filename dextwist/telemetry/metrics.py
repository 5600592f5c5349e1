"""What is counted, named for what happened; without a telemetry listener nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import attrs


class Metrics(Protocol):
    """Counts what happens. Nothing here raises or waits."""

    def request_answered(self, *, handler: str, method: str, status: int, seconds: float, size: int) -> None:
        """A request to a route, by its pattern below the issuer (`/auth/{connector}`), was answered."""

    def login_finished(self, *, connector_id: str, result: str) -> None:
        """A person has proved who they are to a connector, or has not: `success`, `refused`, `error`, ..."""

    def tokens_issued(self, *, grant_type: str) -> None:
        """A token response left the server."""

    def storage_operation_finished(self, *, operation: str, result: str, seconds: float) -> None:
        """A storage operation ended: `ok`, or the name of what it raised."""

    def request_refused(self, *, status: int) -> None:
        """A request was answered before it could reach an endpoint."""

    def limit_hit(self, *, limit: str) -> None:
        """One of the configured limits was hit, by its key: `maxBody`."""

    def connections_open(self, *, count: int) -> None:
        """So many connections are open now on the public listener."""

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        """A connector's call ended: `2xx` and so on by the answer's status, `timeout`, `unreachable`, ..."""

    def garbage_collected(self, *, counts: Mapping[str, int]) -> None:
        """So many expired values were removed, by the name of their kind."""

    def watch_signing_key(self, age: Callable[[], float]) -> None:
        """From now on `age` says for how many seconds the signing key has been signing."""


@attrs.frozen
class NoMetrics:
    """Counts nothing."""

    def request_answered(self, *, handler: str, method: str, status: int, seconds: float, size: int) -> None:
        """Nobody asks."""

    def login_finished(self, *, connector_id: str, result: str) -> None:
        """Nobody asks."""

    def tokens_issued(self, *, grant_type: str) -> None:
        """Nobody asks."""

    def storage_operation_finished(self, *, operation: str, result: str, seconds: float) -> None:
        """Nobody asks."""

    def request_refused(self, *, status: int) -> None:
        """Nobody asks."""

    def limit_hit(self, *, limit: str) -> None:
        """Nobody asks."""

    def connections_open(self, *, count: int) -> None:
        """Nobody asks."""

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        """Nobody asks."""

    def garbage_collected(self, *, counts: Mapping[str, int]) -> None:
        """Nobody asks."""

    def watch_signing_key(self, age: Callable[[], float]) -> None:
        """Nobody asks."""
