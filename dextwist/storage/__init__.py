"""Where state lives: the seam (`interface`), the engines behind it, and what wraps an engine.

`memory` and `sql` are engines; `static` lays configured objects over one; `collector` removes what has
expired. Every engine shares `codec`, which turns values into documents and back, and `changes`, which
says what a change comes to. What is stored is declared in `dextwist.model`; what it means is decided
by whoever calls.
"""
