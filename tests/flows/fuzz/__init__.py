"""Requests that nobody should send, to every endpoint of a whole daemon."""
