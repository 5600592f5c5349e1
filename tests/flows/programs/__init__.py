"""Whole logins with the requests that well-known programs send, one module a program."""
