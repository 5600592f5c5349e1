"""How fast the daemon is, from outside: `python -m benchmarks`.

Everything that measures lives here; nothing in the daemon or its tests depends on it, and nothing here
says whether a time is good. docs/performance.md tells how to read the tables.
"""
