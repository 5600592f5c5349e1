"""What the specifications say: OAuth 2.0 and OpenID Connect rules as pure functions, without I/O.

`gate` holds every decision about what a client may do; the endpoints ask it and decide nothing themselves.
"""
