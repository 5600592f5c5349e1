"""What operators see: log records, metrics, health, and the listener that shows them.

`metrics` is what every room may call; only `prometheus` knows the library behind it, and only the wiring
imports it, when a telemetry listener is configured. `context` says which request a log record belongs to.
Nothing here changes what the server does.
"""
