"""Who knows the users: the contracts (`interface`), the registry of types, and one module a type.

A connector says in its bases what it can do; nobody asks for its type. Only the registry imports the
modules of the types, each when the configuration first names it.
"""
