"""The picture at the top of the README: ``make run`` in a terminal, and the ticket that appears. ``make recording``."""
