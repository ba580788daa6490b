"""Completion of these commands in a shell."""
