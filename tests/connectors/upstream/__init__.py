"""What connectors share to talk to an upstream."""
