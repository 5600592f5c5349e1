"""The browser flow, without HTTP: from an authorization request to the answer at the client.

`checking` decides whether a request is good, `beginning` enters a connector, `finishing` takes what it
says of the person, `next_step` decides where the login goes, `consent` and `responding` carry that out.
All state between two requests of the browser is the stored `AuthRequest`.
"""
