"""The registered accounts."""
