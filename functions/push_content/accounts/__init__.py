"""One account's turn."""
