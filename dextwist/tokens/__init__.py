"""Tokens: what they contain (`claims`), how they are made (`issuer`) and how a refresh token ages.

Who gets a token is decided by `dextwist.grants` and `dextwist.login`; who signs it, by `dextwist.signing`.
"""
