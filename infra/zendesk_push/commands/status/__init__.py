"""What waits and why."""
