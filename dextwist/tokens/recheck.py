"""How often a refresh asks the connector about the person (`connectors[].refreshPolicy`)."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs


@attrs.frozen(kw_only=True)
class RecheckPolicy:
    """When to ask, and what a connector that does not answer means."""

    #: zero: at each refresh; None: never.
    interval: timedelta | None = timedelta(0)
    #: go on with what is known where the connector fails; a person who is gone is refused all the same.
    keep_on_error: bool = False

    def is_due(self, rechecked_at: datetime, now: datetime) -> bool:
        """Whether to ask again, having asked at `rechecked_at`."""
        return self.interval is not None and now >= rechecked_at + self.interval
