"""Fake upstreams, written from what the real ones document, for tests and for trying a connector by hand.

A fake is a table of routes over state that a test may change at any time; `served` makes a resource of it,
and `main` puts it on a loopback port: `python -m tests.upstreams.google --port 0`.
"""
