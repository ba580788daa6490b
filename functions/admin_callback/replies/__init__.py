"""The way back: agents' answers, onto the queue that upstream systems read."""
