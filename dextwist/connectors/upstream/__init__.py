"""What connectors share to talk to an upstream: one guarded HTTP client each, and OAuth 2.0 over it.

`client` is the client, `clients` makes it; `trust`, `proxies`, `tunnel`, `wire` and `breaker` are its
parts. `oauth2` and `tokens` speak to a token endpoint, `times` keeps instants in connector data.
"""
