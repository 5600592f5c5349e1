"""The `oidc` connector."""
