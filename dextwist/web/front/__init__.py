"""The HTTP front: one strict protocol that owns every connection of the public listener.

`channel` reads requests and sends answers, with `head`, `body` and `wire` for the bytes; `table` finds the
route of a path, `other_paths` gives what is not in it to a twisted.web site; `factory` holds what all
connections share: limits, the sweep, draining. What an endpoint does is not known here.
"""
