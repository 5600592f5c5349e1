"""Google accounts: `connector` logs in, `directory` looks groups up as a `service_account`."""
