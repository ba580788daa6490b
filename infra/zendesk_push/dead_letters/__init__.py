"""The dead-letter queue as whoever looks at it sees it: read without losing anything, redriven, purged."""
