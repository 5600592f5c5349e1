"""Whole flows through the real wiring: a daemon in this process, a browser and a relying party over TCP."""
