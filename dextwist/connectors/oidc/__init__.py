"""Any OpenID provider, with the authorization code flow (type `oidc`).

`config` reads the settings, `connector` asks the provider, `claims` and `groups` make a person of the answer.
"""
