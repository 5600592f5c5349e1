"""Real clients by other authors against a daemon of its own process; a peer that is missing is a skip."""
