"""Configuration in, objects out: the only room that knows every concrete class, top to bottom.

`daemon` puts everything together; `grants` and `front` make its two large parts.
"""
