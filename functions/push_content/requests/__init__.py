"""What goes out, and in which order."""
