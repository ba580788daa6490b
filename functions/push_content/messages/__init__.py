"""What came: a record of the queue, and the message in its body."""
