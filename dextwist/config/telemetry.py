"""`telemetry`: the listener for metrics and health."""

from __future__ import annotations

import attrs

from dextwist.config.addresses import ListenAddress
from dextwist.config.reading import key
from dextwist.config.values import boolean, listen_address


@attrs.frozen(kw_only=True)
class Telemetry:
    """A listener of its own, without TLS."""

    #: None: no such listener.
    http: ListenAddress | None = key("http", listen_address, None)
    enable_profiling: bool = key("enableProfiling", boolean, False)
