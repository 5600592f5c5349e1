"""The token endpoint: what all grants share (`token_endpoint`) and one file a grant.

A grant examines a request and then redeems it; authentication of the client, the connector's rules and the
shape of the answer are the same for all and happen outside of it.
"""
