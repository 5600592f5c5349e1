"""What counts the calls to upstreams."""

from __future__ import annotations

from typing import Protocol


class UpstreamMetrics(Protocol):
    """Counts calls."""

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        """A call to an upstream ended."""


class NotCounted(UpstreamMetrics):
    """Counts nothing."""

    def upstream_answered(self, *, connector_id: str, operation: str, result: str, seconds: float) -> None:
        """Nobody asks."""
