"""``replies``: agents' answers on their way to the upstream systems."""
