"""Where state lives: the seam (`interface`), the engines behind it, and what wraps an engine.

`memory` and `sql` are engines; `static` lays configured objects over one; `codec` turns values into
documents and back for every engine; `collector` removes what has expired. What is stored is declared
in `dextwist.model`; what it means is decided by whoever calls.
"""
