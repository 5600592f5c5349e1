"""Signing keys: who signs (`interface`), the built-in signer and its rotation, the published key set.

What is inside a token is decided in `dextwist.tokens`; here a payload becomes a compact JWS.
"""
