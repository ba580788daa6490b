"""What is measured, a module per subject: each has a function from Effort to a Chapter."""
