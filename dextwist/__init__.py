"""dextwist: an OpenID Connect provider that federates, on Twisted.

The rooms, from the outside in: `service` starts the daemon, `wiring` builds every object from the
configuration, `web` speaks HTTP, `login` and `grants` run the protocol, `tokens` says what a token
contains, `storage`, `signing` and `connectors` are seams with several implementations each, `oauth`
holds what the specifications say and `model` what is true. Imports run in that order and never back.
"""

__version__ = "0.1.0"
