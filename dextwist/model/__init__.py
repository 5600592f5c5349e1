"""What is true: frozen values that are stored or passed between rooms, without any I/O.

One module an idea. A stored value's module also declares its `Kind`: its name, its key, when it
expires, and by which fields a listing can be narrowed. Rules about OAuth live in `dextwist.oauth`.
"""
